/**
 * One client's live feed as an async generator: the whole snapshot, then slices and pulses as the engine makes them.
 * A client that reads too slowly costs at most `limit` frames of memory: what it missed is replaced by a fresh snapshot.
 */
import type { Desk } from '../contract/desk.ts';
import type { FeedFrame } from '../contract/snapshot.ts';

type LiveFrame = Exclude<FeedFrame, { kind: 'snapshot' }>;

/** About two minutes of a steady engine; at the confirming cadence some twenty seconds. */
export const feedQueueLimit = 64;

/**
 * Ends when `signal` aborts (the client went away) or the reader stops; the subscription ends with it either way.
 * Throws what `desk.snapshot()` throws.
 */
export async function* frames(
  desk: Desk,
  signal: AbortSignal | undefined,
  limit = feedQueueLimit,
): AsyncGenerator<FeedFrame, void, void> {
  let queue: LiveFrame[] = [];
  let behind = true;
  let wake: (() => void) | undefined;

  const stop = desk.subscribe((frame) => {
    // Behind already: a snapshot is due and will hold this change too.
    if (!behind) {
      if (queue.length >= limit) {
        queue = [];
        behind = true;
      } else queue.push(frame);
    }
    wake?.();
  });
  const onAbort = () => wake?.();
  signal?.addEventListener('abort', onAbort);

  try {
    while (signal?.aborted !== true) {
      if (behind) {
        behind = false;
        yield { kind: 'snapshot', snapshot: desk.snapshot() };
        continue;
      }
      const frame = queue.shift();
      if (frame !== undefined) {
        yield frame;
        continue;
      }
      // Nothing can come between the look at the queue and this line: no await lies between them.
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    stop();
    signal?.removeEventListener('abort', onAbort);
  }
}
