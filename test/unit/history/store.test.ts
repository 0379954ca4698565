import { describe, expect, it } from 'vitest';
import { openHistory } from '../../../src-main/history/history.ts';
import { decision, lookInto, newHistory, noon, opened, promotion } from './workbench.ts';

describe('standing', () => {
  it('is null before the first one, then the last one saved, across a restart', () => {
    const history = newHistory();
    expect(history.standing()).toBeNull();
    history.saveStanding({ role: 'passive', epoch: 0, since: noon });
    history.saveStanding({ role: 'active', epoch: 3, since: noon + 1 });
    history.close();
    expect(opened(history.file).standing()).toEqual({ role: 'active', epoch: 3, since: noon + 1 });
  });

  it('refuses a lower epoch and changes nothing (invariant 1)', () => {
    const history = newHistory();
    history.saveStanding({ role: 'active', epoch: 3, since: noon });
    expect(() => history.saveStanding({ role: 'active', epoch: 2, since: noon + 1 })).toThrow(
      expect.objectContaining({ name: 'EstepeError', code: 'refused', message: expect.stringContaining('epoch 3') }),
    );
    expect(history.standing()).toEqual({ role: 'active', epoch: 3, since: noon });
    expect(history.trouble()).toBeNull();
  });

  it('may change role under the same epoch: standing down', () => {
    const history = newHistory();
    history.saveStanding({ role: 'active', epoch: 3, since: noon });
    history.saveStanding({ role: 'passive', epoch: 3, since: noon + 1 });
    expect(history.standing()?.role).toBe('passive');
  });
});

describe('claims', () => {
  it('give an epoch to who asked first, and to nobody else ever', () => {
    const history = newHistory();
    expect(history.claimEpoch(1, 'left', noon)).toEqual({ won: true, owner: 'left' });
    expect(history.claimEpoch(1, 'right', noon)).toEqual({ won: false, owner: 'left' });
    expect(history.claimEpoch(1, 'left', noon)).toEqual({ won: true, owner: 'left' });
    history.close();
    expect(opened(history.file).claimEpoch(1, 'right', noon)).toEqual({ won: false, owner: 'left' });
  });

  it('B6 two engines on one file claim at the same instant: one wins, the other is told who', () => {
    const left = newHistory();
    const right = opened(left.file);
    const answers = [left.claimEpoch(5, 'left', noon), right.claimEpoch(5, 'right', noon)];
    expect(answers).toEqual([
      { won: true, owner: 'left' },
      { won: false, owner: 'left' },
    ]);
  });

  it('the highest epoch is that of claims and standing together', () => {
    const history = newHistory();
    expect(history.highestEpoch()).toBe(0);
    history.claimEpoch(2, 'left', noon);
    expect(history.highestEpoch()).toBe(2);
    history.saveStanding({ role: 'passive', epoch: 4, since: noon });
    expect(history.highestEpoch()).toBe(4);
  });

  it.each([0, -1, 1.5, Number.NaN])('epoch %s cannot be claimed', (epoch) => {
    const history = newHistory();
    expect(() => history.claimEpoch(epoch, 'left', noon)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(history.highestEpoch()).toBe(0);
    expect(history.trouble()).toBeNull();
  });
});

describe('small facts', () => {
  it('come back as they were, across a restart; undefined forgets', () => {
    const history = newHistory();
    history.remember('maintenance', { until: noon, by: 'console', deep: [1, null, 'x'] });
    history.remember('cool-down', noon);
    history.remember('cool-down', null);
    history.remember('gone', 1);
    history.remember('gone', undefined);
    history.close();
    const again = opened(history.file);
    expect(again.recall('maintenance')).toEqual({ until: noon, by: 'console', deep: [1, null, 'x'] });
    expect(again.recall('cool-down')).toBeNull();
    expect(again.recall('gone')).toBeUndefined();
    expect(again.recall('never')).toBeUndefined();
  });
});

describe('runbooks', () => {
  it('come back whole, with their journal in order', () => {
    const history = newHistory();
    expect(history.openRunbook()).toBeNull();
    const id = history.beginRunbook(promotion);
    history.intent(id, { step: 'guards', attempt: 1, intentAt: noon + 1, runToken: 'aa' });
    history.result(id, 'guards', 1, { outcome: 'done', sentence: 'all hold', output: '' }, noon + 2);
    history.setRunbook(id, { status: 'running', reason: '', epoch: 4 });
    history.intent(id, { step: 'claim', attempt: 1, intentAt: noon + 3, runToken: 'bb' });
    history.close();
    const record = {
      ...promotion,
      id,
      status: 'running',
      reason: '',
      epoch: 4,
      endedAt: null,
      entries: [
        {
          step: 'guards',
          attempt: 1,
          intentAt: noon + 1,
          runToken: 'aa',
          result: { outcome: 'done', sentence: 'all hold', output: '' },
          resultAt: noon + 2,
        },
        { step: 'claim', attempt: 1, intentAt: noon + 3, runToken: 'bb', result: null, resultAt: null },
      ],
    };
    const again = opened(history.file);
    expect(again.openRunbook()).toEqual(record);
    again.setRunbook(id, { status: 'done', reason: 'active', endedAt: noon + 9 });
    expect(again.openRunbook()).toBeNull();
    expect(again.lastRunbook()).toEqual({ ...record, status: 'done', reason: 'active', endedAt: noon + 9 });
  });

  it('only one is open at a time, halted ones included', () => {
    const history = newHistory();
    const id = history.beginRunbook(promotion);
    history.setRunbook(id, { status: 'halted', reason: 'a step failed' });
    expect(() => history.beginRunbook(promotion)).toThrow(expect.objectContaining({ code: 'refused' }));
    history.setRunbook(id, { status: 'cancelled', reason: 'by console', endedAt: noon });
    expect(history.beginRunbook(promotion)).toBe(id + 1);
  });

  it('the table itself refuses a second open one, whoever writes', () => {
    const history = newHistory();
    history.beginRunbook(promotion);
    const insert = `INSERT INTO runbook SELECT 99, kind, origin, by, because, overrides, 'halted', reason, epoch, dry_run, started_at, ended_at, steps FROM runbook`;
    expect(() => lookInto(history.file, (db) => db.exec(insert))).toThrow(/UNIQUE/);
  });

  it('an attempt is begun once, and not in a runbook that ended or never was', () => {
    const history = newHistory();
    const id = history.beginRunbook(promotion);
    const entry = { step: 'claim', attempt: 1, intentAt: noon, runToken: 'aa' } as const;
    history.intent(id, entry);
    expect(() => history.intent(id, entry)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => history.intent(id + 1, entry)).toThrow(expect.objectContaining({ code: 'internal' }));
    history.setRunbook(id, { status: 'done', reason: '', endedAt: noon });
    expect(() => history.intent(id, { ...entry, attempt: 2 })).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(history.lastRunbook()?.entries).toHaveLength(1);
  });

  it('a result needs its intent, may be repeated as it was, and is never replaced', () => {
    const history = newHistory();
    const id = history.beginRunbook(promotion);
    const done = { outcome: 'done', sentence: 'ours', output: 'x' } as const;
    expect(() => history.result(id, 'claim', 1, done, noon)).toThrow(expect.objectContaining({ code: 'internal' }));
    history.intent(id, { step: 'claim', attempt: 1, intentAt: noon, runToken: 'aa' });
    history.result(id, 'claim', 1, done, noon);
    history.result(id, 'claim', 1, done, noon + 5);
    expect(() => history.result(id, 'claim', 1, { ...done, outcome: 'failed' }, noon)).toThrow(/has a result already/);
    expect(history.openRunbook()?.entries[0]).toMatchObject({ result: done, resultAt: noon });
  });
});

describe('events', () => {
  it('come newest first, by id and severity, as they were told', () => {
    const history = newHistory();
    const ids = ['info', 'alert', 'info', 'warning'].map((severity, n) =>
      history.event({ ...decision, severity: severity as 'info', at: noon + n, rule: `R${n}` }),
    );
    expect(history.events({ limit: 2 }).map((event) => event.rule)).toEqual(['R3', 'R2']);
    expect(history.events({ limit: 9, before: ids[2] as number }).map((event) => event.rule)).toEqual(['R1', 'R0']);
    expect(history.events({ limit: 9, severity: 'info' }).map((event) => event.rule)).toEqual(['R2', 'R0']);
    expect(history.events({ limit: 1 })[0]).toEqual({ ...decision, id: ids[3], at: noon + 3, rule: 'R3' });
  });

  it('an id is never given twice, not even after the newest events were pruned and the engine began anew', async () => {
    const history = newHistory();
    const id = history.event({ ...decision, at: 1 });
    await history.prune({ beatsMs: null, minutesMs: null, hoursMs: null, eventsMs: 0 });
    expect(history.events({ limit: 9 })).toEqual([]);
    history.close();
    expect(opened(history.file).event(decision)).toBe(id + 1);
  });

  it('evidence that JSON cannot hold, or far too much of it, costs the evidence and not the event', () => {
    const history = newHistory();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    history.event({ ...decision, evidence: circle });
    history.event({ ...decision, evidence: { n: 1n } });
    history.event({ ...decision, evidence: { much: 'x'.repeat(1_000_000) } });
    expect(history.events({ limit: 9 }).map((event) => Object.keys(event.evidence))).toEqual([
      ['leftOut'],
      ['leftOut'],
      ['leftOut'],
    ]);
    expect(history.dropped()).toEqual({ events: 0, beats: 0 });
  });
});

it('closing twice is harmless, and what comes after is neither written nor thrown', () => {
  const history = newHistory();
  history.close();
  history.close();
  history.event(decision);
  history.beats([]);
  expect(() => history.remember('a', 1)).toThrow(expect.objectContaining({ code: 'database' }));
  const again = openHistory(history.file);
  expect(again.events({ limit: 9 })).toEqual([]);
  again.close();
});
