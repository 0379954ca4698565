/** How the PBX is started and stopped, and how two actives are prevented, as forms. Pure. */
import { lineOf } from './command-line.ts';
import type { ChangeAsked } from './settings.ts';
import { type Facts, type Field, has, maker, set, valueAt, type Written } from './settings-field.ts';
import { onFailSchema } from './words.ts';

/** What the product's own services are; null where no product is named. */
function servicesOfProfile(written: Written, { profileServices }: Facts) {
  const profile = valueAt(written, ['pair', 'profile']);
  return (typeof profile === 'string' && profileServices[profile]) || null;
}

export function servicesFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const product = servicesOfProfile(written, facts);
  // one of them written, and none of the product's holds any more
  const silent = !['names', 'start', 'query', 'stop'].some((key) => has(written, 'services', key));
  const lines = (commands: readonly (readonly string[])[] = []) => commands.map((one) => lineOf(one) ?? '').join('\n');
  const usually = (id: string, kind: Field['kind'], usual: string): Field => ({
    ...field(id, kind),
    usual: silent ? usual : '',
  });
  const byCommands = has(written, 'services', 'start') || has(written, 'services', 'boot');
  const waits = valueAt(written, ['services', 'letOn']) === 'estepe';
  return [
    usually('services.names', 'lines', (product?.names ?? []).join('\n')),
    usually('services.start', 'commands', lines(product?.start)),
    usually('services.query', 'commands', lines(product?.query)),
    usually('services.stop', 'commands', lines(product?.stop)),
    ...(byCommands ? [field('services.boot.on', 'commands'), field('services.boot.off', 'commands')] : []),
    { ...field('services.calls', 'command'), usual: lineOf(product?.calls ?? []) ?? '' },
    field('services.letOn', 'choice', ['machine', 'estepe']),
    ...(waits ? [field('services.letOnWithin')] : []),
    field('services.proveWithin'),
    field('services.onFail', 'select', onFailSchema.options),
  ];
}

const fencePath = ['promotion', 'fence'] as const;

export function fenceFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const fence = valueAt(written, fencePath);
  const isGroup = typeof fence === 'object' && fence !== null;
  const is3cx = String(valueAt(written, ['pair', 'profile']) ?? '').startsWith('3cx');
  const need = field(isGroup ? 'promotion.fence.need' : 'promotion.fence', 'choice', ['best-effort', 'required']);
  const byApi = has(written, ...fencePath, 'api');
  return [
    { ...need, usual: 'best-effort' },
    ...(is3cx || byApi ? [field('promotion.fence.api', 'present')] : []),
    ...(byApi ? [field('promotion.fence.api.clientId'), field('promotion.fence.api.secret', 'secret')] : []),
    field('promotion.fence.script', 'script'),
    field('promotion.fence.silenceWithin'),
    field('selfFence.after'),
  ];
}

/** `fence: required` is short for a group with that need: it becomes one before it gets another key. */
export function fenceFirst(field: Field, written: Written): ChangeAsked[] {
  const fence = valueAt(written, fencePath);
  const isBelow = field.id.startsWith(`${fencePath.join('.')}.`);
  return isBelow && typeof fence === 'string' ? [set(fencePath, { need: fence })] : [];
}
