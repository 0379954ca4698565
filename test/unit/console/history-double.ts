/** The history for screens and clients under test: events and series as the test puts them, filtered as the contract says. */
import type { SeriesPoint } from '../../../src-main/contract/contract.ts';
import type { Desk } from '../../../src-main/contract/desk.ts';
import { type EventQuery, eventMatches } from '../../../src-main/contract/history.ts';
import type { EventView } from '../../../src-main/contract/snapshot.ts';

const minute = 60_000;
const hour = 60 * minute;

export type SeriesAsk = Parameters<Desk['series']>[0];
export type SeriesAnswer = ReturnType<Desk['series']>;

export interface HistoryDouble {
  /** older ones than the snapshot holds, newest first */
  older: readonly EventView[];
  /** what is thrown instead of answering */
  fault: Error | null;
  /** every query, oldest first */
  readonly asked: EventQuery[];
  onSeries: (ask: SeriesAsk) => SeriesAnswer;
  events(query: EventQuery, newest: readonly EventView[]): EventView[];
  series(ask: SeriesAsk): SeriesAnswer;
}

export function historyDouble(): HistoryDouble {
  const double: HistoryDouble = {
    older: [],
    fault: null,
    asked: [],
    onSeries: noSeries,
    events(query, newest) {
      double.asked.push(query);
      if (double.fault !== null) throw double.fault;
      const { before = Number.MAX_SAFE_INTEGER, limit } = query;
      return [...newest, ...double.older].filter((one) => one.id < before && eventMatches(one, query)).slice(0, limit);
    },
    series(ask) {
      if (double.fault !== null) throw double.fault;
      return double.onSeries(ask);
    },
  };
  return double;
}

/** A test of which nothing was ever heard. */
export function noSeries({ from, to }: SeriesAsk): SeriesAnswer {
  const none = { alive: 0, degraded: 0, dead: 0, foreign: 0, unknown: 0, share: null };
  const time = { measuredMs: 0, answeredMs: 0, unmeasuredMs: to - from, unitMs: minute };
  return { bucketMs: minute, points: [], availability: { from, to, ...none, ...time } };
}

/** A span of which a tenth was not measured (the machine was off) and a twentieth not answered, whatever its length. */
export function someSeries({ from, to, points }: SeriesAsk): SeriesAnswer {
  const bucketMs = Math.max(minute, Math.ceil((to - from) / points / minute) * minute);
  const first = Math.floor(from / bucketMs);
  const count = Math.floor(to / bucketMs) - first;
  const made = Array.from({ length: count }, (_, i): SeriesPoint | null => {
    const share = i / count;
    const at = (first + i) * bucketMs;
    if (share >= 0.3 && share < 0.4) return null;
    if (share >= 0.6 && share < 0.65) {
      return { at, alive: 0, degraded: 0, dead: 8, unknown: 0, msAvg: null, msMax: null };
    }
    const slow = share >= 0.65 && share < 0.68;
    const msAvg = 18 + 6 * Math.sin(i / 9) + (slow ? 900 : 0);
    return {
      ...{ at, alive: slow ? 5 : 8, degraded: slow ? 3 : 0, dead: 0, unknown: 0 },
      ...{ msAvg, msMax: msAvg * (1.4 + ((i * 13) % 7) / 5) },
    };
  }).filter((point) => point !== null);
  const sum = (key: 'alive' | 'degraded' | 'dead' | 'unknown') => made.reduce((all, point) => all + point[key], 0);
  const counts = { alive: sum('alive'), degraded: sum('degraded'), dead: sum('dead'), unknown: sum('unknown') };
  const up = counts.alive + counts.degraded;
  const measuredMs = Math.round((to - from) * 0.9);
  return {
    bucketMs,
    points: made,
    availability: {
      ...{ from, to, ...counts, foreign: 0, share: up / (up + counts.dead) },
      ...{ measuredMs, answeredMs: Math.round((to - from) * 0.85), unmeasuredMs: to - from - measuredMs },
      unitMs: to - from > 40 * 24 * hour ? hour : minute,
    },
  };
}

const kinds: readonly EventView['kind'][] = [
  'decision',
  'beat',
  'order',
  'runbook',
  'step',
  'config',
  'engine',
  'alert',
];
const severities: readonly EventView['severity'][] = ['info', 'info', 'warning', 'info', 'alert'];

/** `count` events, one an hour before `now`, ids from `count` down: every kind and severity in turn. */
export function manyEvents(now: number, count: number): EventView[] {
  return Array.from({ length: count }, (_, i) => {
    const id = count - i;
    const kind = kinds[id % kinds.length] ?? 'decision';
    return {
      ...{ id, at: now - (i + 1) * hour, kind, severity: severities[id % severities.length] ?? 'info' },
      ...{ rule: `${kind}.rule-${id % 7}`, reason: `Event ${id}: the active answers its tests` },
      ...{ phase: 'watching' as const, verdict: 'healthy' as const, evidence: { round: id, failed: ['sip'] } },
    };
  });
}
