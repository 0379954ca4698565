/**
 * Changes estepe.yaml as a careful person would: one value in the text with every comment kept, and the file replaced
 * whole or not at all. Must not know who asks for the change.
 */
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Document, isScalar, parseDocument, stringify } from 'yaml';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { writeAtomically } from './atomic-file.ts';
import { setInPlace } from './edit-in-place.ts';
import { configFileName } from './load.ts';
import { problemsError, writePath } from './problems.ts';
import { checkText, isTooLarge } from './text.ts';

/**
 * Writes `<data>/estepe.yaml`: after a crash or a power cut the old text stands there or the new one, never half.
 * Readable by its owner alone.
 * @throws EstepeError `config` when the text is no valid configuration, `data-folder` when it cannot be written; the
 * file is untouched then
 */
export function writeConfig(dataFolder: string, text: string): void {
  const file = join(dataFolder, configFileName);
  const checked = checkText(text);
  if (!checked.ok) throw problemsError(basename(file), checked.problems);
  try {
    writeAtomically(file, text);
  } catch (error) {
    throw new EstepeError(
      'data-folder',
      `The configuration ${file} cannot be written: ${sentenceOf(error)}. The old one still stands.`,
      'check the free space and that this user may write there',
      { file },
      error,
    );
  }
}

type Path = readonly (string | number)[];
type PlainValue = string | number | boolean;

const parse = (text: string): Document => parseDocument(text, { version: '1.2', logLevel: 'error' });

/** The text with one value exchanged and nothing else touched; null where that cannot be done so simply. */
function exchanged(text: string, document: Document, path: Path, value: PlainValue): string | null {
  const node = document.getIn(path, true);
  if (!isScalar(node) || !node.range || node.range[0] === node.range[1]) return null;
  const written = stringify(value, { lineWidth: 0 }).trimEnd();
  const [start, end] = node.range;
  // A comment that stands in a column stays there as long as it can.
  const blanks = /^( {2,})#/.exec(text.slice(end))?.[1]?.length ?? 0;
  const left = blanks === 0 ? 0 : Math.max(1, blanks - (written.length - (end - start)));
  const spliced = text.slice(0, start) + written + ' '.repeat(left) + text.slice(end + blanks);
  const after = parse(spliced);
  document.setIn(path, value);
  // Quotes that are enough on a line of their own may not be inside { } or [ ]: then the text says something else.
  return after.errors.length === 0 && isDeepStrictEqual(after.toJS(), document.toJS()) ? spliced : null;
}

/** The same for whole entries: written, taken out, or written anew, and every other line as it was. */
function inPlace(text: string, path: Path, value: unknown): string | null {
  const document = parse(text);
  const placed = setInPlace(text, document, path, value);
  if (placed === null) return null;
  try {
    if (value !== undefined) document.setIn(path, document.createNode(value));
    else if (document.hasIn(path)) document.deleteIn(path);
  } catch {
    // said by the way that does not mind the lines
    return null;
  }
  const after = parse(placed);
  return after.errors.length === 0 && isDeepStrictEqual(after.toJS(), document.toJS()) ? placed : null;
}

/** What a text says, key by key; null where it is no YAML or far too much. */
export function writtenIn(text: string): unknown {
  if (isTooLarge(text)) return null;
  try {
    const document = parse(text);
    return document.errors.length > 0 ? null : (document.toJS({ maxAliasCount: 100 }) as unknown);
  } catch {
    return null;
  }
}

/**
 * The text of a configuration with one value set, comments and order kept. Groups on the way are made where missing.
 * The result is not checked; `writeConfig` does that.
 * @param path such as `['heartbeat', 'interval']`
 * @param value what shall stand there, as written (`'30s'`); `undefined` takes the key out
 * @throws EstepeError `config` when the text is no YAML or the path leads through a plain value
 */
export function setInText(text: string, path: Path, value: unknown): string {
  const document = parse(text);
  const trouble = document.errors[0];
  if (trouble) {
    throw new EstepeError(
      'config',
      `The configuration is not YAML: ${trouble.message}`,
      'correct the file by hand first',
    );
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    const simple = exchanged(text, document, path, value);
    if (simple !== null) return simple;
  }
  const placed = inPlace(text, path, value);
  if (placed !== null) return placed;
  try {
    if (value === undefined) document.deleteIn(path);
    else document.setIn(path, document.createNode(value));
  } catch (error) {
    throw new EstepeError(
      'config',
      `\`${writePath(path)}\` cannot be set: ${sentenceOf(error)}`,
      'name a key that stands in a group',
      {},
      error,
    );
  }
  return document.toString({ lineWidth: 0 });
}
