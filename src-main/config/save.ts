/**
 * Saves a configuration for somebody who has seen the one of before: only over the very content they saw, whole or not at all, and
 * what stood there is kept beside it. Must not know who asks.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { cleanLeftovers, writeAtomically } from './atomic-file.ts';
import { writeConfig } from './edit.ts';
import { checkBytes, configFileName } from './load.ts';
import { type Problem, problemLine } from './problems.ts';
import { checkText } from './text.ts';

/** Where the file of before is kept; one, that of the last saving. */
export const keptFileName = 'estepe.before.yaml';

/** The file as it stands. `mark` is of its bytes; empty: there is none. */
export interface Standing {
  mark: string;
  /** null: none, or no text */
  text: string | null;
}

/** @throws EstepeError `config` when it is there and cannot be read */
export function standingFile(dataFolder: string): Standing {
  const file = join(dataFolder, configFileName);
  try {
    const bytes = readFileSync(file);
    return { mark: createHash('sha256').update(bytes).digest('hex'), text: checkBytes(bytes).text };
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return { mark: '', text: null };
    throw new EstepeError(
      'config',
      `The configuration ${file} cannot be read: ${sentenceOf(error)}.`,
      'check that it is a file and that this user may read it',
      { file },
      error,
    );
  }
}

export type SaveEnd =
  | { saved: true; mark: string; kept: string | null }
  | { saved: false; refusedBy: 'changed'; mark: string }
  | { saved: false; refusedBy: 'problems'; mark: string; problems: readonly Problem[] };

/** The first problem on its line, and how many more there are. */
export function firstProblem(problems: readonly Problem[]): string {
  const [first, ...more] = problems;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return first ? `${problemLine(configFileName, first)}${rest}` : 'It cannot be read.';
}

/**
 * Writes `text` if the file still is the one that `base` marks. Reading, comparing and writing happen without a pause in between; a
 * program that writes in the same millisecond is found by nobody.
 * @param base mark of what the writer saw; empty: that there was none
 * @throws EstepeError `config` when the old one cannot be read, `data-folder` when it cannot be kept or the new one not written; the
 * old one stands then
 */
export function saveConfig(dataFolder: string, text: string, base: string): SaveEnd {
  const checked = checkText(text);
  const { mark, text: before } = standingFile(dataFolder);
  if (mark !== base) return { saved: false, refusedBy: 'changed', mark };
  if (!checked.ok) return { saved: false, refusedBy: 'problems', mark, problems: checked.problems };
  const kept = mark === '' ? null : join(dataFolder, keptFileName);
  cleanLeftovers(dataFolder, keptFileName);
  if (kept !== null && before !== null) {
    try {
      writeAtomically(kept, before);
    } catch (error) {
      throw new EstepeError(
        'data-folder',
        `The configuration of before could not be kept as ${kept}, so nothing was written: ${sentenceOf(error)}.`,
        `check the free space, the rights of that folder, and what stands at ${basename(kept)}`,
        { file: kept },
        error,
      );
    }
  }
  writeConfig(dataFolder, text);
  return { saved: true, mark: standingFile(dataFolder).mark, kept };
}
