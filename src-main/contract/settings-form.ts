/**
 * The configuration as forms: which fields a section has, what stands in each, what a typed value changes in the text, and what may be
 * done next. Pure; the text stays the truth, and the engine alone judges it.
 */
import { lineOf, wordsOf } from './command-line.ts';
import type { ChangeAsked } from './settings.ts';
import { dnsChanges, dnsFields } from './settings-dns.ts';
import {
  type Facts,
  type Field,
  has,
  type Maker,
  maker,
  set,
  takenOut,
  valueAt,
  type Written,
} from './settings-field.ts';
import { fenceFields, fenceFirst, servicesFields } from './settings-services.ts';
import { isChannelOn, tellChanges, tellFields } from './settings-tell.ts';

/** In the order in which the page shows them. */
export const settingsSections = [
  'pbx',
  'role',
  'other',
  'location',
  'schedule',
  'watch',
  'decide',
  'fence',
  'dns',
  'services',
  'tell',
  'rehearsal',
] as const;
export type SettingsSection = (typeof settingsSections)[number];

/** Kinds of locations, and the keys that each has beside its kind. */
export const locationKeys = {
  none: [],
  local: ['folder'],
  smb: ['host', 'share', 'folder', 'user', 'domain', 'password'],
  sftp: ['host', 'port', 'user', 'folder', 'password', 'key', 'hostKey'],
  ftps: ['host', 'port', 'user', 'folder', 'password'],
  google: ['bucket', 'folder', 'key'],
  s3: ['bucket', 'folder', 'region', 'endpoint', 'keyId', 'key'],
} as const;
export type LocationKind = keyof typeof locationKeys;
export const locationKinds = Object.keys(locationKeys) as LocationKind[];

export function locationKindOf(written: Written): LocationKind {
  const kind = valueAt(written, ['backup', 'location', 'kind']);
  return locationKinds.find((one) => one === kind) ?? 'none';
}

const usualPorts: Partial<Record<LocationKind, string>> = { sftp: '22', ftps: '21' };

function locationFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const kind = locationKindOf(written);
  const own = locationKeys[kind].map((key): Field => {
    const id = `backup.location.${key}`;
    if (key === 'password' || key === 'key') return field(id, 'secret');
    if (key === 'port') return { ...field(id, 'number'), usual: usualPorts[kind] ?? '' };
    const known = field(id);
    return kind === 'local' && key === 'folder' ? { ...known, usual: '' } : known;
  });
  if (kind === 'none') return [field('backup.location.kind', 'select', locationKinds)];
  return [
    field('backup.location.kind', 'select', locationKinds),
    ...own,
    ...sourceFields(written, facts),
    field('backup.encrypt.passphrase', 'secret'),
  ];
}

/** What is backed up is another question for each product. */
function sourceFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const profile = valueAt(written, ['pair', 'profile']);
  if (profile === 'generic') {
    return [field('backup.source.folders', 'lines'), field('backup.source.files', 'lines')];
  }
  if (profile === 'freepbx') return [field('backup.source.job'), field('backup.source.folder')];
  if (profile !== '3cx-windows' && profile !== '3cx-linux') return [];
  const from = { ...field('backup.source.from', 'choice', ['command', 'folder']), usual: 'command' };
  const byFolder = valueAt(written, from.path) === 'folder';
  return [from, ...(byFolder ? [field('backup.source.folder')] : []), field('backup.source.password', 'secret')];
}

function scheduleFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  if (!has(written, 'backup')) return [];
  const copied = ['restore.schedule', 'restore.maxOffset'].map((id) => field(id));
  return [
    field('backup.schedule'),
    field('backup.timeZone'),
    field('backup.keep', 'number'),
    field('restore', 'present'),
    ...(has(written, 'restore') ? [...copied, field('restore.whenNewer', 'flag')] : []),
  ];
}

/** The tests that run by what is written. */
export function testsOf(written: Written, { profileTests }: Facts): string[] {
  const named = valueAt(written, ['heartbeat', 'tests']);
  if (typeof named === 'object' && named !== null) return Object.keys(named);
  const profile = valueAt(written, ['pair', 'profile']);
  return (typeof profile === 'string' && profileTests[profile]) || [];
}

const ownTests = ['sip', 'web', 'tunnel'] as const;
const testKeys: Record<(typeof ownTests)[number], (field: Maker) => Field[]> = {
  sip: (field) => [
    field('heartbeat.tests.sip.transport', 'select', ['udp', 'tcp', 'tls']),
    field('heartbeat.tests.sip.port', 'number'),
  ],
  web: (field) => [
    field('heartbeat.tests.web.port', 'number'),
    field('heartbeat.tests.web.path'),
    field('heartbeat.tests.web.marker'),
  ],
  tunnel: (field) => [field('heartbeat.tests.tunnel.port', 'number')],
};

function watchFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const running = testsOf(written, facts);
  return [
    ...ownTests.flatMap((test) => [
      field(`heartbeat.tests.${test}`, 'present'),
      ...(running.includes(test) ? testKeys[test](field) : []),
    ]),
    field('heartbeat.interval'),
    field('heartbeat.failWhen', 'choice', ['all', 'any']),
    field('heartbeat.confirm.times', 'number'),
    field('heartbeat.confirm.every'),
    field('heartbeat.references', 'lines'),
  ];
}

function decideFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const mode = valueAt(written, ['promotion', 'mode']) ?? facts.usual['promotion.mode'];
  const asks = mode === 'confirm';
  return [
    field('promotion.mode', 'choice', ['automatic', 'confirm', 'manual']),
    ...(asks ? [field('promotion.countdown'), field('promotion.onSilence', 'choice', ['promote', 'hold'])] : []),
    field('promotion.cooldown'),
    { ...field('promotion.claim', 'choice', ['required', 'best-effort']), usual: 'required' },
    field('promotion.scripts.before', 'script'),
    field('promotion.scripts.after', 'script'),
    field('promotion.observeOnly', 'flag'),
  ];
}

/** The fields of a section as it is written now. */
export function fieldsOf(section: SettingsSection, written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  switch (section) {
    case 'pbx':
      return [field('pair.profile', 'choice', Object.keys(facts.profileTests))];
    case 'role':
      return [field('role', 'choice', ['passive', 'active'])];
    case 'other':
      return [
        ...['pair.fqdn', 'pair.active', 'pair.passive', 'pair.name'].map((id) => field(id)),
        field('peer', 'present'),
      ];
    case 'location':
      return locationFields(written, facts);
    case 'schedule':
      return scheduleFields(written, facts);
    case 'watch':
      return watchFields(written, facts);
    case 'decide':
      return decideFields(written, facts);
    case 'fence':
      return fenceFields(written, facts);
    case 'dns':
      return dnsFields(written, facts);
    case 'services':
      return servicesFields(written, facts);
    case 'tell':
      return tellFields(written, facts);
    case 'rehearsal':
      return [field('drill.schedule'), field('drill.maxAge')];
  }
}

/** What a field shows. Null: what is written is more than a field can show, and is changed in the text. */
export function shownIn(field: Field, written: Written, facts: Facts): string | boolean | null {
  const value = valueAt(written, field.path) ?? null;
  const test = testOf(field);
  if (test !== null) return testsOf(written, facts).includes(test);
  if (field.id === 'backup.location.kind') return locationKindOf(written);
  if (field.id === 'notify.desktop') return isChannelOn('desktop', written);
  return shownAs(field, value);
}

function shownAs({ kind, usual }: Field, value: unknown): string | boolean | null {
  switch (kind) {
    case 'present':
      return value !== null;
    case 'flag':
      if (value === null) return usual === 'true';
      return typeof value === 'boolean' ? value : null;
    case 'lines':
      return linesIn(value);
    case 'commands':
      return commandsIn(value);
    case 'command':
      return lineOf(value ?? []);
    case 'script':
      return lineOf(typeof value === 'string' ? [value] : (value ?? []));
    default:
      if (value === null) return kind === 'choice' || kind === 'select' ? usual : '';
      return typeof value === 'object' ? null : String(value);
  }
}

function linesIn(value: unknown): string | null {
  if (value === null) return '';
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join('\n') : null;
}

function commandsIn(value: unknown): string | null {
  if (value === null) return '';
  const lines = Array.isArray(value) ? value.map(lineOf) : [null];
  return lines.every((line) => line !== null) ? lines.join('\n') : null;
}

/** Another kind of location takes over what it has in common with the one before. */
function locationChanges(kind: string, written: Written): ChangeAsked[] {
  if (kind === locationKindOf(written)) return [];
  if (kind === 'none') {
    return ['backup', 'restore'].filter((key) => has(written, key)).map((key) => set([key], null));
  }
  const keys: readonly string[] = locationKeys[kind as LocationKind] ?? [];
  const kept = keys.flatMap((key): [string, ChangeAsked['value']][] => {
    const value = valueAt(written, ['backup', 'location', key]);
    // a folder of this machine is none on a server, and the other way round
    const other = key === 'port' || (key === 'folder' && (kind === 'local' || locationKindOf(written) === 'local'));
    return typeof value === 'string' && !other ? [[key, value]] : [];
  });
  const location = set(['backup', 'location'], { kind, ...Object.fromEntries(kept) });
  // A first location: the other half of keeping a copy goes with it.
  return has(written, 'restore') || has(written, 'backup') ? [location] : [location, set(['restore'], {})];
}

/** Which tests run is written whole as soon as one of them differs from the product's. */
function testChanges(test: string, on: boolean, written: Written, facts: Facts): ChangeAsked[] {
  const path = ['heartbeat', 'tests'];
  if (has(written, ...path)) return [set([...path, test], on ? {} : null)];
  const wanted = ownTests.filter((one) => (one === test ? on : testsOf(written, facts).includes(one)));
  return [set(path, Object.fromEntries(wanted.map((one) => [one, {}])))];
}

/** Which of the tests a field switches on and off. */
const testOf = ({ id }: Field) => ownTests.find((one) => id === `heartbeat.tests.${one}`) ?? null;

/** What a typed value changes in the text. Empty: the key goes, and what is usual holds. */
export function changesOf(field: Field, typed: string | boolean, written: Written, facts: Facts): ChangeAsked[] {
  const test = testOf(field);
  if (test !== null) return testChanges(test, typed === true, written, facts);
  return [...testsFirst(field, written, facts), ...ownChanges(field, typed, written)];
}

/** A setting of one test names it, and with it every other one that is to go on. */
function testsFirst(field: Field, written: Written, facts: Facts): ChangeAsked[] {
  const path = ['heartbeat', 'tests'];
  if (!field.id.startsWith(`${path.join('.')}.`) || has(written, ...path)) return [];
  return [set(path, Object.fromEntries(testsOf(written, facts).map((one) => [one, {}])))];
}

function ownChanges(field: Field, typed: string | boolean, written: Written): ChangeAsked[] {
  if (field.id === 'backup.location.kind') return locationChanges(String(typed), written);
  const special = dnsChanges(field, typed, written) ?? tellChanges(field, typed, written);
  if (special !== null) return special;
  const value = writtenFor(field, typed);
  return [...fenceFirst(field, written), value === null ? takenOut(field.path, written) : set(field.path, value)];
}

/** What is written for what was typed; null: nothing. */
function writtenFor(field: Field, typed: string | boolean): ChangeAsked['value'] {
  if (typeof typed === 'boolean') return field.kind !== 'present' ? typed : typed ? {} : null;
  const text = typed.trim();
  if (text === '') return null;
  switch (field.kind) {
    case 'lines':
      return linesOf(typed);
    case 'commands':
      return linesOf(typed).map(wordsOf);
    case 'command':
      return wordsOf(text);
    case 'script': {
      const [name = '', ...others] = wordsOf(text);
      return others.length === 0 ? name : [name, ...others];
    }
    case 'number':
      return /^\d{1,9}$/.test(text) ? Number(text) : text;
    default:
      return text;
  }
}

function linesOf(typed: string): string[] {
  const lines = typed.split(/\r?\n/).map((line) => line.trim());
  return lines.filter((line) => line !== '');
}

/** The name under which a secret of this field is kept where none is named yet. */
export function secretNameFor(field: Field): string {
  const names: Record<string, string> = {
    'backup.location.password': 'location-password',
    'backup.location.key': 'location-key',
    'backup.encrypt.passphrase': 'backup-passphrase',
    'backup.source.password': 'pbx-backup',
    'notify.email.password': 'smtp',
    'notify.webhook.secret': 'webhook',
    'promotion.fence.api.secret': 'pbx-api',
    'promotion.dns.key': 'dns-key',
    'promotion.dns.token': 'dns-token',
  };
  return names[field.id] ?? field.path.join('-').toLowerCase();
}
