import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomes } from '../../../src-main/contract/words.ts';
import type { StoredBeat } from '../../../src-main/engine/ports.ts';
import { sourceFor } from '../../../src-main/history/series.ts';
import { beat, day, hour, lookInto, minute, newHistory, noon, opened } from './workbench.ts';

/** The answer worked out the slow way, from the beats themselves. */
function counted(beats: readonly StoredBeat[], from: number, to: number): Record<string, number> {
  const counts: Record<string, number> = { alive: 0, degraded: 0, dead: 0, foreign: 0, unknown: 0 };
  for (const { at, beat } of beats) if (at >= from && at < to) counts[beat.outcome] = (counts[beat.outcome] ?? 0) + 1;
  return counts;
}

describe('beats', () => {
  it('come back as they were, oldest first, the newest of them where there are too many', () => {
    const history = newHistory();
    const rows = outcomes.map((outcome, n) => beat(noon + n * 1_000 + 7, outcome, n * 333, 'sip', `evidence ${n}`));
    history.beats(rows);
    history.beats([beat(noon, 'alive', 1, 'web')]);
    history.close();
    const again = opened(history.file);
    const expected = rows.map(({ at, beat: { outcome, ms, evidence } }) => ({ at, outcome, ms, evidence }));
    expect(again.beatRows({ test: 'sip', from: noon, to: noon + hour, limit: 100 })).toEqual(expected);
    expect(again.beatRows({ test: 'sip', from: noon, to: noon + hour, limit: 2 })).toEqual(expected.slice(-2));
    expect(again.beatRows({ test: 'sip', from: noon + 1_007, to: noon + 2_007, limit: 9 })).toEqual([expected[1]]);
    expect(again.beatRows({ test: 'nobody', from: 0, to: noon * 2, limit: 9 })).toEqual([]);
  });

  it('the same beat written twice is there once and counted once', () => {
    const history = newHistory();
    const rows = [beat(noon), beat(noon + 30_000, 'dead', 4_000)];
    history.beats(rows);
    history.beats(rows);
    expect(history.availability('sip', noon, noon + hour)).toMatchObject({ alive: 1, dead: 1, share: 0.5 });
  });

  it('stay near the 15 to 20 bytes a beat that ten years of history are planned with', () => {
    const history = newHistory();
    const rounds = 6_000;
    for (let n = 0; n < rounds; n += 100) {
      history.beats(
        Array.from({ length: 300 }, (_, i) =>
          beat(noon + (n + Math.floor(i / 3)) * 30_000, 'alive', 8 + ((n + i) % 190), ['sip', 'web', 'tunnel'][i % 3]),
        ),
      );
    }
    const bytes = lookInto(history.file, (db) =>
      db.prepare<[], number>(`SELECT sum(pgsize) FROM dbstat WHERE name = 'beat'`).pluck().get(),
    );
    expect((bytes ?? Number.NaN) / (3 * rounds)).toBeLessThan(20);
  });

  it('evidence of any length is one text, bounded, kept once', () => {
    const history = newHistory();
    history.beats(Array.from({ length: 50 }, (_, n) => beat(noon + n, 'alive', 1, 'sip', 'x'.repeat(5_000))));
    expect(history.beatRows({ test: 'sip', from: noon, to: noon + 1, limit: 1 })[0]?.evidence).toHaveLength(300);
    expect(lookInto(history.file, (db) => db.prepare('SELECT count(*) FROM evidence').pluck().get())).toBe(1);
  });
});

describe('series', () => {
  it('has the counts and latencies of the beats, in whole buckets', () => {
    const history = newHistory();
    history.beats([
      beat(noon, 'alive', 10),
      beat(noon + 30_000, 'degraded', 40),
      beat(noon + 60_000, 'dead', 4_000),
      beat(noon + 90_000, 'foreign', 9),
      beat(noon + 120_000, 'unknown', 0),
    ]);
    const { bucketMs, points } = history.series({ test: 'sip', from: noon, to: noon + 40 * minute, points: 40 });
    expect(bucketMs).toBe(minute);
    expect(points).toEqual([
      { at: noon, alive: 1, degraded: 1, dead: 0, unknown: 0, msAvg: 25, msMax: 40 },
      { at: noon + minute, alive: 0, degraded: 0, dead: 2, unknown: 0, msAvg: null, msMax: null },
      { at: noon + 2 * minute, alive: 0, degraded: 0, dead: 0, unknown: 1, msAvg: null, msMax: null },
    ]);
  });

  it.each([
    ['10 min', 10 * minute, 'beat'],
    ['24 h', day, 'minute'],
    ['7 d', 7 * day, 'minute'],
    ['30 d', 30 * day, 'hour'],
    ['1 y', 365 * day, 'day'],
    ['10 y', 3650 * day, 'day'],
  ])('of %s comes from the right table', (_, span, source) => {
    expect(sourceFor({ from: noon, to: noon + span, points: 400 }, () => 0)).toBe(source);
  });

  it('takes a coarser table where the finer one was pruned', () => {
    const kept = { beat: noon, minute: noon - day, hour: noon - 2 * day };
    const source = (from: number): string => sourceFor({ from, to: from + 5 * minute, points: 400 }, (t) => kept[t]);
    expect([noon, noon - 1, noon - day - 1, noon - 2 * day - 1].map(source)).toEqual(['beat', 'minute', 'hour', 'day']);
  });

  const beatsOfDays = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3 * day }), fc.constantFrom(...outcomes), fc.integer({ min: 0, max: 4_000 })),
    { maxLength: 60 },
  );

  it('neither loses nor invents a beat, whatever the span and the points', () => {
    fc.assert(
      fc.property(
        beatsOfDays,
        fc.integer({ min: 0, max: 2 * day }),
        fc.integer({ min: 1, max: 400 * day }),
        fc.integer({ min: 1, max: 2_000 }),
        (some, offset, span, wanted) => {
          const history = newHistory();
          const rows = [...new Map(some.map((one) => [one[0], one])).values()].map(([t, outcome, ms]) =>
            beat(noon + t, outcome, ms),
          );
          history.beats(rows);
          const from = noon + offset;
          const { bucketMs, points } = history.series({ test: 'sip', from, to: from + span, points: wanted });
          history.close();
          expect(points.length).toBeLessThanOrEqual(wanted + 1);
          expect(points.every((point) => point.at % bucketMs === 0)).toBe(true);
          const first = Math.floor(from / bucketMs) * bucketMs;
          const end = Math.ceil((from + span) / bucketMs) * bucketMs;
          const { alive, degraded, dead = 0, foreign = 0, unknown } = counted(rows, first, end);
          const sum = (key: 'alive' | 'degraded' | 'dead' | 'unknown'): number =>
            points.reduce((total, point) => total + point[key], 0);
          expect({
            alive: sum('alive'),
            degraded: sum('degraded'),
            dead: sum('dead'),
            unknown: sum('unknown'),
          }).toEqual({
            alive,
            degraded,
            dead: dead + foreign,
            unknown,
          });
        },
      ),
      { seed: 7, numRuns: 40 },
    );
  }, 20_000);

  it('availability counts every beat of the span, whatever its ends', () => {
    fc.assert(
      fc.property(
        beatsOfDays,
        fc.integer({ min: 0, max: 3 * day }),
        fc.integer({ min: 1, max: 3 * day }),
        (some, a, b) => {
          const history = newHistory();
          const rows = [...new Map(some.map((one) => [one[0], one])).values()].map(([t, outcome]) =>
            beat(noon + t, outcome),
          );
          history.beats(rows);
          const told = history.availability('sip', noon + a, noon + a + b);
          const { from, to, alive, degraded, dead, foreign, unknown } = told;
          history.close();
          expect([noon + a - from, to - (noon + a + b)].every((ms) => ms >= 0 && ms < minute)).toBe(true);
          expect({ alive, degraded, dead, foreign, unknown }).toEqual(counted(rows, from, to));
          expect(told.measuredMs + told.unmeasuredMs).toBe(b);
          expect(told.answeredMs).toBeLessThanOrEqual(told.measuredMs);
        },
      ),
      { seed: 11, numRuns: 40 },
    );
  }, 20_000);

  it('availability has nothing to say where nothing was measured, or only unknown', () => {
    const history = newHistory();
    history.beats([beat(noon, 'unknown')]);
    expect(history.availability('sip', noon, noon + hour)).toMatchObject({ unknown: 1, share: null });
    expect(history.availability('nobody', noon, noon + hour).share).toBeNull();
  });
});

describe('measured time', () => {
  it('tells what was answered of the time that was measured, and how much was not measured at all', () => {
    const history = newHistory();
    const rows = (from: number, minutes: number, outcome: StoredBeat['beat']['outcome'], every = 30_000) =>
      Array.from({ length: (minutes * minute) / every }, (_, n) => beat(from + n * every, outcome));
    history.beats(rows(noon, 20, 'alive'));
    // while a failure is confirmed beats come faster: an outage must not count several times for that
    history.beats(rows(noon + 20 * minute, 10, 'dead', 5_000));
    history.beats(rows(noon + 30 * minute, 10, 'unknown'));
    expect(history.availability('sip', noon, noon + hour, 30_000)).toMatchObject({
      ...{ measuredMs: 30 * minute, answeredMs: 20 * minute, unmeasuredMs: 30 * minute, unitMs: minute },
      ...{ alive: 40, dead: 120, unknown: 20 },
    });
    // a span that begins and ends within a unit
    expect(history.availability('sip', noon + 15_000, noon + 90_000, 30_000)).toMatchObject({
      ...{ measuredMs: 75_000, unmeasuredMs: 0 },
    });
    // a heartbeat slower than a minute is not a comb of gaps
    expect(history.availability('sip', noon, noon + hour, 5 * minute)).toMatchObject({
      measuredMs: hour,
      unitMs: hour,
    });
    expect(history.availability('nobody', noon, noon + hour)).toMatchObject({ measuredMs: 0, unmeasuredMs: hour });
  });
});
