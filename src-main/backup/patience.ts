/**
 * When a location is tried again: passing faults only, with growing pauses, for so many attempts. Time comes from the clock port.
 * Must not know what is tried.
 */
import type { Clock } from '../engine/ports.ts';
import { LocationError, passing } from './location.ts';

export interface Patience {
  /** in all, the first one included */
  attempts: number;
  /** before the second attempt, ms; each further pause is twice the one before */
  firstPauseMs: number;
  /** no pause is longer, ms */
  longestPauseMs: number;
}

/** 5, 10, 20, 40 s: a server that restarts, a router that redials. */
export const usualPatience: Patience = { attempts: 5, firstPauseMs: 5000, longestPauseMs: 60_000 };

/** How long to wait after the attempt of that number (from 1), ms; null: it was the last. */
export function pauseAfter(attempt: number, patience: Patience): number | null {
  if (attempt >= patience.attempts) return null;
  return Math.min(patience.firstPauseMs * 2 ** (attempt - 1), patience.longestPauseMs);
}

export interface Setback {
  /** from 1 */
  attempt: number;
  error: LocationError;
  /** until the next attempt */
  pauseMs: number;
}

export interface Persistence {
  clock: Clock;
  signal: AbortSignal;
  /** default: usualPatience */
  patience?: Patience;
  /** told of each failure that is followed by another attempt */
  onSetback?: (setback: Setback) => void;
}

/**
 * Does `work` until it succeeds, fails for good, or patience ends.
 * @param work is given the attempt's number, from 1; must be safe to repeat
 * @throws what the last attempt threw; LocationError `cancelled` when cancelled in a pause
 */
export async function patiently<T>(work: (attempt: number) => Promise<T>, how: Persistence): Promise<T> {
  const { clock, signal, patience = usualPatience, onSetback } = how;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof LocationError) || !passing.has(error.fault) || signal.aborted) throw error;
      const pauseMs = pauseAfter(attempt, patience);
      if (pauseMs === null) throw error;
      onSetback?.({ attempt, error, pauseMs });
      await pause(pauseMs, clock, signal);
    }
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      stop();
      reject(
        new LocationError(
          'cancelled',
          'Cancelled while waiting for the next attempt.',
          'start it again when it is wanted',
        ),
      );
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
