/**
 * What is wrong with a configuration, in sentences: which key, on which line, what is wrong, what is allowed. Turns
 * findings of the schema into these. Must not know where the text came from.
 */
import type { z } from 'zod';
import { EstepeError } from '../contract/errors.ts';
import { keysAt, nodesAt } from './json-schema.ts';
import { nearest } from './nearest.ts';

/** One thing to correct. `line` and `column` count from 1. */
export interface Problem {
  /** the key, such as `heartbeat.interval` or `promotion.scripts.before[1]`; empty for the file as a whole */
  path: string;
  line: number;
  column: number;
  wrong: string;
  allowed: string;
}

/** A problem whose place in the text is not looked up yet. */
export interface Unplaced {
  path: readonly (string | number)[];
  /** the place is that of the key itself, not of its value */
  atKey: boolean;
  wrong: string;
  allowed: string;
}

/** `['heartbeat', 'tests', 'commands', 0]` → `heartbeat.tests.commands[0]`. */
export function writePath(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`),
    '',
  );
}

/** A value as it is quoted in a sentence: one line, short. */
function quoted(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a group of keys';
  const text = String(value).replace(/\p{Cc}+/gu, ' ');
  return `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}

const valueAt = (value: unknown, path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (here, key) =>
      typeof here === 'object' && here !== null && Object.hasOwn(here, key) ? Reflect.get(here, key) : undefined,
    value,
  );

function wordingAt(value: unknown, path: readonly (string | number)[]) {
  const nodes = nodesAt(value, path);
  const worded = nodes.find(({ noun }) => noun !== undefined) ?? {};
  const constants = nodes.flatMap((node) => (node.oneOf ?? []).map((branch) => branch.properties?.kind?.const));
  const kinds = nodes.map((node) => node.const).filter((kind) => kind !== undefined);
  const allKinds = [...constants, ...kinds].filter((kind) => typeof kind === 'string');
  return {
    noun: worded.noun ?? (allKinds.length > 0 ? 'known here' : 'allowed here'),
    allowed: worded.allowed ?? (allKinds.length > 0 ? `a group with kind: ${allKinds.join(', ')}` : 'another value'),
    hide: nodes.some(({ hide }) => hide === true),
    words: nodes.flatMap((node) => node.enum ?? []).filter((item) => typeof item === 'string'),
  };
}

const meant = (text: string, known: readonly string[]): string => {
  const near = nearest(text, known);
  return near === null ? '' : `; did you mean \`${near}\`?`;
};

/** What an unknown key is answered. The known ones are named; there are never more than two dozen. */
function unknownKeys(root: unknown, path: readonly (string | number)[], keys: readonly string[]): Unplaced[] {
  const known = keysAt(root, path);
  return keys.map((key) => ({
    path: [...path, key],
    atKey: true,
    wrong: `the key ${quoted(key)} is not known here${meant(key, known)}`,
    allowed: known.join(', '),
  }));
}

function wrongValue(
  root: unknown,
  path: readonly (string | number)[],
  said: string | null,
  options?: unknown[],
): Unplaced {
  const value = valueAt(root, path);
  const { noun, allowed, hide, words } = wordingAt(root, path);
  const last = path.at(-1);
  if (value === undefined) {
    return { path, atKey: true, wrong: `the key \`${String(last)}\` is missing`, allowed };
  }
  if (value === null) {
    return { path, atKey: false, wrong: 'nothing stands here', allowed: `${allowed}; or leave the line out` };
  }
  const hint = typeof value === 'string' && !hide ? meant(value, options?.map(String) ?? words) : '';
  return { path, atKey: false, wrong: said ?? `${hide ? 'this' : quoted(value)} is not ${noun}${hint}`, allowed };
}

type Issue = z.core.$ZodIssue;
const keysOf = (path: readonly PropertyKey[]) => path.map((key) => (typeof key === 'number' ? key : String(key)));

/** Of a union's branches the one that the writer meant: whose complaint is not about the value's very form. */
function meantBranch(issue: Extract<Issue, { code: 'invalid_union' }>, value: unknown): readonly Issue[] | null {
  // a group is no misspelt word
  const forms = typeof value === 'object' ? ['invalid_type', 'invalid_value'] : ['invalid_type'];
  const fitting = issue.errors.filter(
    (issues) => !issues.some(({ path, code }) => path.length === 0 && forms.includes(code)),
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** One finding of the schema as sentences. */
function fromIssue(root: unknown, issue: Issue, above: readonly (string | number)[]): Unplaced[] {
  const path = [...above, ...keysOf(issue.path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys(root, path, issue.keys);
    case 'invalid_union': {
      const branch = meantBranch(issue, valueAt(root, path));
      if (branch !== null) return branch.flatMap((inner) => fromIssue(root, inner, path));
      if (issue.discriminator === undefined || !('options' in issue)) return [wrongValue(root, path, null)];
      return [{ ...wrongValue(root, path, null, issue.options), allowed: (issue.options ?? []).join(', ') }];
    }
    case 'custom': {
      const allowed = issue.params?.allowed;
      if (typeof allowed !== 'string') return [wrongValue(root, path, null)];
      return [{ path, atKey: false, wrong: issue.message, allowed }];
    }
    case 'too_big':
      if (issue.origin === 'array') return [wrongValue(root, path, 'the list is too long')];
      return [wrongValue(root, path, null)];
    default:
      return [wrongValue(root, path, null)];
  }
}

/** What the schema found, without places; each key is complained of once. */
export function fromIssues(root: unknown, issues: readonly Issue[]): Unplaced[] {
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => fromIssue(root, issue, []))
    .filter(({ path, atKey }) => {
      const key = JSON.stringify([path, atKey]);
      return !seen.has(key) && seen.add(key);
    });
}

/** One line for people: `estepe.yaml:4:13 heartbeat.interval: … Allowed: ….` */
export function problemLine(file: string, { path, line, column, wrong, allowed }: Problem): string {
  const stop = wrong.endsWith('?') ? '' : '.';
  return `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${wrong}${stop} Allowed: ${allowed}.`;
}

/** All problems as one error for the admin. */
export function problemsError(file: string, problems: readonly Problem[]): EstepeError {
  const lines = problems.slice(0, 10).map((problem) => problemLine(file, problem));
  if (problems.length > 10) lines.push(`… and ${problems.length - 10} more`);
  return new EstepeError(
    'config',
    `The configuration cannot be used:\n${lines.join('\n')}`,
    'correct these lines, then look again with `estepe config check`',
    { file, problems: [...problems] },
  );
}
