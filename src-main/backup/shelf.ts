/** The backups of one pair in a location: which there are, whether one still is what was made, which are too many. */
import { EstepeError } from '../contract/errors.ts';
import { isFuture } from '../contract/view.ts';
import type { Location, Progress, Stored } from './location.ts';
import { backupOfProof, isBackupOf, namesBegin, parseBackupName, proofNameOf } from './names.ts';
import { type Persistence, patiently } from './patience.ts';
import { differing, isVerified, type Proof, publishProof, readBack, readProof } from './proof.ts';

export interface Backup {
  name: string;
  /** wall clock when its data was current; to the second where only its name tells */
  createdAt: number;
  /** bytes */
  size: number;
  verified: boolean;
  proof: Proof | null;
}

export interface Shelf {
  location: Location;
  pair: string;
}

export const epochOf = ({ proof }: Backup): number => proof?.epoch ?? 0;

const byAge = (a: Backup, b: Backup): number => b.createdAt - a.createdAt || (a.name < b.name ? 1 : -1);

async function backupOf({ location, pair }: Shelf, stored: Stored, hasProof: boolean, signal: AbortSignal) {
  const proof = hasProof ? await readProof(location, stored.name, signal) : null;
  // A proof of another pair: its name only looks like ours.
  if (proof !== null && proof.pair !== pair) return null;
  const createdAt = proof?.createdAt ?? parseBackupName(stored.name)?.createdAt ?? 0;
  return { name: stored.name, createdAt, size: stored.size, verified: isVerified(pair, stored, proof), proof };
}

/** Newest first. Throws LocationError. */
export async function listBackups(shelf: Shelf, signal: AbortSignal): Promise<Backup[]> {
  const all = await shelf.location.list(namesBegin(shelf.pair), signal);
  const names = new Set(all.map(({ name }) => name));
  const backups: Backup[] = [];
  for (const stored of all) {
    if (!isBackupOf(shelf.pair, stored.name)) continue;
    const backup = await backupOf(shelf, stored, names.has(proofNameOf(stored.name)), signal);
    if (backup !== null) backups.push(backup);
  }
  return backups.sort(byAge);
}

/**
 * Reads one backup whole and says in its proof when that was. One that differs loses its word.
 * @param name null: the newest
 * @throws EstepeError `not-found`, `backup` when it differs or was never proven; LocationError
 */
export async function verifyBackup(
  shelf: Shelf,
  name: string | null,
  how: Persistence,
  onProgress: (progress: Progress) => void,
): Promise<Proof> {
  const { location, pair } = shelf;
  const { signal, clock } = how;
  const backups = await patiently(() => listBackups(shelf, signal), how);
  const backup = name === null ? backups[0] : backups.find((one) => one.name === name);
  if (backup === undefined) {
    const what = name === null ? `There is no backup of ${pair}` : `There is no backup ${name} of ${pair}`;
    throw new EstepeError('not-found', `${what} in ${location.title}.`, '`estepe backup list` shows those there are');
  }
  const { proof } = backup;
  if (proof === null) {
    throw new EstepeError(
      'backup',
      `Beside ${backup.name} stands no proof of what was made, so there is nothing to hold it against.`,
      'make another backup with `estepe backup run`',
      { name: backup.name },
    );
  }
  try {
    await readBack(location, proof, how, { signal, onProgress });
  } catch (error) {
    if (error instanceof EstepeError && error.detail.fault === differing) {
      await patiently(() => publishProof(location, { ...proof, verifiedAt: null }, signal), how);
    }
    throw error;
  }
  const proven = { ...proof, verifiedAt: clock.wall() };
  await patiently(() => publishProof(location, proven, signal), how);
  return proven;
}

/**
 * Which backups are too many: verified ones behind the `keep` that would be restored first, and what is older than all that stays. Never
 * the one just made, and nothing at all while none is verified. So a node of a lower epoch, that still makes them, pushes nothing out
 * that the active made; and those dated in the future, which are restored last, neither count nor go.
 * @param backups newest first
 * @param now wall clock
 */
export function tooMany(backups: readonly Backup[], keep: number, made: string, now: number): Backup[] {
  const present = backups.filter(({ createdAt }) => !isFuture(createdAt, now));
  const verified = present.filter((backup) => backup.verified).sort((a, b) => epochOf(b) - epochOf(a) || byAge(a, b));
  const kept = verified.slice(0, Math.max(1, keep));
  if (kept.length === 0 || verified.length < keep) return [];
  const isOlder = (backup: Backup): boolean => kept.every((one) => byAge(backup, one) > 0);
  return present.filter(
    (backup) => backup.name !== made && !kept.includes(backup) && (backup.verified || isOlder(backup)),
  );
}

/**
 * Removes what is too many, each with its proof behind it, and proofs whose backup is gone.
 * @returns names of the backups removed
 * @throws LocationError
 */
export async function rotate(shelf: Shelf, keep: number, made: string, how: Persistence): Promise<string[]> {
  const { location, pair } = shelf;
  const { signal } = how;
  const backups = await patiently(() => listBackups(shelf, signal), how);
  const removed: string[] = [];
  for (const { name } of tooMany(backups, keep, made, how.clock.wall())) {
    await patiently(() => removeBackup(location, name, signal), how);
    removed.push(name);
  }
  const all = new Set((await patiently(() => location.list(namesBegin(pair), signal), how)).map(({ name }) => name));
  for (const name of all) {
    const backup = backupOfProof(name);
    if (backup === null || !isBackupOf(pair, backup) || all.has(backup)) continue;
    await patiently(() => location.remove(name, signal), how);
  }
  return removed;
}

/** First the backup: a proof alone is never taken for one. */
export async function removeBackup(location: Location, name: string, signal: AbortSignal): Promise<void> {
  await location.remove(name, signal);
  await location.remove(proofNameOf(name), signal);
}
