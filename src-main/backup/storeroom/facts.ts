/**
 * What the storeroom keeps over a restart: how the newest of each kind ended, what was told, what was begun, which backup is the
 * newest verified one. A disk that cannot be written keeps nothing; then it holds in memory.
 */
import { z } from 'zod';
import { type BackupKind, backupEndSchema, backupKindSchema } from '../../contract/backups.ts';
import type { Store } from '../../engine/ports.ts';

const end = backupEndSchema.nullable();
const factsSchema = z.object({
  ends: z.object({ backup: end, verify: end, restore: end }),
  /** a scheduled one that was given up for the night, and people were told */
  failureTold: z.object({ backup: z.boolean(), restore: z.boolean() }),
  offset: z.object({ level: z.enum(['fine', 'late', 'over']), noneSince: z.number().nullable() }),
  /** of the work under way; null: none */
  begun: z
    .object({
      kind: backupKindSchema,
      by: z.string(),
      name: z.string().nullable(),
      /** this engine ended it in order; absent: it was cut off */
      inOrder: z.boolean().optional(),
    })
    .nullable(),
  /** failures in a row of what is due by schedule */
  failures: z.number(),
  /** this node serves, or did when it was last looked at */
  serving: z.boolean().default(false),
  /** it served until then (wall clock), and no backup holds what it wrote last; null: nothing of that kind stands here */
  unsavedSince: z.number().nullable().default(null),
  newestVerified: z.object({ name: z.string(), createdAt: z.number() }).nullable(),
  schedules: z.record(z.string(), z.object({ until: z.number(), cron: z.string(), timeZone: z.string() })),
});
export type StoreroomFacts = z.infer<typeof factsSchema>;

const factKey = 'storeroom';

const blank: StoreroomFacts = {
  ends: { backup: null, verify: null, restore: null },
  failureTold: { backup: false, restore: false },
  offset: { level: 'fine', noneSince: null },
  begun: null,
  failures: 0,
  serving: false,
  unsavedSince: null,
  newestVerified: null,
  schedules: {},
};

export const isScheduled = (kind: BackupKind): kind is 'backup' | 'restore' => kind !== 'verify';

export class Facts {
  readonly #store: Pick<Store, 'remember' | 'recall'>;
  #now: StoreroomFacts;

  constructor(store: Pick<Store, 'remember' | 'recall'>) {
    this.#store = store;
    // What an older or a newer Estepe left there is not worth an engine that does not start.
    const kept = factsSchema.safeParse(store.recall(factKey));
    this.#now = kept.success ? kept.data : blank;
  }

  get now(): StoreroomFacts {
    return this.#now;
  }

  change(change: Partial<StoreroomFacts>): void {
    this.#now = { ...this.#now, ...change };
    try {
      this.#store.remember(factKey, this.#now);
    } catch {
      // a full disk, which history itself tells of
    }
  }
}
