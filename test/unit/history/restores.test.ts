/** What was restored here: one at a time, what stands here whatever became of it, closed after a crash, kept through damage. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { History } from '../../../src-main/history/history.ts';
import type { RestoreEnd, RestoreStart, Stands } from '../../../src-main/history/restores.ts';
import { aRestore, day, hour, lookInto, newHistory, noon, opened } from './workbench.ts';

const good: RestoreEnd = {
  endedAt: noon + 60_000,
  outcome: 'restored',
  stands: 'new',
  reason: '',
  proven: 'every byte',
  sha256: 'ab'.repeat(32),
  files: 3,
  bytes: 4,
};
const failed: RestoreEnd = { ...good, outcome: 'failed', stands: 'old', reason: 'the disk', proven: '', sha256: null };

function add({ restores }: History, start: Partial<RestoreStart> = {}, end: RestoreEnd = good): number {
  const id = restores.begin({ ...aRestore, ...start });
  restores.end(id, end);
  return id;
}

describe('restores', () => {
  it('one at a time, told while it is under way, and ended once', () => {
    const { restores } = newHistory();
    const id = restores.begin(aRestore);
    expect(restores.open()).toMatchObject({ id, ...aRestore, endedAt: null, outcome: null, stands: 'old' });
    expect(() => restores.begin(aRestore)).toThrow(expect.objectContaining({ code: 'refused' }));
    restores.end(id, good);
    expect(restores.list(9)).toEqual([{ id, ...aRestore, ...good }]);
    expect(restores.open()).toBeNull();
    expect(() => restores.end(id, good)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => restores.mark(id, 'unknown')).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  it('times are whole milliseconds, whatever the clock gives', () => {
    const history = newHistory();
    add(history, { createdAt: 1.4, begunAt: 2.6 }, { ...good, endedAt: 3.5 });
    expect(history.restores.list(1)).toMatchObject([{ createdAt: 1, begunAt: 3, endedAt: 4 }]);
  });

  it('what stands here is what was last put here; what came to nothing changes nothing', () => {
    const history = newHistory();
    const { restores } = history;
    expect([restores.restoredNow(), restores.lastRestored()]).toEqual([null, null]);
    add(history);
    const now = {
      ...{ name: aRestore.name, sha256: good.sha256, createdAt: aRestore.createdAt, epoch: 2 },
      ...{ restoredAt: good.endedAt, verified: true, proven: 'every byte' },
    };
    expect(restores.restoredNow()).toEqual(now);
    for (const outcome of ['failed', 'refused', 'cancelled', 'taken-back'] as const) {
      add(history, { name: 'b.zip' }, { ...failed, outcome });
      expect(restores.restoredNow()).toEqual(now);
    }
    expect(restores.lastRestored()?.name).toBe(aRestore.name);
    add(history, { name: 'c.zip' }, { ...good, endedAt: noon + hour });
    expect(restores.restoredNow()).toMatchObject({ name: 'c.zip', restoredAt: noon + hour });
    expect([...restores.restoredTimes()]).toEqual([
      ['c.zip', noon + hour],
      [aRestore.name, good.endedAt],
    ]);
  });

  it('half of one is not verified, and no younger than the older of both', () => {
    const history = newHistory();
    const { restores } = history;
    add(history);
    const id = restores.begin({ ...aRestore, name: 'b.zip', createdAt: noon });
    restores.mark(id, 'unknown');
    const half = { name: 'b.zip', createdAt: aRestore.createdAt, verified: false };
    expect(restores.restoredNow()).toMatchObject({ ...half, proven: 'a restore is replacing what stands here' });
    restores.end(id, { ...failed, stands: 'unknown' });
    expect(restores.restoredNow()).toMatchObject({ ...half, proven: 'the disk' });
    add(history, { name: 'c.zip' });
    expect(restores.restoredNow()).toMatchObject({ name: 'c.zip', verified: true });
    expect(restores.lastRestored()?.name).toBe('c.zip');
  });
});

describe('F1 what a crash left open is closed as cut off', () => {
  it.each<[Stands, 'old' | 'new' | null, Partial<RestoreEnd>]>([
    ['old', null, { outcome: 'failed', stands: 'old' }],
    ['old', 'old', { outcome: 'failed', stands: 'old', reason: 'it was ended' }],
    ['unknown', null, { outcome: 'failed', stands: 'unknown' }],
    ['unknown', 'old', { outcome: 'taken-back', stands: 'old', reason: 'it was ended' }],
    ['unknown', 'new', { outcome: 'restored', stands: 'new', reason: 'it was ended' }],
    ['new', null, { outcome: 'restored', stands: 'new' }],
  ])('marked %s, ended in %s', (mark, ended, wanted) => {
    const history = newHistory();
    history.restores.mark(history.restores.begin(aRestore), mark);
    const { file } = history;
    history.close();
    const { restores } = opened(file);
    const recovered = ended === null ? null : { ended, sentence: 'it was ended' };
    expect(restores.closeOpen(noon + hour, recovered)).toMatchObject({ ...wanted, endedAt: noon + hour });
    expect(restores.restoredNow()?.verified ?? null).toBe(
      { old: null, unknown: false, new: true }[wanted.stands ?? 'old'],
    );
    expect(restores.closeOpen(noon + hour, null)).toBeNull();
  });
});

describe('what is kept', () => {
  it('old ones go with the events, never the one that stands here, nor what came after it', async () => {
    const history = newHistory({ wall: () => noon + 400 * day });
    add(history, { name: 'a.zip' });
    add(history, { name: 'b.zip' }, failed);
    add(history, { name: 'c.zip' });
    add(history, { name: 'd.zip' }, failed);
    const keep = { beatsMs: null, minutesMs: null, hoursMs: null };
    await history.prune({ ...keep, eventsMs: 500 * day });
    expect(history.restores.list(9)).toHaveLength(4);
    expect(await history.prune({ ...keep, eventsMs: 30 * day })).toMatchObject({ restores: 2 });
    expect(history.restores.list(9).map(({ name }) => name)).toEqual(['d.zip', 'c.zip']);
  });

  it('where nothing ever stood here, all stay', async () => {
    const history = newHistory({ wall: () => noon + 400 * day });
    add(history, {}, failed);
    await history.prune({ beatsMs: null, minutesMs: null, hoursMs: null, eventsMs: day });
    expect(history.restores.list(9)).toHaveLength(1);
  });

  it('a damaged history gives them to the new one', () => {
    const history = newHistory();
    const { file } = history;
    history.saveStanding({ role: 'passive', epoch: 2, since: noon });
    add(history);
    history.close();
    breakTable(file, 'event');
    const fresh = opened(file, { onDamage: 'set-aside' });
    expect(fresh.notice?.sentence).toMatch(/\b1 restore\b/);
    expect(fresh.restores.restoredNow()).toMatchObject({ name: aRestore.name, verified: true });
  });

  /** The root page of one table becomes no page at all. */
  function breakTable(file: string, table: string): void {
    const [page, size] = lookInto(file, (db) => [
      Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(table)),
      Number(db.pragma('page_size', { simple: true })),
    ]);
    lookInto(file, (db) => db.prepare("UPDATE meta SET value = 0 WHERE key = 'clean'").run());
    const bytes = readFileSync(file);
    bytes.fill(0x5a, ((page ?? 1) - 1) * (size ?? 4096), (page ?? 1) * (size ?? 4096));
    writeFileSync(file, bytes);
  }
});
