/** A question that is not waited for longer than so, by the engine's clock. */
import { EstepeError } from '../contract/errors.ts';
import { inWords } from '../engine/duration.ts';
import type { Clock } from '../engine/ports.ts';

/**
 * Asks, and gives up after `ms` or when `outer` is aborted: the question's own signal is aborted then, and an answer that still
 * comes is not heard. Rejects with what the question rejects with, or EstepeError `location`.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const control = new AbortController();
  const onAbort = (): void => control.abort();
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) control.abort();
  let cancel = (): void => {};
  const limit = new Promise<never>((_, fail) => {
    const late = (sentence: string) => (): void => {
      fail(new EstepeError('location', sentence, 'look whether it can be reached from here'));
      control.abort();
    };
    cancel = clock.after(ms, late(`No answer within ${inWords(ms)}.`));
    control.signal.addEventListener('abort', late('It was not waited for any longer.'), { once: true });
    if (control.signal.aborted) late('It was not waited for any longer.')();
  });
  const asked = ask(control.signal);
  asked.catch(() => {});
  try {
    return await Promise.race([asked, limit]);
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
    limit.catch(() => {});
  }
}
