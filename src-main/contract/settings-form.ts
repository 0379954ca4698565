/**
 * The configuration as forms: which fields a section has, what stands in each, what a typed value changes in the text, and what may be
 * done next. Pure; the text stays the truth, and the engine alone judges it.
 */
import type { ChangeAsked, CheckedView, SettingsView } from './settings.ts';

/** In the order in which the first run asks for them. */
export const settingsSections = [
  'pbx',
  'role',
  'other',
  'location',
  'schedule',
  'watch',
  'decide',
  'rehearsal',
] as const;
export type SettingsSection = (typeof settingsSections)[number];

/**
 * `choice`: a few words, each explained. `select`: words of a list. `flag`: true or false. `present`: a group that is there or not.
 * `lines`: a list of texts. `secret`: the name of a secret, whose content is written only.
 */
export type FieldKind = 'text' | 'number' | 'choice' | 'select' | 'flag' | 'present' | 'lines' | 'secret';

export interface Field {
  /** its path, as problems name it */
  id: string;
  path: readonly string[];
  kind: FieldKind;
  options: readonly string[];
  /** what holds where nothing is written; empty: nothing that could be said */
  usual: string;
}

export type Written = CheckedView['written'];
type Facts = Pick<SettingsView, 'usual' | 'profileTests'>;

/** What stands at a path; undefined where nothing does. */
export function valueAt(written: Written, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null && Object.hasOwn(here, key) ? Reflect.get(here, key) : undefined,
    written,
  );
}

const has = (written: Written, ...path: string[]): boolean => valueAt(written, path) !== undefined;

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

/** Makes fields; what is usual comes from the engine. */
function maker({ usual }: Facts) {
  return (id: string, kind: FieldKind = 'text', options: readonly string[] = []): Field => {
    const value = usual[id];
    return { id, path: id.split('.'), kind, options, usual: value === undefined ? '' : String(value) };
  };
}

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
const testKeys: Record<(typeof ownTests)[number], (field: ReturnType<typeof maker>) => Field[]> = {
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
    field('promotion.scripts.before'),
    field('promotion.scripts.after'),
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
  if (field.kind === 'present') return value !== null;
  if (field.kind === 'flag') return value === null ? field.usual === 'true' : typeof value === 'boolean' ? value : null;
  if (field.kind === 'lines') return linesIn(value);
  if (value === null) return field.kind === 'choice' || field.kind === 'select' ? field.usual : '';
  return typeof value === 'object' ? null : String(value);
}

function linesIn(value: unknown): string | null {
  if (value === null) return '';
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join('\n') : null;
}

const set = (path: readonly string[], value: ChangeAsked['value']): ChangeAsked => ({ path: [...path], value });

/** Another kind of location takes over what it has in common with the one before. */
function locationChanges(kind: string, written: Written): ChangeAsked[] {
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
  if (typeof typed === 'boolean') {
    if (field.kind === 'present') return [set(field.path, typed ? {} : null)];
    return [set(field.path, typed)];
  }
  const text = typed.trim();
  if (field.kind === 'lines') {
    const lines = typed.split(/\r?\n/).map((line) => line.trim());
    const said = lines.filter((line) => line !== '');
    return [set(field.path, said.length === 0 ? null : said)];
  }
  const only = soleKey(field, text, written);
  if (only !== null) return only;
  if (text === '') return [set(field.path, null)];
  return [set(field.path, field.kind === 'number' && /^\d{1,9}$/.test(text) ? Number(text) : text)];
}

/** The last key of a group that means nothing when it is empty takes the group with it. */
function soleKey(field: Field, text: string, written: Written): ChangeAsked[] | null {
  const group = field.path.slice(0, -1);
  if (text !== '' || group.length === 0) return null;
  const holder = valueAt(written, group);
  const keys = typeof holder === 'object' && holder !== null ? Object.keys(holder) : [];
  const mayGo = ['backup.encrypt', 'backup.source', 'promotion.scripts'].includes(group.join('.'));
  return mayGo && keys.length === 1 && keys[0] === field.path.at(-1) ? [set(group, null)] : null;
}

/** The name under which a secret of this field is kept where none is named yet. */
export function secretNameFor(field: Field): string {
  const names: Record<string, string> = {
    'backup.location.password': 'location-password',
    'backup.location.key': 'location-key',
    'backup.encrypt.passphrase': 'backup-passphrase',
    'backup.source.password': 'pbx-backup',
  };
  return names[field.id] ?? field.path.join('-').toLowerCase();
}
