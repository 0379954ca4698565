/**
 * The table of deliveries: what is to be told to people, through which channel, and what became of it. An attempt is written before it
 * is made and its result after, so that what a crash left in between is known. Knows no channel.
 */
import type { DeliveryState } from '../contract/notify.ts';
import type { Severity } from '../contract/words.ts';
import type { Sqlite } from './runtime.ts';

export interface NewDelivery {
  channel: string;
  /** of the incident */
  key: string;
  severity: Severity;
  text: string;
  /** wall clock */
  toldAt: number;
  /** of the engine that was told; tells what an earlier one said */
  life: string;
}

export interface DeliveryRow extends NewDelivery {
  id: number;
  state: DeliveryState;
  attempts: number;
  /** wall clock of the newest attempt */
  triedAt: number | null;
  /** wall clock before which it is not tried again */
  dueAt: number;
  /** an attempt was begun, and nobody wrote how it ended */
  open: boolean;
  /** what was answered last, or why nothing was heard */
  said: string;
  /** whom earlier attempts reached, where there are several to reach */
  reached: readonly string[];
}

/** How an attempt ended. */
export type AttemptEnd = Pick<DeliveryRow, 'state' | 'dueAt' | 'said' | 'reached'>;

/** Each call that writes is one durable transaction. All throw EstepeError `database`. */
export interface Deliveries {
  /** Answers their ids, in that order. */
  add(rows: readonly NewDelivery[]): number[];
  /** Before an attempt. */
  trying(ids: readonly number[], at: number): void;
  /** After it, or when none is made any more. */
  ended(ids: readonly number[], end: AttemptEnd): void;
  /** Oldest first. */
  waiting(): DeliveryRow[];
  /** Newest first. */
  list(limit: number): DeliveryRow[];
}

/** What has ended is shown for so long: screens and the policy need days of it. The events keep what happened. */
const keptMs = 90 * 24 * 3600_000;

type Stored = Omit<DeliveryRow, 'open' | 'reached'> & { open: number; reached: string };

const rowOf = (stored: Stored): DeliveryRow => ({
  ...stored,
  open: stored.open === 1,
  reached: JSON.parse(stored.reached) as string[],
});

/** Whether this file has the table: one of an earlier version has none before it is migrated. */
export const hasDeliveries = (db: Sqlite): boolean =>
  db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'delivery'`).get() !== undefined;

export function deliveryTable(db: Sqlite): Deliveries {
  const columns = `SELECT id, channel, key, severity, text, told_at AS toldAt, life, state, attempts, tried_at AS triedAt,
    due_at AS dueAt, open, said, reached FROM delivery`;
  const findWaiting = db.prepare<[], Stored>(`${columns} WHERE state = 'waiting' ORDER BY id`);
  const newest = db.prepare<[number], Stored>(`${columns} ORDER BY id DESC LIMIT ?`);
  const insert = db.prepare(
    `INSERT INTO delivery (channel, key, severity, text, told_at, due_at, life)
     VALUES (@channel, @key, @severity, @text, @toldAt, @toldAt, @life)`,
  );
  const setTrying = db.prepare<[number, number]>(
    'UPDATE delivery SET attempts = attempts + 1, tried_at = ?, open = 1 WHERE id = ?',
  );
  const setEnded = db.prepare(
    `UPDATE delivery SET state = @state, due_at = @dueAt, said = @said, reached = @reached, open = 0 WHERE id = @id`,
  );
  // A few at a time: the engine's thread is not held.
  const drop = db.prepare<[number]>(
    `DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE state <> 'waiting' AND told_at < ? ORDER BY id LIMIT 200)`,
  );

  return {
    add(rows) {
      const now = Math.max(...rows.map(({ toldAt }) => toldAt));
      drop.run(Math.round(now - keptMs));
      return rows.map((row) => Number(insert.run({ ...row, toldAt: Math.round(row.toldAt) }).lastInsertRowid));
    },
    trying: (ids, at) => {
      for (const id of ids) setTrying.run(Math.round(at), id);
    },
    ended: (ids, { state, dueAt, said, reached }) => {
      const end = { state, dueAt: Math.round(dueAt), said, reached: JSON.stringify(reached) };
      for (const id of ids) setEnded.run({ ...end, id });
    },
    waiting: () => findWaiting.all().map(rowOf),
    list: (limit) => newest.all(limit).map(rowOf),
  };
}
