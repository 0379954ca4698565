/**
 * Restores folders and files from an archive: extracted beside their targets, proven, then swapped in; on any failure the old
 * ones stand there again. A crash at any point is ended by `recoverFolders` in the old or the new state, never half.
 */
import { randomBytes } from 'node:crypto';
import { lstat, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, isAbsolute, relative } from 'node:path';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import { extractArchive, type Watch } from '../archive/archive.ts';
import type { Key } from '../archive/encryption.ts';
import { ArchiveError, codeOf } from '../archive/faults.ts';
import type { Manifest } from '../archive/manifest.ts';
import type { Expectation, Proven } from '../archive/read-archive.ts';
import { mountWithin } from './mounts.ts';
import { type Boundary, removeKept, removeStaged, swapIn, undo } from './swap.ts';
import { readJournal, removeJournal, type SwapJournal, stagedOf, writeJournal } from './swap-journal.ts';

/** The site's own commands around the swap. Each throws when one of its commands fails. */
export interface Around {
  /** stops what uses the folders */
  before(): Promise<void>;
  /** loads what was dumped, starts what was stopped; also run after a restore was taken back */
  after(): Promise<void>;
}

export interface FolderRestore {
  /** the archive, on this machine */
  file: string;
  key: Key | null;
  expect: Expectation;
  /** where an encrypted archive may be decrypted into; must not exist yet */
  scratch: string;
  /** absolute path of the journal; one restore at a time */
  journal: string;
  /** where each root goes, by the path it had on the node that made the backup; the archive itself decides nothing */
  targets: ReadonlyMap<string, string>;
  around: Around;
  boundary?: Boundary;
}

export interface Restored {
  proven: Proven;
  /** how many files belong to somebody else than they did: this process may not give files away */
  ownersLost: number;
  /** what is named in `targets` and not held by the backup: it stands as it did */
  notHeld: string[];
}

function refuse(message: string, todo: string, cause?: unknown): never {
  throw new EstepeError('backup', message, todo, {}, cause);
}

function refuseMount(mount: string, target: string): never {
  const todo =
    mount === target
      ? 'name a folder below it in `backup.source`'
      : `name the folders beside it in \`backup.source\` instead of ${target}, or unmount it here`;
  refuse(`${mount} is a mount of its own and cannot be exchanged.`, todo);
}

async function requireNoMounts(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    const mount = await mountWithin(target);
    if (mount !== null) refuseMount(mount, target);
  }
}

/** A block for every file and folder, and something to go on with. */
const perItemBytes = 4096;
const reserveBytes = 16 * 1024 * 1024;

/**
 * Its journal, history and standing would be exchanged for those of the node that made the backup: then this one would take itself
 * for the active, too.
 */
async function requireNotOurs(target: string, journal: string): Promise<void> {
  const real = await realpath(target).catch(() => target);
  const below = relative(real, await realpath(dirname(journal)));
  if (below.startsWith('..') || isAbsolute(below)) return;
  refuse(`${target} holds Estepe's own data folder.`, 'name the folders beside it in `backup.source` instead');
}

/**
 * The targets, each on a file system with room for all of it beside what is there, and one that renames can reach: put into `state`.
 * @returns where their new ones are put, by root id
 */
async function plan(manifest: Manifest, { targets, journal }: FolderRestore, state: SwapJournal) {
  const into = new Map<string, string>();
  const needed = new Map<number, { bytes: number; folder: string }>();
  for (const root of manifest.roots) {
    // A folder may be written with a slash at its end there and without one here.
    const target = targets.get(root.path) ?? targets.get(root.path.replace(/[\\/]+$/, ''));
    if (target === undefined || !isAbsolute(target)) {
      throw new ArchiveError('unsafe', `It holds ${root.path}, which the configuration here does not name.`);
    }
    const parent = dirname(target);
    const above = await stat(parent).catch((error: unknown) =>
      refuse(`The folder ${parent} is not there (${codeOf(error)}).`, 'create it, or correct the configuration', error),
    );
    const there = await lstat(target).catch(() => null);
    if (there !== null && there.dev !== above.dev) refuseMount(target, target);
    if (there?.isSymbolicLink()) {
      refuse(`${target} is a link.`, 'name the folder it points to');
    }
    await requireNoMounts([target]);
    await requireNotOurs(target, journal);
    if ((await lstat(parent)).isFile()) refuse(`${parent} is a file.`, 'correct the configuration');
    const place = { target, existed: there !== null };
    state.places.push(place);
    into.set(root.id, stagedOf(state, place));
    const items = manifest.items.filter(({ path }) => path === root.id || path.startsWith(`${root.id}/`));
    const bytes = items.reduce((sum, item) => sum + perItemBytes + (item.kind === 'file' ? item.size : 0), 0);
    const before = needed.get(above.dev)?.bytes ?? 0;
    needed.set(above.dev, { bytes: before + bytes, folder: parent });
  }
  for (const { bytes, folder } of needed.values()) {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free >= bytes + reserveBytes) continue;
    const missing = Math.ceil((bytes + reserveBytes - free) / 1_048_576);
    throw new ArchiveError('disk', `On the disk of ${folder} ${missing} MiB are missing for the restore.`);
  }
  return into;
}

/**
 * Restores. When it rejects, the old state is there, and the error says why.
 * @throws EstepeError (an ArchiveError when it is the archive's or the disk's fault)
 */
export async function restoreFolders(what: FolderRestore, watch: Watch): Promise<Restored> {
  const { file, key, expect, scratch, journal, around, boundary = () => {} } = what;
  const open = readJournal(journal);
  if (open?.phase === 'cleaning') await removeKept(journal, open);
  else if (open !== null) {
    refuse('Another restore of folders has not ended here.', 'wait for it, or start Estepe anew: it then ends it');
  }
  const reading = { file, key, scratch, expect };
  const state: SwapJournal = { id: randomBytes(6).toString('hex'), phase: 'staging', places: [] };
  let begun = false;
  const turn = (phase: SwapJournal['phase']): void => {
    writeJournal(journal, { ...state, phase });
    state.phase = phase;
    boundary(phase);
  };
  const cancelled = (): void => {
    if (watch.signal.aborted) throw new ArchiveError('disk', 'It was cancelled.');
  };
  const placing = async ({ manifest }: Proven): Promise<ReadonlyMap<string, string>> => {
    const into = await plan(manifest, what, state);
    cancelled();
    begun = true;
    turn('staging');
    return into;
  };
  let done: Omit<Restored, 'notHeld'>;
  try {
    done = await extractArchive(reading, placing, watch);
    boundary('staged');
    cancelled();
    turn('stopping');
    await around.before();
    boundary('stopped');
    await requireNoMounts(state.places.map(({ target }) => target));
    turn('swapping');
    await swapIn(state, boundary);
    turn('swapped');
    await around.after();
    boundary('after done');
    turn('cleaning');
  } catch (error) {
    if (begun) await takeBack(journal, state, around, error);
    throw error;
  }
  // Decided: what cannot be removed now is removed by the next restore or the next start.
  await removeKept(journal, state, boundary).catch(() => {});
  const held = new Set(done.proven.manifest.roots.map(({ path }) => path.replace(/[\\/]+$/, '')));
  const notHeld = [...what.targets.keys()].filter((path) => !held.has(path.replace(/[\\/]+$/, '')));
  return { proven: done.proven, ownersLost: done.ownersLost, notHeld };
}

/** The old state again after a failure. @throws EstepeError when even that fails: then the journal stays for the next start */
async function takeBack(journal: string, state: SwapJournal, around: Around, because: unknown): Promise<void> {
  try {
    if (state.phase !== 'staging') await undo(journal, state);
    await removeStaged(state);
  } catch (error) {
    refuse(
      `${sentenceOf(because)} Then the old folders could not be put back: ${sentenceOf(error)}.`,
      'free the disk or the folders, then start Estepe anew: it goes on with putting them back',
      error,
    );
  }
  // What `before` stopped must run again, and what `after` had loaded must be the old data again.
  const failed = state.phase === 'staging' ? null : await around.after().then(() => null, sentenceOf);
  await removeJournal(journal);
  if (failed !== null) {
    refuse(
      `${sentenceOf(because)} The old folders are back, but what follows a restore failed: ${failed}`,
      'run the commands of `restore.after` by hand',
    );
  }
}

export interface Recovered {
  ended: 'old' | 'new';
  sentence: string;
}

/**
 * Ends a restore that a crash cut off; to be called before anything else is restored or promoted.
 * @param serving this node is the active one: nothing is exchanged under the PBX
 * @param decided called when it is decided for the new ones, before the journal goes; must not throw
 * @returns null when there is none
 * @throws EstepeError when it cannot be ended; the journal stays, and calling again goes on
 */
export async function recoverFolders(
  journal: string,
  around: Around,
  serving: boolean,
  decided: () => void = () => {},
): Promise<Recovered | null> {
  const state = readJournal(journal);
  if (state === null) return null;
  const old = 'a restore that was cut off was taken back: the folders are as they were before it';
  // On the active they hold what it serves with since: taken back, or loaded anew by `after`, that would be gone.
  if (serving && state.phase !== 'staging' && state.phase !== 'cleaning') {
    refuse(
      'A restore was cut off here, and this node is the active one: what stands here now is what it serves with, so it stays.',
      'look beside the restored folders for names ending in -old and -new; when nothing of them is missed, delete them and ' +
        journal,
    );
  }
  switch (state.phase) {
    case 'cleaning':
      decided();
      await removeKept(journal, state);
      return {
        ended: 'new',
        sentence: 'a restore was done when it was cut off: only the old folders were left to remove',
      };
    case 'swapped':
      // All new files are there. Whether `after` ran to its end nobody knows: it runs once more.
      try {
        await around.after();
        writeJournal(journal, { ...state, phase: 'cleaning' });
      } catch (error) {
        await takeBack(journal, state, around, error);
        return { ended: 'old', sentence: `${old}, since it could not be finished: ${sentenceOf(error)}` };
      }
      decided();
      await removeKept(journal, state);
      return { ended: 'new', sentence: 'a restore that was cut off after its swap was finished' };
    case 'staging':
      await removeStaged(state);
      break;
    default:
      await undo(journal, state);
      await removeStaged(state);
      await around.after();
  }
  await removeJournal(journal);
  return { ended: 'old', sentence: old };
}
