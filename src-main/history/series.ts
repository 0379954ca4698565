/**
 * Answers the long questions (24 h, 30 d, 1 y of a test) from the rollups, so that no query reads more than some ten
 * thousand rows however long the history is. Reads only.
 */
import type { SeriesPoint } from '../contract/contract.ts';
import { dayMs, hourMs, minuteMs } from './beats.ts';
import type { Sqlite } from './runtime.ts';

export interface SeriesQuery {
  test: string;
  /** wall clock, included */
  from: number;
  /** wall clock, excluded */
  to: number;
  /** about how many points are wanted; never more than this plus one, sometimes half of it */
  points: number;
}

export interface Series {
  /** length of a point, milliseconds */
  bucketMs: number;
  /** oldest first; a stretch without any beat has no point */
  points: SeriesPoint[];
}

export interface Availability {
  /** what the counts really cover: whole minutes, or the finest unit still kept */
  from: number;
  to: number;
  alive: number;
  degraded: number;
  dead: number;
  /** something that is not this protocol answered */
  foreign: number;
  /** the test itself could not be made: says nothing about the node, counts neither way */
  unknown: number;
  /** (alive + degraded) ÷ all but unknown; null where there is nothing to say */
  share: number | null;
}

/** From where on a table still has its rows: what lies before was pruned. Milliseconds since 1970. */
export type KeptFrom = (table: 'beat' | 'minute' | 'hour') => number;

type Source = 'beat' | 'minute' | 'hour' | 'day';
const unitMs = { beat: 1_000, minute: minuteMs, hour: hourMs, day: dayMs } as const;
const coarsestFirst: readonly Source[] = ['day', 'hour', 'minute', 'beat'];

/**
 * The coarsest table that still gives at least half the wanted points, so that a query reads few rows; a coarser one
 * where the finer one was pruned within the span.
 */
export function sourceFor(span: { from: number; to: number; points: number }, keptFrom: KeptFrom): Source {
  const ms = span.to - span.from;
  const fine = coarsestFirst.find((source) => ms / unitMs[source] >= span.points / 2) ?? 'beat';
  const kept = (source: Source): boolean => source === 'day' || keptFrom(source) <= span.from;
  const from = coarsestFirst.indexOf(fine);
  for (let i = from; i > 0; i--) {
    const source = coarsestFirst[i] as Source;
    if (kept(source)) return source;
  }
  return 'day';
}

interface Sums {
  b: number;
  alive: number;
  degraded: number;
  dead: number;
  strange: number;
  unknown: number;
  sum: number;
  max: number;
}
type Counts = Omit<Sums, 'b' | 'sum' | 'max'>;

const outcomeSums = `sum(outcome = 0) AS alive, sum(outcome = 1) AS degraded, sum(outcome = 2) AS dead,
  sum(outcome = 3) AS strange, sum(outcome = 4) AS unknown`;
const rollupSums = `sum(alive) AS alive, sum(degraded) AS degraded, sum(dead) AS dead, sum(strange) AS strange,
  sum(unknown) AS unknown`;

function pointsSql(source: Source): string {
  const sums =
    source === 'beat'
      ? `${outcomeSums}, sum(iif(outcome < 2, ms, 0)) AS sum, max(iif(outcome < 2, ms, 0)) AS max`
      : `${rollupSums}, sum(ms_sum) AS sum, max(ms_max) AS max`;
  // The cast, because better-sqlite3 binds every number as a real one, and 7 / 4.0 is no whole bucket.
  return `SELECT t / CAST(? AS INTEGER) AS b, ${sums} FROM ${source} WHERE test = ? AND t >= ? AND t < ? GROUP BY b ORDER BY b`;
}

export interface SeriesReader {
  series(query: SeriesQuery): Series;
  availability(test: string, from: number, to: number): Availability;
}

export function seriesReader(db: Sqlite, testId: (name: string) => number | null, keptFrom: KeptFrom): SeriesReader {
  const pointsOf = Object.fromEntries(
    coarsestFirst.map((source) => [source, db.prepare<[number, number, number, number], Sums>(pointsSql(source))]),
  ) as Record<Source, ReturnType<typeof db.prepare<[number, number, number, number], Sums>>>;
  const countsOf = Object.fromEntries(
    (['minute', 'hour', 'day'] as const).map((table) => [
      table,
      db.prepare<[number, number, number], Counts>(
        `SELECT ${rollupSums} FROM ${table} WHERE test = ? AND t >= ? AND t < ?`,
      ),
    ]),
  ) as Record<Exclude<Source, 'beat'>, ReturnType<typeof db.prepare<[number, number, number], Counts>>>;

  function series(query: SeriesQuery): Series {
    const points = Math.max(1, Math.floor(query.points));
    const from = Math.max(0, Math.floor(query.from));
    const to = Math.max(from + 1, Math.ceil(query.to));
    const source = sourceFor({ from, to, points }, keptFrom);
    const unit = unitMs[source];
    const bucketMs = Math.ceil(Math.max(1, (to - from) / points / unit)) * unit;
    const test = testId(query.test);
    if (test === null) return { bucketMs, points: [] };
    // Whole buckets: the first and the last are complete, so that scrolling does not change a point.
    const first = Math.floor(from / bucketMs) * bucketMs;
    const end = Math.ceil(to / bucketMs) * bucketMs;
    const scale = source === 'beat' ? 1 : unit;
    const rows = pointsOf[source].all(bucketMs / scale, test, first / scale, end / scale);
    return { bucketMs, points: rows.map((row) => pointOf(row, bucketMs)) };
  }

  function availability(name: string, from: number, to: number): Availability {
    const finest =
      (['minute', 'hour', 'day'] as const).find((table) => table === 'day' || keptFrom(table) <= from) ?? 'day';
    const unit = unitMs[finest];
    const start = Math.floor(Math.max(0, from) / unit) * unit;
    const end = Math.max(start, Math.ceil(to / unit) * unit);
    const total = { alive: 0, degraded: 0, dead: 0, foreign: 0, unknown: 0 };
    const test = testId(name);
    if (test !== null) {
      for (const piece of pieces(start, end, finest)) {
        const ms = unitMs[piece.table];
        const row = countsOf[piece.table].get(test, piece.from / ms, piece.to / ms);
        total.alive += row?.alive ?? 0;
        total.degraded += row?.degraded ?? 0;
        total.dead += row?.dead ?? 0;
        total.foreign += row?.strange ?? 0;
        total.unknown += row?.unknown ?? 0;
      }
    }
    const up = total.alive + total.degraded;
    const told = up + total.dead + total.foreign;
    return { from: start, to: end, ...total, share: told === 0 ? null : up / told };
  }

  return { series, availability };
}

/** A point as the contract has it: what is not this protocol counts as dead, since the PBX did not answer. */
function pointOf(row: Sums, bucketMs: number): SeriesPoint {
  const answered = row.alive + row.degraded;
  return {
    at: row.b * bucketMs,
    alive: row.alive,
    degraded: row.degraded,
    dead: row.dead + row.strange,
    unknown: row.unknown,
    msAvg: answered === 0 ? null : row.sum / answered,
    msMax: answered === 0 ? null : row.max,
  };
}

type Piece = { table: Exclude<Source, 'beat'>; from: number; to: number };

/** Cuts a span into whole days in the middle, hours and minutes at its ends: a year is 365 rows, not 525,600. */
function pieces(from: number, to: number, finest: Exclude<Source, 'beat'>): Piece[] {
  const coarser = { minute: 'hour', hour: 'day' } as const;
  if (from >= to) return [];
  if (finest === 'day') return [{ table: 'day', from, to }];
  const next = coarser[finest];
  const start = Math.ceil(from / unitMs[next]) * unitMs[next];
  const end = Math.floor(to / unitMs[next]) * unitMs[next];
  if (start >= end) return [{ table: finest, from, to }];
  const ends = [
    { table: finest, from, to: start },
    { table: finest, from: end, to },
  ].filter((piece) => piece.from < piece.to);
  return [...ends, ...pieces(start, end, next)];
}
