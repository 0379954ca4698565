/** The records that lead the name of the PBX to a node, as a form: one after the other, each by its provider's keys. Pure. */
import type { ChangeAsked } from './settings.ts';
import {
  type Facts,
  type Field,
  type FieldKind,
  type FieldPath,
  maker,
  set,
  takenOut,
  valueAt,
  type Written,
} from './settings-field.ts';
import { onFailSchema } from './words.ts';

/** Ways of changing a record, and the keys that each has of its own. */
const wayKeys = {
  rfc2136: ['server', 'port', 'zone', 'record', 'key'],
  dnscmd: ['server', 'zone', 'record'],
  cloudflare: ['zone', 'record', 'token'],
  route53: ['zoneId', 'zone', 'record', 'keyId', 'key'],
  script: ['run', 'timeout'],
} as const;
type WayKind = keyof typeof wayKeys;
export const dnsKinds = Object.keys(wayKeys) as WayKind[];
const sharedKeys = ['ttl', 'active', 'passive', 'servers', 'within', 'onFail'] as const;
const most = 8;

const path: FieldPath = ['promotion', 'dns'];
const kindId = /^promotion\.dns(?:\[\d+\])?\.kind$/;

interface Entry {
  id: string;
  path: FieldPath;
  value: unknown;
}

/** Each record with its place: the only one mostly stands there without a list. */
function entries(written: Written): Entry[] {
  const value = valueAt(written, path);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [{ id: 'promotion.dns', path, value }];
  return value.map((one: unknown, i) => ({ id: `promotion.dns[${i}]`, path: [...path, i], value: one }));
}

const kindIn = (value: unknown): WayKind | null => {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : null;
  return dnsKinds.find((one) => one === kind) ?? null;
};

const textAt = (written: Written, ...where: string[]): string => {
  const value = valueAt(written, where);
  return typeof value === 'string' ? value : '';
};

const kinds: Partial<Record<string, FieldKind>> = {
  key: 'secret',
  token: 'secret',
  port: 'number',
  run: 'command',
  servers: 'lines',
  onFail: 'select',
};

/** Where the schema does not say it. */
function usualOf(key: string, written: Written): string | null {
  if (key === 'onFail') return 'ask';
  return key === 'active' || key === 'passive' ? textAt(written, 'pair', key) : null;
}

export function dnsFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const kindField = (id: string): Field => ({
    ...field(`${id}.kind`, 'select', ['none', ...dnsKinds]),
    usual: 'none',
  });
  const all = entries(written);
  const fields = all.flatMap(({ id, value }) => {
    const kind = kindIn(value);
    if (kind === null) return [kindField(id)];
    const own = (key: string): Field => {
      const known = field(`${id}.${key}`, kinds[key], key === 'onFail' ? onFailSchema.options : []);
      const words = key === 'key' ? { words: `promotion.dns.key.${kind}` } : {};
      return { ...known, ...words, usual: usualOf(key, written) ?? known.usual };
    };
    return [kindField(id), ...[...wayKeys[kind], ...sharedKeys].map(own)];
  });
  if (all.length === 0) return [kindField('promotion.dns')];
  return all.length < most ? [...fields, kindField(`promotion.dns[${all.length}]`)] : fields;
}

/** Another way takes over what it has in common with the one before; a first one knows the name. */
function recordOf(kind: WayKind, before: unknown, written: Written): ChangeAsked['value'] {
  const keys: readonly string[] = [...wayKeys[kind], ...sharedKeys];
  const held = typeof before === 'object' && before !== null ? Object.entries(before) : [];
  // a secret of one provider is none of another
  const kept = held.filter(([key]) => keys.includes(key) && key !== 'key');
  const [name = '', ...zone] = textAt(written, 'pair', 'fqdn').split('.');
  const known = kept.length === 0 && kind !== 'script' && zone.length > 1 ? { zone: zone.join('.'), record: name } : {};
  return { kind, ...known, ...Object.fromEntries(kept) } as ChangeAsked['value'];
}

/** What another kind of record changes; null: this is another field. */
export function dnsChanges({ id, path: at }: Field, typed: string | boolean, written: Written): ChangeAsked[] | null {
  if (!kindId.test(id)) return null;
  const all = entries(written);
  const place = at.slice(0, -1);
  const own = all.find((entry) => entry.path.join('.') === place.join('.'));
  const kind = dnsKinds.find((one) => one === typed);
  if (kind === undefined) {
    if (own === undefined) return [];
    return [all.length === 1 ? takenOut(path, written) : set(own.path, null)];
  }
  if (own !== undefined && kindIn(own.value) === kind) return [];
  if (own !== undefined) return [set(own.path, recordOf(kind, own.value, written))];
  const record = recordOf(kind, null, written);
  const [only] = all;
  if (only === undefined) return [set(path, record)];
  // the one that stood alone becomes the first of a list
  return [only.path === path ? set(path, [only.value as ChangeAsked['value'], record]) : set(place, record)];
}
