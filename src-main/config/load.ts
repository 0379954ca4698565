/**
 * Reads `<data>/estepe.yaml`: bytes to text, text to a configuration. Must not know who asks or what is done with it.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { cleanLeftovers } from './atomic-file.ts';
import { type Problem, problemsError } from './problems.ts';
import type { Config } from './schema.ts';
import { type Checked, checkText, maxBytes, tooLarge } from './text.ts';

export const configFileName = 'estepe.yaml';

/** A configuration with the text it came from. */
export interface Loaded {
  file: string;
  text: string;
  config: Config;
}

/** What reading a file gave. `text` is null where the bytes are no text. Never half of it: a file is read at once. */
export type FileChecked = { file: string; text: string | null } & Checked;

const atStart = (wrong: string, allowed: string, line = 1): Checked & { ok: false } => ({
  ok: false,
  problems: [{ path: '', line, column: 1, wrong, allowed }],
});

/** Bytes as text, or what is wrong with them. */
function decode(bytes: Buffer): string | (Checked & { ok: false }) {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16)
    return atStart('the file is UTF-16 (what Notepad calls Unicode)', 'UTF-8; save it again with that encoding');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    let line = 1;
    let start = 0;
    // Line by line, only to say where; a line break cannot be part of another sign in UTF-8.
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, start)) {
      try {
        decoder.decode(bytes.subarray(start, end));
      } catch {
        break;
      }
      start = end + 1;
      line++;
    }
    return atStart('this line is not UTF-8', 'UTF-8; save it again with that encoding', line);
  }
}

/** Checks the bytes of a configuration file. Never throws. */
export function checkBytes(bytes: Buffer): { text: string | null } & Checked {
  if (bytes.length > maxBytes) {
    return { text: null, ...atStart(...tooLarge) };
  }
  const text = decode(bytes);
  return typeof text === 'string' ? { text, ...checkText(text) } : { text: null, ...text };
}

/** At most one byte more than is allowed, so that a huge or endless file costs nothing. */
function readBounded(file: string): Buffer {
  const fd = openSync(file, 'r');
  try {
    if (!fstatSync(fd).isFile()) throw new Error('it is not a file');
    const bytes = Buffer.allocUnsafe(maxBytes + 1);
    let length = 0;
    while (length < bytes.length) {
      const got = readSync(fd, bytes, length, bytes.length - length, null);
      if (got === 0) break;
      length += got;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads and checks a configuration file.
 * @throws EstepeError `config` when it is missing or cannot be read; what is wrong inside is an answer
 */
export function checkFile(file: string): FileChecked {
  let bytes: Buffer;
  try {
    bytes = readBounded(file);
  } catch (error) {
    const missing = error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
    throw missing
      ? new EstepeError(
          'config',
          `There is no configuration: ${file} does not exist.`,
          'write one: `estepe config example` prints a commented one to start from',
          { file },
        )
      : new EstepeError(
          'config',
          `The configuration ${file} cannot be read: ${sentenceOf(error)}.`,
          'check that it is a file and that this user may read it',
          { file },
          error,
        );
  }
  return { file, ...checkBytes(bytes) };
}

/**
 * The configuration of a data folder. Also removes what an interrupted write left beside it.
 * @throws EstepeError `config`, with the problems in `detail.problems`
 */
export function loadConfig(dataFolder: string): Loaded {
  cleanLeftovers(dataFolder, configFileName);
  const checked = checkFile(join(dataFolder, configFileName));
  if (!checked.ok || checked.text === null) throw problemsError(basename(checked.file), problemsOf(checked));
  return { file: checked.file, text: checked.text, config: checked.config };
}

const problemsOf = (checked: Checked): Problem[] => (checked.ok ? [] : checked.problems);
