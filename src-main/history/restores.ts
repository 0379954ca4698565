/**
 * What was restored on this node: which backup, proven how, with which end, and so what stands here now. One restore at a time.
 * Holds what a table can hold; how a restore is done is not known here.
 */
import { EstepeError } from '../contract/errors.ts';
import type { Sqlite } from './runtime.ts';

export const restoreOutcomes = [
  'restored',
  'refused', // the backup, by its named reason
  'failed',
  'cancelled',
  'taken-back', // it had begun to change what stands here; the old state stands again
] as const;
export type RestoreOutcome = (typeof restoreOutcomes)[number];

/** What stands here after it, or would after a crash at this moment. `unknown`: parts of each, or nobody can tell. */
export type Stands = 'old' | 'new' | 'unknown';

export interface RestoreStart {
  name: string;
  /** wall clock when its data was current */
  createdAt: number;
  begunAt: number;
  by: string;
  /** of this node, when it was begun */
  epoch: number;
  /** marks the processes, for whoever comes after a crash */
  runToken: string;
}

export interface RestoreEnd {
  endedAt: number;
  outcome: RestoreOutcome;
  stands: Stands;
  /** '' where there is nothing to say */
  reason: string;
  /** in words; '' when it was not */
  proven: string;
  /** of the archive; null: it was never read whole */
  sha256: string | null;
  files: number;
  /** of all files, before packing */
  bytes: number;
}

export interface RestoreRow extends RestoreStart, Omit<RestoreEnd, 'endedAt' | 'outcome'> {
  id: number;
  /** null: under way, or cut off and not yet closed */
  endedAt: number | null;
  outcome: RestoreOutcome | null;
}

/** The data that stands here. */
export interface RestoredNow {
  name: string;
  /** null: nobody can tell of what stands here, or it was never known */
  sha256: string | null;
  /** wall clock when the data was current; of what is unknown the oldest that it can be */
  createdAt: number;
  restoredAt: number;
  /** every byte was held against what was made, and nothing has half replaced it since */
  verified: boolean;
  /** how it was proven; of what is not verified: why not */
  proven: string;
  /** of this node, when it was restored */
  epoch: number;
}

/** All calls throw EstepeError `database`. Those that write are durable when they return. */
export interface Restores {
  /** Throws `refused` while another one is open. */
  begin(start: RestoreStart): number;
  /** Before each step that changes what a crash would leave. */
  mark(id: number, stands: Stands): void;
  end(id: number, end: RestoreEnd): void;
  /** The one that is under way or was cut off, or null. */
  open(): RestoreRow | null;
  /**
   * Closes what a crash left open, as cut off.
   * @param recovered in which state it was ended since; null: nothing could tell, so its last mark counts
   */
  closeOpen(at: number, recovered: { ended: 'old' | 'new'; sentence: string } | null): RestoreRow | null;
  /** The newest one that put its data here, or null. */
  lastRestored(): RestoreRow | null;
  /** What stands here; null: nothing was ever restored. */
  restoredNow(): RestoredNow | null;
  /** When each backup was last restored here, by its name. */
  restoredTimes(): ReadonlyMap<string, number>;
  /** Newest first. */
  list(limit: number): RestoreRow[];
}

const cutOff: Readonly<Record<Stands, Pick<RestoreEnd, 'outcome' | 'reason' | 'proven'>>> = {
  old: { outcome: 'failed', reason: 'it was cut off before anything here was changed', proven: '' },
  new: {
    outcome: 'restored',
    reason: 'it was cut off when all was done but its last notes',
    proven: 'every file by its hash',
  },
  unknown: {
    outcome: 'failed',
    reason: 'it was cut off while what stands here was being replaced, so nobody knows what stands here: restore again',
    proven: '',
  },
};

/** Whether this file has the table: one of an earlier version has none before it is migrated. */
export const hasRestores = (db: Sqlite): boolean =>
  db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'restore'`).get() !== undefined;

export function restoreTable(db: Sqlite): Restores {
  const columns = `SELECT id, name, sha256, created_at AS createdAt, begun_at AS begunAt, ended_at AS endedAt, outcome,
    stands, reason, proven, files, bytes, by, epoch, run_token AS runToken FROM restore`;
  const findOpen = db.prepare<[], RestoreRow>(`${columns} WHERE ended_at IS NULL`);
  const find = db.prepare<[number], RestoreRow>(`${columns} WHERE id = ?`);
  const findNew = db.prepare<[], RestoreRow>(`${columns} WHERE stands = 'new' ORDER BY id DESC LIMIT 1`);
  const findUnknown = db.prepare<[number], RestoreRow>(
    `${columns} WHERE stands = 'unknown' AND id > ? ORDER BY id DESC LIMIT 1`,
  );
  const newest = db.prepare<[number], RestoreRow>(`${columns} ORDER BY id DESC LIMIT ?`);
  const times = db.prepare<[], { name: string; at: number }>(
    `SELECT name, max(coalesce(ended_at, begun_at)) AS at FROM restore WHERE stands = 'new' GROUP BY name`,
  );
  const insert = db.prepare(
    `INSERT INTO restore (name, created_at, begun_at, by, epoch, run_token)
     VALUES (@name, @createdAt, @begunAt, @by, @epoch, @runToken)`,
  );
  const setStands = db.prepare<[Stands, number]>('UPDATE restore SET stands = ? WHERE id = ? AND ended_at IS NULL');
  const setEnd = db.prepare(
    `UPDATE restore SET ended_at = @endedAt, outcome = @outcome, stands = @stands, reason = @reason, proven = @proven,
     sha256 = @sha256, files = @files, bytes = @bytes WHERE id = @id AND ended_at IS NULL`,
  );

  function required(changes: number, id: number): void {
    if (changes === 1) return;
    throw new EstepeError(
      'internal',
      `There is no restore ${id} under way in the history.`,
      'This is a fault in Estepe. Keep the log and report it.',
    );
  }

  const timeOf = ({ endedAt, begunAt }: RestoreRow): number => endedAt ?? begunAt;

  function end(id: number, { endedAt, ...how }: RestoreEnd): void {
    required(setEnd.run({ id, ...how, endedAt: Math.round(endedAt) }).changes, id);
  }

  return {
    begin(start) {
      const open = findOpen.get();
      if (open !== undefined) {
        throw new EstepeError(
          'refused',
          `The restore of ${open.name} that ${open.by} began has not ended; a second one cannot begin.`,
          'Let it end, or cancel it first.',
          { restore: open.id },
        );
      }
      const { createdAt, begunAt } = start;
      const row = { ...start, createdAt: Math.round(createdAt), begunAt: Math.round(begunAt) };
      return Number(insert.run(row).lastInsertRowid);
    },
    mark: (id, stands) => required(setStands.run(stands, id).changes, id),
    end,
    open: () => findOpen.get() ?? null,
    closeOpen(at, recovered) {
      const row = findOpen.get();
      if (row === undefined) return null;
      const stands = recovered?.ended ?? row.stands;
      const how = cutOff[stands];
      // What had begun to change something, and is as it was.
      const back = recovered?.ended === 'old' && row.stands !== 'old';
      const { sha256, files, bytes } = row;
      end(row.id, {
        endedAt: at,
        stands,
        proven: how.proven,
        outcome: back ? 'taken-back' : how.outcome,
        reason: recovered?.sentence ?? how.reason,
        sha256,
        files,
        bytes,
      });
      return find.get(row.id) ?? null;
    },
    lastRestored: () => findNew.get() ?? null,
    restoredNow() {
      const last = findNew.get();
      const half = findUnknown.get(last?.id ?? 0);
      if (half !== undefined) {
        const { name, createdAt, epoch, reason } = half;
        return {
          name,
          sha256: null,
          createdAt: Math.min(createdAt, last?.createdAt ?? createdAt),
          restoredAt: timeOf(half),
          verified: false,
          proven: reason === '' ? 'a restore is replacing what stands here' : reason,
          epoch,
        };
      }
      if (last === undefined) return null;
      const { name, sha256, createdAt, proven, epoch } = last;
      return { name, sha256, createdAt, restoredAt: timeOf(last), verified: true, proven, epoch };
    },
    restoredTimes: () => new Map(times.all().map(({ name, at }) => [name, at])),
    list: (limit) => newest.all(limit),
  };
}
