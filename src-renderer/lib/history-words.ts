/** Words of the history (contract/history.ts) in the reader's language. */
import type { Availability, EventKind } from '../../src-main/contract/history.ts';
import {
  type ColumnState,
  type Columns,
  type FilterDraft,
  percentOf,
  type Span,
} from '../../src-main/contract/history-view.ts';
import { msWords, roundDurationWords } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';
import { getLocale } from './paraglide/runtime.js';

export const kindOfEventWord: Record<EventKind, () => string> = {
  decision: m.kind_decision,
  beat: m.kind_beat,
  order: m.kind_order,
  runbook: m.kind_runbook,
  step: m.kind_step,
  config: m.kind_config,
  engine: m.kind_engine,
  alert: m.kind_alert,
};

export const spanWord: Record<Span, () => string> = { '24h': m.span_day, '30d': m.span_month, '1y': m.span_year };

export const whenWord: Record<FilterDraft['when'], () => string> = {
  any: m.when_any,
  '24h': m.span_day,
  '7d': m.span_week,
  '30d': m.span_month,
  between: m.when_between,
};

export const wrongWord: Record<'from' | 'to' | 'order', () => string> = {
  from: m.filter_wrong_from,
  to: m.filter_wrong_to,
  order: m.filter_wrong_order,
};

export const columnWord: Record<ColumnState, () => string> = {
  alive: m.outcome_alive,
  degraded: m.outcome_degraded,
  dead: m.outcome_dead,
  unknown: m.outcome_unknown,
  gap: m.column_gap,
};

const number = new Intl.NumberFormat(getLocale(), { maximumFractionDigits: 2 });

/** `99.87 %`; a dash where nothing is known. */
export function percentWords(part: number, whole: number): string {
  const percent = percentOf(part, whole);
  return percent === null ? '–' : `${number.format(percent)} %`;
}

/** `99.87 % of the measured time answered`, or that nothing was measured. */
export function answeredWords({ answeredMs, measuredMs }: Availability): string {
  return measuredMs <= 0
    ? m.availability_none()
    : m.availability_answered({ share: percentWords(answeredMs, measuredMs) });
}

/** The latency of a column or row: average and most; a dash where nothing answered. */
export function latencyWords(avg: number | null, max: number | null): string {
  return avg === null || max === null ? '–' : m.latency({ avg: msWords(avg), max: msWords(max) });
}

/** What one column of a chart says; `time` is its start in words. */
export function columnWords(columns: Columns, i: number, time: string): string {
  const point = columns.points[i] ?? null;
  const state = columnWord[columns.state[i] ?? 'gap']();
  if (point === null) return `${time}: ${state}`;
  const counts = m.column_beats({ answered: String(point.alive + point.degraded), failed: String(point.dead) });
  return `${time}: ${state} · ${counts} · ${latencyWords(point.msAvg, point.msMax)}`;
}

/** How finely the measured time is told. */
export const unitWords = ({ unitMs }: Availability): string =>
  m.availability_unit({ unit: roundDurationWords(unitMs) });
