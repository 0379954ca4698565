/** History is kept for as long as the configuration says, and no longer. */
import { toRetention } from '../config/schema.ts';
import { sentenceOf } from '../contract/errors.ts';
import type { Clock } from '../engine/ports.ts';
import type { History } from '../history/history.ts';
import type { Log } from './log.ts';
import type { RunningConfig } from './running-config.ts';

/** First look at what is too old, and the time between looks. */
const pruneAfterMs = 60_000;
const pruneEveryMs = 6 * 3600_000;

/** Old rows go a while after the start and some times a day; what fails is tried again the next time. */
export function prunes(clock: Clock, history: History, config: RunningConfig, log: Log): () => void {
  let cancel = (): void => {};
  const again = (ms: number): void => {
    cancel = clock.after(ms, () => {
      history
        .prune(toRetention(config.running))
        .then(({ beats, events, longestBlockMs }) => {
          if (beats + events > 0)
            log.info(
              `history: ${beats} beats and ${events} events taken away, longest hold ${Math.round(longestBlockMs)} ms`,
            );
        })
        .catch((error: unknown) => log.warn(`history was not pruned: ${sentenceOf(error)}`));
      again(pruneEveryMs);
    });
  };
  again(pruneAfterMs);
  return () => cancel();
}
