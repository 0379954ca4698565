/**
 * What a restore of folders is about, on the disk before it is done: whoever starts next reads here what to finish or to take
 * back. Must not know archives.
 */
import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../../config/atomic-file.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import { syncFolder } from '../archive/extract.ts';

/**
 * - `staging`: new files are being put beside the old ones, which are untouched
 * - `stopping`: the site's `before` runs or has run
 * - `swapping`: some folders may be new, some old
 * - `swapped`: all are new; the site's `after` runs or has run
 * - `undoing`: they are being put back
 * - `cleaning`: it is decided for the new ones, only the old ones have to go
 */
const phases = ['staging', 'stopping', 'swapping', 'swapped', 'undoing', 'cleaning'] as const;

const journal = z.object({
  id: z.string().regex(/^[0-9a-f]{8,32}$/),
  phase: z.enum(phases),
  places: z.array(
    z.object({
      /** the folder or file that the PBX uses */
      target: z.string(),
      /** whether it was there before */
      existed: z.boolean(),
    }),
  ),
});
export type SwapJournal = z.infer<typeof journal>;
export type Place = SwapJournal['places'][number];

/** The new one until it is swapped in, and again when it was taken back. Beside its target: on the same file system. */
export const stagedOf = ({ id }: SwapJournal, { target }: Place): string => `${target}.estepe-${id}-new`;
/** The old one while it is not yet sure that it is not needed again. */
export const keptOf = ({ id }: SwapJournal, { target }: Place): string => `${target}.estepe-${id}-old`;

/** What somebody made in its place between the two renames: nobody's to remove. */
export const foundOf = ({ id }: SwapJournal, { target }: Place): string => `${target}.estepe-${id}-found`;

/** Durable when it returns. */
export function writeJournal(file: string, state: SwapJournal): void {
  writeAtomically(file, JSON.stringify(state));
}

/** What is under way, or null. @throws EstepeError `backup` when it is not readable: then nothing may be guessed */
export function readJournal(file: string): SwapJournal | null {
  try {
    return journal.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return null;
    throw new EstepeError(
      'backup',
      `The journal of a restore that was cut off, ${file}, is not readable: ${sentenceOf(error)}.`,
      'look for names ending in -old beside the restored folders, put them back by hand, then delete that file',
      {},
      error,
    );
  }
}

/** Durable when it resolves. */
export async function removeJournal(file: string): Promise<void> {
  rmSync(file, { force: true });
  await syncFolder(dirname(file));
}
