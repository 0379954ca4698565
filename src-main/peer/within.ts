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
  let giveUp = (_sentence: string): void => {};
  const limit = new Promise<never>((_, fail) => {
    giveUp = (sentence) => {
      fail(new EstepeError('location', sentence, 'look whether it can be reached from here'));
      control.abort();
    };
  });
  // Whether or not it is raced for in the end, nobody is to call it unhandled.
  limit.catch(() => {});
  const onAbort = (): void => giveUp('It was not waited for any longer.');
  outer.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.after(ms, () => giveUp(`No answer within ${inWords(ms)}.`));
  if (outer.aborted) onAbort();
  const asked = ask(control.signal);
  asked.catch(() => {});
  try {
    return await Promise.race([asked, limit]);
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
  }
}
