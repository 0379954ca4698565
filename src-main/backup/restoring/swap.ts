/**
 * Exchanges folders and files for new ones that stand beside them, by renames, so that a crash at any point leaves what the
 * journal can finish or take back. Must not know where the new ones come from.
 */
import { chmod, lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EstepeError } from '../../contract/errors.ts';
import { syncFolder } from '../archive/extract.ts';
import { codeOf } from '../archive/faults.ts';
import {
  foundOf,
  keptOf,
  type Place,
  removeJournal,
  type SwapJournal,
  stagedOf,
  writeJournal,
} from './swap-journal.ts';

/** For tests that die at one exact point: called before and after every step. */
export type Boundary = (name: string) => void;
const none: Boundary = () => {};

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** On Windows somebody (virus scanner, the PBX just stopped) may hold a file in it for a moment. */
async function move(from: string, to: string): Promise<void> {
  for (let left = 40; ; left--) {
    try {
      await rename(from, to);
      break;
    } catch (error) {
      if (process.platform !== 'win32' || left === 0 || !/^(?:EPERM|EACCES|EBUSY)$/.test(codeOf(error))) throw error;
      await pause(50);
    }
  }
  await syncFolder(dirname(to));
}

/** Lets the owner empty every folder below: what is restored may be read-only, and so was what it replaces. */
async function openUp(path: string): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openUp(join(path, name));
}

/** Removes all of it, read-only folders included. */
export async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!/^(?:EACCES|EPERM)$/.test(codeOf(error))) throw error;
    await openUp(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Puts all new ones in place. On a failure the caller undoes. */
export async function swapIn(state: SwapJournal, boundary: Boundary = none): Promise<void> {
  for (const [i, place] of state.places.entries()) {
    if (place.existed) {
      boundary(`before old ${i}`);
      await move(place.target, keptOf(state, place));
      boundary(`after old ${i}`);
    }
    await moveIn(state, place);
    boundary(`after new ${i}`);
  }
}

async function moveIn(state: SwapJournal, place: Place): Promise<void> {
  try {
    await move(stagedOf(state, place), place.target);
  } catch (error) {
    if (!/^(?:ENOTEMPTY|EEXIST|EISDIR|ENOTDIR)$/.test(codeOf(error))) throw error;
    throw new EstepeError(
      'backup',
      `${place.target} was made anew by somebody while it was exchanged.`,
      `stop what uses it in \`restore.before\`; what was made stands as ${foundOf(state, place)}: delete it when nobody misses it`,
      {},
      error,
    );
  }
}

/** Puts one old one back, whatever was done of its swap, and however often this is begun. */
async function putBack(state: SwapJournal, place: Place): Promise<void> {
  const [kept, staged] = [keptOf(state, place), stagedOf(state, place)];
  const moved = place.existed ? await exists(kept) : !(await exists(staged));
  if (!moved) return;
  // What stands there is the new one: the old one is kept, or there never was one. Or neither: a PBX that started in between makes
  // itself a folder where it finds none.
  if (await exists(place.target)) await move(place.target, (await exists(staged)) ? foundOf(state, place) : staged);
  if (place.existed) await move(kept, place.target);
}

/**
 * The old state again. Where some of it was swapped already or none, the journal says enough as it is (and the disk may be
 * full); where all was, it must first say that this is being undone.
 */
export async function undo(file: string, state: SwapJournal, boundary: Boundary = none): Promise<void> {
  if (state.phase === 'swapped') writeJournal(file, { ...state, phase: 'undoing' });
  boundary('undoing');
  for (const [i, place] of [...state.places.entries()].reverse()) {
    await putBack(state, place);
    boundary(`put back ${i}`);
  }
}

/** Removes the new ones that are not wanted. */
export async function removeStaged(state: SwapJournal): Promise<void> {
  for (const place of state.places) await remove(stagedOf(state, place));
}

/** It was decided for the new ones: the old ones go, the journal last. */
export async function removeKept(file: string, state: SwapJournal, boundary: Boundary = none): Promise<void> {
  for (const [i, place] of state.places.entries()) {
    await remove(keptOf(state, place));
    boundary(`removed ${i}`);
  }
  await removeJournal(file);
  boundary('journal removed');
}
