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

/** Keeps it, written once for each that is news. */
export class EpochMemory {
  readonly #store: Pick<Store, 'recall' | 'remember'>;
  #written = 0;

  constructor(store: Pick<Store, 'recall' | 'remember'>) {
    this.#store = store;
  }

  /** Never throws: on a full disk it is tried again at the next decision. */
  note(epoch: number): void {
    if (epoch <= this.#written) return;
    try {
      if (epoch > epochSeen(this.#store)) this.#store.remember(key, epoch);
      this.#written = epoch;
    } catch {
      // as said above
    }
  }
}
