/**
 * Answers the long questions (24 h, 30 d, 1 y of a test) from the rollups, so that no query reads more than some ten
 * thousand rows however long the history is. Reads only.
 */
import type { SeriesPoint } from '../contract/contract.ts';
import type { Availability } from '../contract/history.ts';
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

/** From where on a table still has its rows: what lies before was pruned. Milliseconds since 1970. */
export type KeptFrom = (table: 'beat' | 'minute' | 'hour') => number;

type Source = 'beat' | 'minute' | 'hour' | 'day';
type Rollup = Exclude<Source, 'beat'>;
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

interface Known {
  /** how many hold a beat that tells something */
  units: number;
  /** of these, the parts that were answered */
  up: number;
}

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
  /** `everyMs`: time that one beat stands for; shorter units are not asked whether they hold one. */
  availability(test: string, from: number, to: number, everyMs?: number): Availability;
}

/** Units of this many rows at most are counted: a year by minutes would hold the thread for too long. */
const mostUnits = 50_000;

/**
 * The unit by which measured time is counted: the finest that is still kept, holds at least one beat where all is well, and
 * comes to no more than `mostUnits`.
 */
export function unitFor(span: { from: number; to: number; everyMs: number }, keptFrom: KeptFrom): Rollup {
  const { from, to, everyMs } = span;
  const fits = (table: Rollup): boolean =>
    table === 'day' ||
    (keptFrom(table) <= from && everyMs <= unitMs[table] && (to - from) / unitMs[table] <= mostUnits);
  return (['minute', 'hour', 'day'] as const).find(fits) ?? 'day';
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
  ) as Record<Rollup, ReturnType<typeof db.prepare<[number, number, number], Counts>>>;
  // Each unit weighs the same: while a failure is confirmed beats come faster, and would count an outage several times.
  const knownOf = Object.fromEntries(
    (['minute', 'hour', 'day'] as const).map((table) => [
      table,
      db.prepare<[number, number, number], Known>(
        `SELECT count(*) AS units, coalesce(sum(CAST(alive + degraded AS REAL) / (alive + degraded + dead + strange)), 0) AS up
         FROM ${table} WHERE test = ? AND t >= ? AND t < ? AND alive + degraded + dead + strange > 0`,
      ),
    ]),
  ) as Record<Rollup, ReturnType<typeof db.prepare<[number, number, number], Known>>>;

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

  /** Time of [from, to) in units with a beat that tells something, and how much of it was answered. */
  function known(test: number, from: number, to: number, unit: Rollup): { measuredMs: number; answeredMs: number } {
    const ms = unitMs[unit];
    const [first, end] = [Math.floor(from / ms), Math.ceil(to / ms)];
    const none = { units: 0, up: 0 };
    const sum = (a: number, b: number): Known => knownOf[unit].get(test, a, b) ?? none;
    const all = sum(first, end);
    // The units at both ends lie in the span in part only.
    const before = sum(first, first + 1);
    const behind = sum(end - 1, end);
    const within = (key: keyof Known): number =>
      Math.max(0, Math.round(all[key] * ms - before[key] * (from - first * ms) - behind[key] * (end * ms - to)));
    return { measuredMs: within('units'), answeredMs: within('up') };
  }

  function availability(name: string, since: number, until: number, everyMs = 0): Availability {
    const from = Math.max(0, Math.floor(since));
    const to = Math.max(from, Math.ceil(until));
    const finest =
      (['minute', 'hour', 'day'] as const).find((table) => table === 'day' || keptFrom(table) <= from) ?? 'day';
    const unit = unitMs[finest];
    const start = Math.floor(from / unit) * unit;
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
    const by = unitFor({ from, to, everyMs }, keptFrom);
    const time = test === null || to === from ? { measuredMs: 0, answeredMs: 0 } : known(test, from, to, by);
    return {
      ...{ from: start, to: end, ...total, ...time },
      share: told === 0 ? null : up / told,
      unmeasuredMs: to - from - time.measuredMs,
      unitMs: unitMs[by],
    };
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

type Piece = { table: Rollup; from: number; to: number };

/** Cuts a span into whole days in the middle, hours and minutes at its ends: a year is 365 rows, not 525,600. */
function pieces(from: number, to: number, finest: Rollup): Piece[] {
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
