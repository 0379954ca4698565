/**
 * What the drill keeps over a restart: the last report, when one passed last, what was begun, and what a crash may have left. A disk
 * that cannot be written keeps nothing; then it holds in memory.
 */
import { z } from 'zod';
import { drillEndSchema, drillReportSchema } from '../../contract/drill.ts';
import type { Store } from '../../engine/ports.ts';

const factsSchema = z.object({
  last: drillReportSchema.nullable(),
  /** on the passive node */
  lastPassed: z.object({ at: z.number(), by: z.string() }).nullable(),
  ended: drillEndSchema.nullable(),
  /** under way; null: none */
  begun: z.object({ by: z.string(), trial: z.string() }).nullable(),
  /** trials of the location that were cut off, and may have left something there */
  trials: z.array(z.string()),
  /** a scheduled one failed, and people were told */
  failureTold: z.boolean(),
  /** scheduled ones in a row that were cut off or cancelled */
  cutOffs: z.number(),
  schedule: z.object({ until: z.number(), cron: z.string(), timeZone: z.string() }).nullable(),
});
export type DrillFacts = z.infer<typeof factsSchema>;

const factKey = 'drill';

const blank: DrillFacts = {
  ...{ last: null, lastPassed: null, ended: null, begun: null, trials: [] },
  ...{ failureTold: false, cutOffs: 0, schedule: null },
};

export class KeptFacts {
  readonly #store: Pick<Store, 'remember' | 'recall'>;
  #now: DrillFacts;

  constructor(store: Pick<Store, 'remember' | 'recall'>) {
    this.#store = store;
    // What an older or a newer Estepe left there is not worth an engine that does not start.
    const kept = factsSchema.safeParse(store.recall(factKey));
    this.#now = kept.success ? kept.data : blank;
  }

  get now(): DrillFacts {
    return this.#now;
  }

  change(change: Partial<DrillFacts>): void {
    this.#now = { ...this.#now, ...change };
    try {
      this.#store.remember(factKey, this.#now);
    } catch {
      // a full disk, which history itself tells of
    }
  }
}
