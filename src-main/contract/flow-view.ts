/** The way of the data as a screen shows it, from backup to restore. Pure; words are the caller's. */
import type { BackupsView } from './backups.ts';
import type { Standing } from './view.ts';

export type FlowStep =
  | { id: 'backup'; tone: Standing; says: 'no-location' | 'none' | 'not-read' }
  | { id: 'backup'; tone: Standing; says: 'verified' | 'unverified'; ageMs: number }
  | { id: 'location'; tone: Standing; says: 'no-location' | 'not-read' | 'reading' }
  | { id: 'location'; tone: Standing; says: 'read' | 'unread'; ageMs: number | null }
  | { id: 'restore'; tone: Standing; says: 'none' | 'failed' | 'not-kept' }
  | { id: 'restore'; tone: Standing; says: 'restored' | 'restored-then-failed'; ageMs: number };

/** Newest backup, where it is stored, and what was restored here, in this order. */
export function flowOf(backups: BackupsView, now: number): FlowStep[] {
  return [backupStep(backups, now), locationStep(backups, now), restoreStep(backups, now)];
}

const since = (at: number, now: number): number => Math.max(0, now - at);

function backupStep({ location, rows, listedAt }: BackupsView, now: number): FlowStep {
  if (location === null) return { id: 'backup', tone: 'off', says: 'no-location' };
  const [newest] = rows;
  if (newest === undefined) {
    return listedAt === null
      ? { id: 'backup', tone: 'off', says: 'not-read' }
      : { id: 'backup', tone: 'alarm', says: 'none' };
  }
  const ageMs = since(newest.createdAt, now);
  return newest.verified
    ? { id: 'backup', tone: 'good', says: 'verified', ageMs }
    : { id: 'backup', tone: 'attention', says: 'unverified', ageMs };
}

function locationStep({ location, listedAt, listing, listTrouble }: BackupsView, now: number): FlowStep {
  if (location === null) return { id: 'location', tone: 'off', says: 'no-location' };
  if (listTrouble !== null) {
    return { id: 'location', tone: 'alarm', says: 'unread', ageMs: listedAt === null ? null : since(listedAt, now) };
  }
  if (listedAt === null)
    return listing
      ? { id: 'location', tone: 'busy', says: 'reading' }
      : { id: 'location', tone: 'off', says: 'not-read' };
  return { id: 'location', tone: 'good', says: 'read', ageMs: since(listedAt, now) };
}

function restoreStep({ location, restored, last }: BackupsView, now: number): FlowStep {
  const failed = last.restore !== null && !last.restore.ok && !last.restore.cancelled;
  if (restored === null) {
    if (failed) return { id: 'restore', tone: 'alarm', says: 'failed' };
    return {
      id: 'restore',
      tone: location === null ? 'off' : 'attention',
      says: location === null ? 'not-kept' : 'none',
    };
  }
  const ageMs = since(restored.restoredAt, now);
  return failed
    ? { id: 'restore', tone: 'alarm', says: 'restored-then-failed', ageMs }
    : { id: 'restore', tone: 'good', says: 'restored', ageMs };
}
