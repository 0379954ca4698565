/** Waiting inside a step: by the engine's clock, and no longer than the step may. */
import type { Clock } from '../engine/ports.ts';

/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((go) => {
    const wake = (): void => {
      cancel();
      signal.removeEventListener('abort', wake);
      go();
    };
    const cancel = clock.after(ms, wake);
    signal.addEventListener('abort', wake, { once: true });
    if (signal.aborted) wake();
  });
}
