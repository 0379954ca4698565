/**
 * What the spare's engine wrote down, with the monotonic instant at which it did, and waiting for it. Durations of the lab are
 * differences of these instants. Knows nothing of what an event means.
 */
import type { NewEvent } from '../engine/ports.ts';

export interface Entry {
  /** `performance.now()` of this process when the engine wrote it */
  mono: number;
  event: NewEvent;
}

/** What was waited for did not come in time. */
export class NotSeen extends Error {}
/** The lab was told to stop. */
export class Stopped extends Error {}

/** Beside new entries, conditions are looked at this often: some hang on what is no event. */
const lookEveryMs = 50;

export class Diary {
  readonly entries: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();

  /** Never throws: the engine tells it. */
  note(event: NewEvent): void {
    const entry = { mono: performance.now(), event };
    this.entries.push(entry);
    for (const call of [...this.#listeners]) call(entry);
  }

  /** Calls back with every entry from now on. */
  listen(call: (entry: Entry) => void): () => void {
    this.#listeners.add(call);
    return () => this.#listeners.delete(call);
  }

  /** The first entry at or after an instant that fits. */
  first(since: number, fits: (event: NewEvent) => boolean): Entry | null {
    return this.entries.find(({ mono, event }) => mono >= since && fits(event)) ?? null;
  }

  /**
   * Waits until a condition holds.
   * @throws NotSeen with `what` when it does not within the time; Stopped by `signal`
   */
  until(what: string, holds: () => boolean, withinMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (then: () => void): void => {
        clearTimeout(late);
        clearInterval(looking);
        forget();
        signal.removeEventListener('abort', stop);
        then();
      };
      const look = (): void => {
        if (holds()) end(resolve);
      };
      const stop = (): void => end(() => reject(new Stopped('stopped')));
      const late = setTimeout(
        () => end(() => reject(new NotSeen(`not within ${withinMs / 1000} s: ${what}`))),
        withinMs,
      );
      const looking = setInterval(look, lookEveryMs);
      // Not in the middle of the engine's own work.
      const forget = this.listen(() => queueMicrotask(look));
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      else look();
    });
  }
}
