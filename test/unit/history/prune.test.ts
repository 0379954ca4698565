import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { History } from '../../../src-main/history/history.ts';
import { defaultRetention, leapMs } from '../../../src-main/history/prune.ts';
import { beat, day, decision, hour, lookInto, minute, newHistory, noon } from './workbench.ts';

const keepAll = { beatsMs: null, minutesMs: null, hoursMs: null, eventsMs: null };

function rowsOf(history: History, table: string): number {
  return lookInto(history.file, (db) => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()));
}

/** A beat an hour for so many days up to noon, each day with its own evidence. */
function hourly(history: History, days: number): void {
  for (let d = days; d > 0; d--) {
    const from = noon - d * day;
    history.beats(Array.from({ length: 24 }, (_, h) => beat(from + h * hour, 'alive', 20, 'sip', `day ${d}`)));
  }
}

describe('pruning', () => {
  it('takes away what is older than each table keeps, and nothing else', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 30);
    history.event({ ...decision, at: noon - 20 * day });
    history.event({ ...decision, at: noon - 5 * day });
    const report = await history.prune({
      beatsMs: 10 * day,
      minutesMs: 15 * day,
      hoursMs: 20 * day,
      eventsMs: 6 * day,
    });
    expect(report).toMatchObject({ beats: 20 * 24, minutes: 15 * 24, hours: 10 * 24, events: 1, stopped: null });
    expect(['beat', 'minute', 'hour'].map((table) => rowsOf(history, table))).toEqual([240, 360, 480]);
    expect(rowsOf(history, 'day')).toBe(31);
    expect(history.beatRows({ test: 'sip', from: 0, to: noon, limit: 1_000 })[0]?.at).toBe(noon - 10 * day);
    expect(history.events({ limit: 9 }).map((event) => event.at)).toEqual([noon - 5 * day]);
  });

  it('takes evidence with the last beats it belonged to, and leaves the rest readable', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 30);
    const { evidence } = await history.prune({ ...keepAll, beatsMs: 10 * day });
    expect(evidence).toBeGreaterThanOrEqual(17);
    const left = history.beatRows({ test: 'sip', from: 0, to: noon, limit: 1_000 });
    expect(left.filter((row) => row.evidence === '')).toEqual([]);
  });

  it('evidence that a text cache holds is kept fresh by the days it is seen on', async () => {
    const history = newHistory({ wall: () => noon });
    for (let d = 30; d >= 0; d--) history.beats([beat(noon - d * day - 1)]);
    await history.prune({ ...keepAll, beatsMs: 5 * day });
    history.beats([beat(noon)]);
    expect(history.beatRows({ test: 'sip', from: noon, to: noon + 1, limit: 1 })[0]?.evidence).toBe('SIP/2.0 200 OK');
  });

  it('gives the room back to the disk', async () => {
    const history = newHistory({ wall: () => noon });
    for (let n = 0; n < 40; n++) {
      history.beats(Array.from({ length: 500 }, (_, i) => beat(noon - 40 * day + (n * 500 + i) * minute)));
    }
    const size = (): number => lookInto(history.file, (db) => Number(db.pragma('page_count', { simple: true })));
    const before = size();
    const { bytes } = await history.prune({ ...keepAll, beatsMs: day, minutesMs: day });
    expect(bytes).toBeGreaterThan(500_000);
    expect(size()).toBe(before - bytes / 4096);
    history.close();
    expect(statSync(history.file).size).toBe(size() * 4096);
  });

  it('lets beats and decisions through between its chunks', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 400);
    let rounds = 0;
    const timer = setInterval(() => {
      history.beats([beat(noon + ++rounds)]);
      history.saveStanding({ role: 'passive', epoch: rounds, since: noon });
    }, 1);
    const report = await history.prune({ ...keepAll, beatsMs: day, minutesMs: day });
    clearInterval(timer);
    expect(report.stopped).toBeNull();
    expect(rounds).toBeGreaterThan(1);
    expect(history.trouble()).toBeNull();
    expect(history.availability('sip', noon, noon + hour).alive).toBe(rounds);
  });

  it('stops where it is told to and goes on the next time', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 200);
    let asked = 0;
    const first = await history.prune({ ...keepAll, beatsMs: day }, { stop: () => (++asked > 3 ? 'enough' : null) });
    expect(first.stopped).toBe('enough');
    expect(first.beats).toBeGreaterThan(0);
    const second = await history.prune({ ...keepAll, beatsMs: day });
    expect(first.beats + second.beats).toBe(199 * 24);
  });

  it('ends quietly when the history is closed under it', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 200);
    const pruning = history.prune({ ...keepAll, beatsMs: day });
    history.close();
    expect((await pruning).stopped).toBe('the history was closed');
  });

  it('a second call joins the one under way', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 100);
    const [first, second] = await Promise.all([history.prune(), history.prune()]);
    expect(first).toBe(second);
    expect(first.beats).toBe(10 * 24);
  });

  it('C2 a clock that leapt by years is not believed at once: a wrong date does not empty the history', async () => {
    let wall = noon;
    const history = newHistory({ wall: () => wall });
    hourly(history, 5);
    await history.prune();
    wall = noon + 20 * 365 * day;
    expect((await history.prune()).stopped).toMatch(/leapt/);
    expect(rowsOf(history, 'beat')).toBe(120);
    wall = noon + day;
    await history.prune();
    expect(rowsOf(history, 'beat')).toBe(120);
    wall = noon + leapMs + defaultRetention.beatsMs! + 10 * day;
    expect((await history.prune()).stopped).toMatch(/leapt/);
    expect((await history.prune()).beats).toBe(120);
  });

  it('a series over what was pruned is answered from what is left', async () => {
    const history = newHistory({ wall: () => noon });
    hourly(history, 30);
    await history.prune({ ...keepAll, beatsMs: 10 * day, minutesMs: 15 * day });
    const { bucketMs, points } = history.series({
      test: 'sip',
      from: noon - 20 * day,
      to: noon - 19 * day,
      points: 400,
    });
    expect(bucketMs).toBe(hour);
    expect(points).toHaveLength(24);
    const { alive, from } = history.availability('sip', noon - 20 * day - 1, noon - 19 * day);
    expect({ alive, from }).toEqual({ alive: 25, from: noon - 20 * day - hour });
  });
});
