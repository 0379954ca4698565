/** What the forms of the configuration are made of: a field, what stands at its path, what a change is. Pure. */
import type { ChangeAsked, CheckedView, SettingsView } from './settings.ts';

/**
 * `choice`: a few words, each explained. `select`: words of a list. `flag`: true or false. `present`: a group that is there or not.
 * `lines`: a list of texts. `secret`: the name of a secret, whose content is written only. `command`: a program and its arguments on one
 * line. `commands`: several of them. `script`: a bare name, or one with arguments.
 */
export type FieldKind =
  | 'text'
  | 'number'
  | 'choice'
  | 'select'
  | 'flag'
  | 'present'
  | 'lines'
  | 'secret'
  | 'command'
  | 'commands'
  | 'script';

export type FieldPath = readonly (string | number)[];

export interface Field {
  /** its path, as problems name it */
  id: string;
  path: FieldPath;
  kind: FieldKind;
  options: readonly string[];
  /** what holds where nothing is written; empty: nothing that could be said */
  usual: string;
  /** what its words go by, where the same key means something else in another place */
  words?: string;
}

export type Written = CheckedView['written'];
export type Facts = Pick<SettingsView, 'usual' | 'profileTests' | 'profileServices'>;

/** What stands at a path; undefined where nothing does. */
export function valueAt(written: Written, path: FieldPath): unknown {
  return path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null && Object.hasOwn(here, key) ? Reflect.get(here, key) : undefined,
    written,
  );
}

export const has = (written: Written, ...path: FieldPath): boolean => valueAt(written, path) !== undefined;

/** The same for each entry of a list: `promotion.dns[1].zone` is `promotion.dns.zone`. */
export const withoutPlaces = (id: string): string => id.replaceAll(/\[\d+\]/g, '');

const pathOf = (id: string): FieldPath =>
  (id.match(/[^.[\]]+/g) ?? []).map((key) => (/^\d+$/.test(key) ? Number(key) : key));

export type Maker = (id: string, kind?: FieldKind, options?: readonly string[]) => Field;

/** Makes fields; what is usual comes from the engine. */
export function maker({ usual }: Facts): Maker {
  return (id, kind = 'text', options = []) => {
    const value = usual[withoutPlaces(id)];
    return { id, path: pathOf(id), kind, options, usual: value === undefined ? '' : String(value) };
  };
}

export const set = (path: FieldPath, value: ChangeAsked['value']): ChangeAsked => ({ path: [...path], value });

/** Groups that mean nothing when they are empty. */
const mayGo: readonly string[] = [
  ...['backup.encrypt', 'backup.source', 'promotion.scripts', 'promotion.fence', 'notify'],
  ...['services', 'services.boot', 'selfFence'],
];

/** Takes a key out, and with the last one of a group that means nothing when it is empty the group. */
export function takenOut(path: FieldPath, written: Written): ChangeAsked {
  const group = path.slice(0, -1);
  const holder = valueAt(written, group);
  const keys = typeof holder === 'object' && holder !== null ? Object.keys(holder) : [];
  const goes = mayGo.includes(group.join('.')) && keys.length === 1 && keys[0] === path.at(-1);
  return goes ? takenOut(group, written) : set(path, null);
}
