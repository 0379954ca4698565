/**
 * The highest epoch that was seen anywhere, kept over a restart of the engine: a claim made while nobody can be asked must not take an
 * epoch that another node was active under, even if that was seen in an earlier life. Only claims ask it; whether another node is active
 * NOW is never concluded from it, since what was seen may have been given back.
 */
import type { Store } from '../engine/ports.ts';

const key = 'epochSeen';

export function epochSeen(store: Pick<Store, 'recall'>): number {
  const kept = store.recall(key);
  return typeof kept === 'number' && Number.isSafeInteger(kept) && kept > 0 ? kept : 0;
}

/** Keeps it where it is news. @throws what the store throws when it cannot be written */
export function noteEpochSeen(store: Pick<Store, 'recall' | 'remember'>, epoch: number): void {
  if (epoch > epochSeen(store)) store.remember(key, epoch);
}
