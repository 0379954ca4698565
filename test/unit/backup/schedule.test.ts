/** When scheduled work falls due: daylight saving both ways, a clock that is set, a machine that was off. Time is wound by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextDue, oldestBy, Schedule, type Timetable } from '../../../src-main/backup/schedule.ts';
import { Clockwork } from '../clockwork.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const daily: Timetable = { cron: '0 1 * * *', timeZone: 'Europe/Madrid', jitterMs: 0, seed: 'head-office' };
const iso = (at: number | null): string => (at === null ? 'never' : new Date(at).toISOString().slice(0, 16));
const utc = (text: string): number => Date.parse(`${text}:00Z`);

/** A schedule that runs, and each run with both clocks. */
class Rig {
  readonly work = new Clockwork();
  readonly runs: { wall: number; mono: number }[] = [];
  kept: number | null = null;
  busy = false;
  #schedule: Schedule | null = null;
  readonly timetable: Timetable;

  constructor(timetable: Timetable, at: string) {
    this.timetable = timetable;
    this.work.stepWall(utc(at) - this.work.time.wall());
    this.start();
  }

  start(): void {
    const { clock } = this.work;
    this.#schedule = new Schedule({
      clock,
      kept: this.kept,
      due: () => {
        if (!this.busy) this.runs.push({ wall: clock.wall(), mono: clock.now() });
        return !this.busy;
      },
      keep: (until) => {
        this.kept = until;
      },
    });
    this.#schedule.set(this.timetable, false);
  }

  get schedule(): Schedule {
    if (this.#schedule === null) throw new Error('it does not run');
    return this.#schedule;
  }

  /** Lets so much time pass; nothing here waits for a promise. */
  wind(ms: number): void {
    const { time } = this.work;
    const end = time.now + ms;
    for (let at = time.next(); at !== null && at <= end; at = time.next()) time.step();
    time.now = end;
  }

  /** The machine is off for so long. */
  off(ms: number): void {
    this.schedule.close();
    this.wind(ms);
    this.start();
  }

  ran(): string[] {
    return this.runs.map(({ wall }) => iso(wall));
  }
}

describe('schedule', () => {
  it('C2 the night that has no 02:30 and the one that has two: once each', () => {
    const spring = new Rig({ ...daily, cron: '30 2 * * *' }, '2026-03-28T12:00');
    spring.wind(2 * day);
    // 02:30 is skipped there: it runs when the clocks have been put forward, at 03:00
    expect(spring.ran()).toEqual(['2026-03-29T01:00', '2026-03-30T00:30']);
    const autumn = new Rig({ ...daily, cron: '30 2 * * *' }, '2026-10-24T12:00');
    autumn.wind(2 * day);
    expect(autumn.ran()).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']);
  });

  it('C2 hourly through both nights: every real hour once', () => {
    for (const night of ['2026-03-28T22:30', '2026-10-24T22:30']) {
      const rig = new Rig({ ...daily, cron: '0 * * * *' }, night);
      rig.wind(6 * hour);
      expect(rig.runs.map(({ mono }) => mono)).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5].map((h) => h * hour));
    }
  });

  it('C2 the wall clock set by 5 min or a day, either way: neither twice nor never', () => {
    const back5 = new Rig(daily, '2026-06-01T12:00');
    back5.wind(11 * hour + minute);
    back5.work.stepWall(-5 * minute);
    back5.wind(day + 10 * minute);
    expect(back5.ran()).toEqual(['2026-06-01T23:00', '2026-06-02T23:00']);

    const forward5 = new Rig(daily, '2026-06-01T12:00');
    forward5.wind(10 * hour + 57 * minute);
    forward5.work.stepWall(5 * minute);
    forward5.wind(hour);
    expect(forward5.runs).toHaveLength(1);

    const backDay = new Rig(daily, '2026-06-01T12:00');
    backDay.wind(11 * hour + minute);
    backDay.work.stepWall(-day);
    backDay.wind(2 * day);
    // the same date once more, but a real day later
    expect(backDay.runs.map(({ mono }) => Math.round(mono / hour))).toEqual([11, 35, 59]);

    const forwardDay = new Rig(daily, '2026-06-01T12:00');
    forwardDay.work.stepWall(day);
    forwardDay.wind(day);
    expect(forwardDay.ran()).toEqual(['2026-06-02T12:00', '2026-06-02T23:00']);
  });

  it('missed while the machine was off: made up for once, then as usual; what was dealt with is not repeated', () => {
    const rig = new Rig(daily, '2026-06-01T12:00');
    rig.off(4 * day + hour);
    rig.wind(day);
    expect(rig.ran()).toEqual(['2026-06-05T13:00', '2026-06-05T23:00']);
    rig.off(hour);
    rig.wind(hour);
    expect(rig.runs).toHaveLength(2);
  });

  it('off while the clock was set back over the last run: no second one at once, and not never', () => {
    const rig = new Rig(daily, '2026-06-01T12:00');
    rig.wind(11 * hour + minute);
    rig.work.stepWall(-10 * day);
    rig.off(minute);
    rig.wind(2 * day);
    expect(rig.ran()).toEqual(['2026-06-01T23:00', '2026-05-23T23:00', '2026-05-24T23:00']);
  });

  it('what was not due when it passed does not fall due by another step of the clock', () => {
    const rig = new Rig({ ...daily, cron: '0 */6 * * *', timeZone: 'Australia/Lord_Howe' }, '2026-04-03T10:00');
    rig.work.stepWall(-5 * hour - 25 * minute);
    rig.wind(7 * hour);
    rig.work.stepWall(-35 * minute);
    rig.wind(3 * hour);
    expect(rig.ran()).toEqual(['2026-04-03T13:00']);
  });

  it('due while something else is under way: it waits, and runs once', () => {
    const rig = new Rig(daily, '2026-06-01T22:00');
    rig.busy = true;
    rig.wind(2 * hour);
    expect(rig.runs).toEqual([]);
    expect(iso(rig.schedule.nextAt())).toBe('2026-06-01T23:00');
    rig.busy = false;
    rig.wind(3 * hour);
    expect(rig.runs).toHaveLength(1);
  });

  it('jitter: later by less than it, the same for one night at any time, other for another pair', () => {
    const now = { wall: utc('2026-06-01T12:00'), mono: 0 };
    const mark = { from: now.wall, until: now.wall, mono: 0 };
    const at = (seed: string, jitterMs = hour) => nextDue({ ...daily, jitterMs, seed }, mark, now)?.at ?? 0;
    const seeds = Array.from({ length: 50 }, (_, i) => `pair ${i}`);
    const put = seeds.map((seed) => at(seed) - utc('2026-06-01T23:00'));
    expect(Math.min(...put)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...put)).toBeLessThan(hour);
    expect(new Set(put).size).toBeGreaterThan(40);
    expect(seeds.map((seed) => at(seed))).toEqual(seeds.map((seed) => at(seed)));
    expect(at('pair 0', 0)).toBe(utc('2026-06-01T23:00'));
  });

  it('what never falls due says so', () => {
    expect(new Rig({ ...daily, cron: '0 1 30 2 *' }, '2026-06-01T12:00').schedule.nextAt()).toBeNull();
    expect(iso(new Rig({ ...daily, cron: '0 1 29 2 *' }, '2026-06-01T12:00').schedule.nextAt())).toBe(
      '2028-02-29T00:00',
    );
  });

  it('how old restored data gets by two schedules', () => {
    const from = utc('2026-06-01T12:00');
    const age = (backup: string, restore: string) =>
      oldestBy({ cron: backup, timeZone: 'UTC' }, { cron: restore, timeZone: 'UTC' }, from);
    expect(age('0 1 * * *', '0 3 * * *')).toBe(26 * hour);
    expect(age('0 * * * *', '30 * * * *')).toBe(1.5 * hour);
    expect(age('0 1 * * *', '0 0 * * *')).toBe(47 * hour);
    expect(age('0 1 30 2 *', '0 3 * * *')).toBeNull();
  });

  const cron = fc.constantFrom('0 1 * * *', '30 2 * * *', '0 */6 * * *');
  const timeZone = fc.constantFrom('Europe/Madrid', 'America/Sao_Paulo', 'Australia/Lord_Howe');
  const start = fc.constantFrom('2026-03-27T12:00', '2026-10-23T12:00', '2026-04-03T10:00');
  const gapOf = (c: string): number => (c.includes('*/6') ? 6 * hour : day);
  const pass = fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: minute, max: 30 * hour }) });
  const off = fc.record({ do: fc.constant('off' as const), ms: fc.integer({ min: minute, max: 3 * day }) });
  const step = (min: number, max: number) =>
    fc.record({ do: fc.constant('step' as const), ms: fc.integer({ min, max }) });
  const some = (...acts: fc.Arbitrary<Act>[]) => fc.array(fc.oneof(...acts), { minLength: 1, maxLength: 8 });

  it('property: whatever is done to the clock and the machine, it is never waited for in vain', () => {
    const course = fc.property(cron, timeZone, start, some(pass, step(-2 * day, 2 * day), off), (c, z, at, acts) =>
      neverInVain(new Rig({ ...daily, cron: c, timeZone: z }, at), acts, gapOf(c)),
    );
    fc.assert(course, { numRuns: 300 });
  });

  it('property: a machine that is off now and then runs each occurrence once at most', () => {
    const course = fc.property(cron, timeZone, start, some(pass, off), (c, z, at, acts) => {
      const rig = new Rig({ ...daily, cron: c, timeZone: z }, at);
      neverInVain(rig, acts, gapOf(c));
      const seen = rig.runs.map(({ wall }) => occurrenceOf(rig.timetable, wall));
      expect(new Set(seen).size).toBe(seen.length);
    });
    fc.assert(course, { numRuns: 100 });
  });

  it('property: a clock that is set back again and again brings no two runs within half of the usual time', () => {
    const course = fc.property(cron, timeZone, start, some(pass, step(-6 * hour, 0)), (c, z, at, acts) => {
      const rig = new Rig({ ...daily, cron: c, timeZone: z }, at);
      neverInVain(rig, acts, gapOf(c));
      for (const [i, { mono }] of rig.runs.slice(1).entries()) {
        // an hour less in one night of the year; and a clock is looked at twice a minute
        expect(mono - (rig.runs[i]?.mono ?? 0)).toBeGreaterThanOrEqual(gapOf(c) / 2 - hour - minute);
      }
    });
    fc.assert(course, { numRuns: 300 });
  });
});

type Act = { do: 'pass' | 'step' | 'off'; ms: number };

/** From the last time anything was done to clock or machine, one and a half times the usual is the longest wait. */
function neverInVain(rig: Rig, acts: readonly Act[], gap: number): void {
  let since = 0;
  for (const { do: what, ms } of acts) {
    if (what !== 'pass') since = rig.work.time.now;
    if (what === 'pass') rig.wind(ms);
    else if (what === 'off') rig.off(ms);
    else rig.work.stepWall(ms);
  }
  // an hour more in the night in which the clocks go back
  rig.wind(1.5 * gap + 2 * hour);
  expect(rig.runs.filter(({ mono }) => mono >= since).length).toBeGreaterThan(0);
}

/** The occurrence that a run at this wall clock was for. */
function occurrenceOf(timetable: Timetable, wall: number): string {
  let from = wall - 3 * day;
  for (;;) {
    const next = nextDue(timetable, { from, until: from, mono: 0 }, { wall: from, mono: 0 })?.at ?? null;
    if (next === null || next > wall) return iso(from);
    from = next;
  }
}
