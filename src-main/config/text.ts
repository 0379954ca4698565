/**
 * From the text of an estepe.yaml to a configuration or to problems with line and column. Any text gives one of the
 * two: never a throw, never a hang. Must not know files.
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { sentenceOf } from '../contract/errors.ts';
import { type Blemish, blemishes, type Place, placeAt, placeOf } from './places.ts';
import { fromIssues, type Problem, writePath } from './problems.ts';
import { type Config, configSchema } from './schema.ts';

/**
 * More than this is no configuration (the commented example has 3 KiB). Parsing 64 KiB of the worst text took 0.15 s,
 * 1 MiB several seconds, and it happens on the engine's thread.
 */
export const maxBytes = 64 * 1024;
/** How often `*anchors` may be used in all, nested ones multiplied: against alias bombs. */
const maxAliases = 100;

export const isTooLarge = (text: string): boolean => Buffer.byteLength(text) > maxBytes;

/** `text` as checked: a configuration, or everything that is wrong with it. */
export type Checked = { ok: true; config: Config } | { ok: false; problems: Problem[] };

/** What a file over the bound is told. */
export const tooLarge = ['the file is larger than 64 KiB', 'a configuration of a few kilobytes'] as const;

const whole = (wrong: string, allowed: string, place: Place = { line: 1, column: 1 }): Checked => ({
  ok: false,
  problems: [{ path: '', ...place, wrong, allowed }],
});

/** The sentences for what YAML itself refuses; other codes keep the parser's own words. */
const yamlSentences: Readonly<Record<string, readonly [wrong: string, allowed: string]>> = {
  TAB_AS_INDENT: ['a tab stands where the line is indented', 'blanks only, two for each level'],
  BAD_INDENT: [
    'the indentation fits no group above',
    'the keys of one group under each other, two blanks for each level',
  ],
  MULTIPLE_DOCS: ['a second document begins here', 'one document, without `---` in between'],
  BLOCK_AS_IMPLICIT_KEY: ['this cannot be read', '`key: value`, with text that holds `: ` in quotes'],
  MISSING_CHAR: ['a closing sign or a `:` is missing', '`key: value`, and brackets and quotes closed again'],
  KEY_OVER_1024_CHARS: ['this key is too long', 'the known keys'],
  TAG_RESOLVE_FAILED: ['a tag (`!name`) cannot be used here', 'plain values without a tag'],
  UNEXPECTED_TOKEN: ['this cannot be read', '`key: value`, with special signs in quotes'],
};

function fromYaml(error: YAMLError, lines: LineCounter): Problem {
  const [wrong, allowed] = yamlSentences[error.code] ?? [
    // The parser repeats what it was given, whatever that is.
    error.message
      .split('\n')[0]
      ?.replace(/\p{Cc}/gu, '\uFFFD')
      .trim() ?? 'this cannot be read',
    'YAML as in `estepe config example`',
  ];
  return { path: '', ...placeAt(lines, error.pos[0]), wrong, allowed };
}

const tooManyAliases = ['too many `*aliases` are used', `at most ${maxAliases}, nested ones multiplied`] as const;

function fromBlemish(blemish: Blemish): Problem {
  if (blemish.kind === 'doubled-key') {
    const { key, first, place } = blemish;
    const wrong = `the key \`${key}\` stands twice, the first time on line ${first.line}`;
    return { path: key, ...place, wrong, allowed: 'each key once in its group' };
  }
  const [wrong, allowed] =
    blemish.kind === 'lost-alias'
      ? ['this `*name` points to nothing', 'a name that was set before with `&name`']
      : tooManyAliases;
  return { path: '', ...blemish.place, wrong, allowed };
}

function check(text: string): Checked {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    strict: true,
    version: '1.2',
    logLevel: 'error',
  });
  const refused = [...document.errors, ...document.warnings];
  if (refused.length > 0) {
    const problems = refused.slice(0, 20).map((error) => fromYaml(error, lines));
    // One slip makes the parser complain more than once at the same place.
    return { ok: false, problems: problems.filter((one, i) => i === 0 || !isDeepStrictEqual(one, problems[i - 1])) };
  }
  const found = blemishes(document, lines, maxAliases).slice(0, 20);
  if (found.length > 0) return { ok: false, problems: found.map(fromBlemish) };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    return whole('the file is empty', 'at least `role` and `pair`; see `estepe config example`');
  }
  if (!isMap(document.contents)) {
    return whole('the file holds no keys', 'keys at the left margin, such as `role: passive`');
  }
  const value: unknown = document.toJS({ maxAliasCount: maxAliases });
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return { ok: true, config: parsed.data };
  const problems = fromIssues(value, parsed.error.issues).map((found) => ({
    path: writePath(found.path),
    ...placeOf(document, lines, found.path, found.atKey),
    wrong: found.wrong,
    allowed: found.allowed,
  }));
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/**
 * Checks the text of a configuration.
 * @param text what stands in the file, a byte order mark allowed
 */
export function checkText(text: string): Checked {
  if (isTooLarge(text)) return whole(...tooLarge);
  try {
    return check(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    // The parser gives up by throwing on alias bombs (ReferenceError) and on nesting (RangeError).
    if (error instanceof ReferenceError) return whole(...tooManyAliases);
    return whole(
      `this cannot be read (${sentenceOf(error).replace(/\p{Cc}/gu, '\uFFFD')})`,
      'YAML as in `estepe config example`',
    );
  }
}
