/**
 * The frame around every test: one answer, one time-out, one way out. Whatever happens inside (an exception in a
 * callback, an abort, silence), it ends with a Finding and everything it opened is closed. Knows no protocol.
 */
import { type Finding, wordsOf } from './evidence.ts';

export interface Attempt {
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
  /** Ends the attempt; the first call counts. */
  settle(finding: Finding): void;
  /** Runs once when the attempt ends, for whatever reason; at once if it has ended. */
  onEnd(close: () => void): void;
  /** Calls back after `ms`, unless the attempt has ended. */
  later(ms: number, call: () => void): void;
  /** Wraps a callback: nothing runs after the end, and what it throws ends the attempt as `unknown`. */
  safely<A extends unknown[]>(call: (...args: A) => void): (...args: A) => void;
}

/**
 * Runs one attempt.
 * @param timeoutMs its whole budget, milliseconds
 * @param silence what is found when the budget is used up
 * @param start opens sockets and listens; may throw (then: `unknown`)
 * @returns never rejects
 */
export function attempt(
  timeoutMs: number,
  signal: AbortSignal,
  silence: () => Finding,
  start: (attempt: Attempt) => void,
): Promise<Finding> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const closers: (() => void)[] = [];
    const timers = new Set<NodeJS.Timeout>();
    let ended = false;

    const settle = (finding: Finding): void => {
      if (ended) return;
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
      for (const close of closers) quietly(close);
      resolve(finding);
    };
    const fault = (error: unknown): void => {
      settle({ outcome: 'unknown', evidence: `the test itself failed: ${wordsOf(error)}` });
    };
    const cancelled = (): void => settle({ outcome: 'unknown', evidence: 'cancelled' });
    const safely =
      <A extends unknown[]>(call: (...args: A) => void) =>
      (...args: A): void => {
        if (ended) return;
        try {
          call(...args);
        } catch (error) {
          fault(error);
        }
      };
    const later = (ms: number, call: () => void): void => {
      if (ended) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        safely(call)();
      }, ms);
      timers.add(timer);
    };
    const onEnd = (close: () => void): void => {
      if (ended) quietly(close);
      else closers.push(close);
    };

    if (signal.aborted) {
      cancelled();
      return;
    }
    signal.addEventListener('abort', cancelled, { once: true });
    later(timeoutMs, () => settle(silence()));
    safely(start)({
      settle,
      onEnd,
      later,
      safely,
      get elapsedMs() {
        return performance.now() - startedAt;
      },
    });
  });
}

/** Closing something that is already closed may throw; there is nobody left to tell. */
function quietly(close: () => void): void {
  try {
    close();
  } catch {
    // already closed
  }
}
