/**
 * What the page about the history works out: spans of the charts, their columns with gaps as gaps, the same as a table, what the
 * filter's form asks for. Pure: no clock (callers pass `now`), no words to translate.
 */
import type { SeriesPoint } from './contract.ts';
import { type EventFilter, type EventKind, longestText } from './history.ts';
import type { Severity } from './words.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How far back a chart reaches, and how much of it a row of the table beside it holds. */
export const spans = {
  '24h': { ms: day, rowMs: hour },
  '30d': { ms: 30 * day, rowMs: day },
  '1y': { ms: 365 * day, rowMs: 7 * day },
} as const;
export type Span = keyof typeof spans;
export const spanNames = Object.keys(spans) as Span[];

/** Columns of a chart at most: about two pixels each. */
const mostPoints = 360;
/** The contract takes no fewer. */
const leastPoints = 10;

/**
 * How many points to ask for: each has to hold two beats, or a slow heartbeat would look like a comb of gaps.
 */
export function pointsFor(span: Span, intervalMs: number): number {
  const held = Math.floor(spans[span].ms / Math.max(1, 2 * intervalMs));
  return Math.max(leastPoints, Math.min(mostPoints, held));
}

/** How the gravest beat of a column was; `gap`: no beat at all; `unknown`: only such as tell nothing. */
export type ColumnState = 'alive' | 'degraded' | 'dead' | 'unknown' | 'gap';

export interface Columns {
  /** start of each, oldest first, without any left out */
  at: number[];
  /** average of the answered beats; null: a gap in the line */
  avg: (number | null)[];
  max: (number | null)[];
  state: ColumnState[];
  points: (SeriesPoint | null)[];
}

export function stateOf(point: SeriesPoint | null): ColumnState {
  if (point === null) return 'gap';
  if (point.dead > 0) return 'dead';
  if (point.degraded > 0) return 'degraded';
  return point.alive > 0 ? 'alive' : 'unknown';
}

/** The points of [from, to) on a grid of `bucketMs`, a gap wherever none is. */
export function columnsOf(
  series: { bucketMs: number; points: readonly SeriesPoint[] },
  from: number,
  to: number,
): Columns {
  const { bucketMs } = series;
  const found = new Map(series.points.map((point) => [point.at, point]));
  const columns: Columns = { at: [], avg: [], max: [], state: [], points: [] };
  for (let at = Math.floor(from / bucketMs) * bucketMs; at < to; at += bucketMs) {
    const point = found.get(at) ?? null;
    // One that has only just begun is no gap yet.
    if (point === null && at + bucketMs > to) break;
    columns.at.push(at);
    columns.avg.push(point?.msAvg ?? null);
    columns.max.push(point?.msMax ?? null);
    columns.state.push(stateOf(point));
    columns.points.push(point);
  }
  return columns;
}

/** A row of the table that says what the chart shows. */
export interface SpanRow {
  from: number;
  to: number;
  /** null: no beat at all */
  sum: SeriesPoint | null;
}

/** The columns put together, newest row first; a row holds the columns that begin in it. */
export function rowsOf(columns: Columns, rowMs: number): SpanRow[] {
  const rows = new Map<number, SpanRow>();
  columns.at.forEach((at, i) => {
    const from = Math.floor(at / rowMs) * rowMs;
    const row = rows.get(from) ?? { from, to: from + rowMs, sum: null };
    const point = columns.points[i] ?? null;
    rows.set(from, { ...row, sum: row.sum === null ? point : point === null ? row.sum : added(row.sum, point) });
  });
  return [...rows.values()].reverse();
}

function added(a: SeriesPoint, b: SeriesPoint): SeriesPoint {
  const [inA, inB] = [a.alive + a.degraded, b.alive + b.degraded];
  const both = inA + inB;
  return {
    at: Math.min(a.at, b.at),
    alive: a.alive + b.alive,
    degraded: a.degraded + b.degraded,
    dead: a.dead + b.dead,
    unknown: a.unknown + b.unknown,
    msAvg: both === 0 ? null : ((a.msAvg ?? 0) * inA + (b.msAvg ?? 0) * inB) / both,
    msMax: a.msMax === null ? b.msMax : b.msMax === null ? a.msMax : Math.max(a.msMax, b.msMax),
  };
}

/** Answered beats ÷ those that tell something; null where none does. */
export function shareAnswered({
  alive,
  degraded,
  dead,
}: Pick<SeriesPoint, 'alive' | 'degraded' | 'dead'>): number | null {
  const told = alive + degraded + dead;
  return told === 0 ? null : (alive + degraded) / told;
}

/** A share in percent with two decimals, rounded down: 100 only where nothing failed. Null: nothing is known. */
export function percentOf(part: number, whole: number): number | null {
  if (whole <= 0) return null;
  // Of what floating point makes of a third digit beyond those shown nothing is to be lost.
  return Math.min(100, Math.floor((part / whole) * 10_000 + 1e-6) / 100);
}

/** The filter as its form holds it. */
export interface FilterDraft {
  kind: EventKind | '';
  severity: Severity | '';
  when: 'any' | '24h' | '7d' | '30d' | 'between';
  /** as `<input type=datetime-local>` gives them, '' for open; minded with `between` alone */
  from: string;
  to: string;
  text: string;
}

export const noFilter: FilterDraft = { kind: '', severity: '', when: 'any', from: '', to: '', text: '' };

/** Whether anything is filtered at all. */
export function isFiltered({ kind, severity, when, from, to, text }: FilterDraft): boolean {
  const between = when === 'between' && (from !== '' || to !== '');
  return kind !== '' || severity !== '' || (when !== 'any' && when !== 'between') || between || text.trim() !== '';
}

const whenMs = { '24h': day, '7d': 7 * day, '30d': 30 * day } as const;

/**
 * What the form asks for at `now`, or what is wrong with it. `localTime` reads a local date and time, as `Date.parse` does.
 */
export function filterOf(
  draft: FilterDraft,
  now: number,
  localTime: (text: string) => number = Date.parse,
): { filter: EventFilter } | { wrong: 'from' | 'to' | 'order' } {
  const text = draft.text.trim().slice(0, longestText);
  const filter: EventFilter = {
    ...(draft.kind === '' ? {} : { kind: draft.kind }),
    ...(draft.severity === '' ? {} : { severity: draft.severity }),
    ...(text === '' ? {} : { text }),
  };
  if (draft.when === 'any') return { filter };
  if (draft.when !== 'between') return { filter: { ...filter, from: now - whenMs[draft.when] } };
  const from = draft.from === '' ? null : localTime(draft.from);
  const to = draft.to === '' ? null : localTime(draft.to);
  if (Number.isNaN(from)) return { wrong: 'from' };
  if (Number.isNaN(to)) return { wrong: 'to' };
  if (from !== null && to !== null && from >= to) return { wrong: 'order' };
  return { filter: { ...filter, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) } };
}
