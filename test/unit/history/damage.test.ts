import { existsSync, linkSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openHistory } from '../../../src-main/history/history.ts';
import { connect } from '../../../src-main/history/runtime.ts';
import { beat, decision, lookInto, minute, noon, opened, ownFolder, promotion, thrownBy } from './workbench.ts';

const setAside = { onDamage: 'set-aside', wall: () => noon } as const;
const stamp = '20260501T120000Z';

/** A history with something of everything in it, closed in order unless it is cut off. */
function filled(): string {
  const file = join(ownFolder(), 'estepe.db');
  const history = openHistory(file);
  history.saveStanding({ role: 'active', epoch: 7, since: noon });
  history.claimEpoch(6, 'there', noon);
  history.claimEpoch(7, 'here', noon);
  history.remember('maintenance', { until: noon });
  const id = history.beginRunbook(promotion);
  for (const attempt of [1, 2, 3]) {
    history.intent(id, { step: 'guards', attempt, intentAt: noon, runToken: `t${attempt}` });
    history.result(id, 'guards', attempt, { outcome: 'failed', sentence: 'no', output: 'x'.repeat(3_000) }, noon);
  }
  for (let n = 0; n < 20; n++) {
    history.beats(
      Array.from({ length: 100 }, (_, i) => beat(noon + (n * 100 + i) * minute, 'alive', 9, 'sip', `answer ${i}`)),
    );
  }
  history.event(decision);
  history.close();
  return file;
}

/** Pages (from 1 on) that a table is made of. */
function pagesOf(file: string, table: string): number[] {
  return lookInto(file, (db) =>
    db.prepare<[string], number>('SELECT pageno FROM dbstat WHERE name = ?').pluck().all(table),
  );
}

function overwrite(file: string, pages: readonly number[]): void {
  const bytes = readFileSync(file);
  for (const page of pages) bytes.fill(0xa5, (page - 1) * 4096 + (page === 1 ? 100 : 0), page * 4096);
  writeFileSync(file, bytes);
}

/** As after a power cut: the next start looks at the whole file. */
function markUnclean(file: string): void {
  lookInto(file, (db) => db.exec(`UPDATE meta SET value = 0 WHERE key = 'clean'`));
}

/** The file and its log as they lie on the disk while the log holds epoch 8 and the file still epoch 7. */
function withLog(file: string): { main: Buffer; wal: Buffer } {
  const db = connect(file);
  db.pragma('journal_mode = WAL');
  db.pragma('wal_autocheckpoint = 0');
  db.exec('UPDATE standing SET epoch = 8');
  const wal = readFileSync(`${file}-wal`);
  const main = readFileSync(file);
  db.close();
  return { main, wal };
}

const asideOf = (file: string): string => `${file}.damaged-${stamp}`;

describe('a damaged database', () => {
  it.each([
    ['text', 'this is not a database, '.repeat(500)],
    ['a few bytes', 'oops'],
  ])('%s in its place is refused in words and left as it is', (_, text) => {
    const file = join(ownFolder(), 'estepe.db');
    writeFileSync(file, text);
    const error = thrownBy(() => openHistory(file));
    expect(error).toMatchObject({
      code: 'database',
      message: expect.stringContaining(file),
      todo: expect.stringContaining('left as it is'),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(readdirSync(dirname(file))).toEqual(['estepe.db']);
  });

  it('is set aside, never deleted, when that is asked; what cannot be saved is said', () => {
    const file = join(ownFolder(), 'estepe.db');
    writeFileSync(file, 'this is not a database, '.repeat(500));
    const history = opened(file, setAside);
    expect(history.notice?.sentence).toMatch(/Nothing could be saved.*Lost: the standing/);
    expect(history.recall('standingLost')).toMatchObject({ aside: expect.stringContaining('.damaged-') as string });
    expect(history.notice?.todo).toMatch(/role and epoch of both nodes/);
    expect(readFileSync(asideOf(file), 'utf8')).toMatch(/^this is not/);
    expect(history.standing()).toBeNull();
    expect(history.events({ limit: 1 })[0]).toMatchObject({ severity: 'alert', rule: 'history-set-aside' });
    history.close();
    expect(opened(file).notice).toBeNull();
  });

  it('with its beats torn: standing, claims, facts and the open runbook are saved, nothing vital lost', () => {
    const file = filled();
    markUnclean(file);
    overwrite(file, pagesOf(file, 'beat').slice(1));
    expect(() => openHistory(file)).toThrow(expect.objectContaining({ code: 'database' }));
    const history = opened(file, setAside);
    expect(history.standing()).toEqual({ role: 'active', epoch: 7, since: noon });
    expect(history.recall('standingLost')).toBeUndefined();
    expect(history.highestEpoch()).toBe(7);
    expect(history.claimEpoch(6, 'here', noon)).toEqual({ won: false, owner: 'there' });
    expect(history.recall('maintenance')).toEqual({ until: noon });
    expect(history.openRunbook()).toMatchObject({ ...promotion, status: 'running' });
    expect(history.openRunbook()?.entries).toHaveLength(3);
    expect(history.notice?.sentence).toMatch(/Saved from it: the standing \(active, epoch 7\)/);
    expect(history.notice?.sentence).not.toMatch(/Lost/);
    expect(existsSync(asideOf(file))).toBe(true);
  });

  it('is not looked for in the beats after an orderly end: that start is quick', () => {
    const file = filled();
    overwrite(file, pagesOf(file, 'beat').slice(-1));
    expect(opened(file).standing()?.epoch).toBe(7);
  });

  it('says that it did not look, where the file is too large for that after an unclean end', () => {
    const file = filled();
    markUnclean(file);
    expect(opened(file, { checkBytes: 1_000 }).notice).toMatchObject({ key: 'history-unchecked' });
  });

  it('a torn standing is found even after an orderly end, and said to be lost', () => {
    const file = filled();
    overwrite(file, pagesOf(file, 'standing'));
    const history = opened(file, setAside);
    expect(history.standing()).toBeNull();
    expect(history.notice?.sentence).toMatch(/Lost: the standing \(role and epoch\)/);
    expect(history.highestEpoch()).toBe(7);
  });

  it('an open runbook whose journal is torn comes back halted, for a person to decide', () => {
    const file = filled();
    overwrite(file, pagesOf(file, 'journal').slice(-1));
    const history = opened(file, setAside);
    expect(history.openRunbook()).toMatchObject({ status: 'halted', reason: expect.stringContaining('incomplete') });
    expect(history.notice?.sentence).toMatch(/Lost: part of its journal/);
  });

  it('values that make no sense are not taken over', () => {
    const file = filled();
    lookInto(file, (db) => {
      db.pragma('ignore_check_constraints = ON');
      db.exec(`UPDATE standing SET role = 'emperor'`);
    });
    overwrite(file, pagesOf(file, 'fact'));
    const history = opened(file, setAside);
    expect(history.standing()).toBeNull();
    expect(history.notice?.sentence).toMatch(/Lost: the standing/);
  });

  it('what the log held beside the damaged file is saved too', () => {
    const file = filled();
    const { main, wal } = withLog(file);
    writeFileSync(file, main);
    overwrite(file, pagesOf(file, 'fact'));
    writeFileSync(`${file}-wal`, wal);
    const history = opened(file, setAside);
    expect(history.standing()?.epoch).toBe(8);
    expect(readFileSync(`${asideOf(file)}-wal`)).toEqual(wal);
  });

  it('is refused with its log as it is, and nothing new beside it', () => {
    const file = filled();
    const { main, wal } = withLog(file);
    writeFileSync(file, main);
    overwrite(file, pagesOf(file, 'fact'));
    const damaged = readFileSync(file);
    writeFileSync(`${file}-wal`, wal);
    expect(() => openHistory(file)).toThrow(expect.objectContaining({ code: 'database' }));
    expect(readFileSync(file)).toEqual(damaged);
    expect(readFileSync(`${file}-wal`)).toEqual(wal);
    expect(readdirSync(dirname(file)).sort()).toEqual(['estepe.db', 'estepe.db-wal']);
  });

  it('emptied, with its log beside it, is damage and no new history; the log is set aside with it', () => {
    const file = filled();
    const { wal } = withLog(file);
    writeFileSync(file, '');
    writeFileSync(`${file}-wal`, wal);
    expect(() => openHistory(file)).toThrow(/its log is not/);
    expect(readFileSync(`${file}-wal`)).toEqual(wal);
    expect(opened(file, setAside).notice?.sentence).toMatch(/Nothing could be saved/);
    expect(readFileSync(`${asideOf(file)}-wal`)).toEqual(wal);
  });

  it('a second one in the same second gets a name of its own', () => {
    const file = filled();
    writeFileSync(asideOf(file), 'an older one');
    overwrite(file, pagesOf(file, 'standing'));
    expect(opened(file, setAside).notice?.sentence).toContain(`${asideOf(file)}-2`);
    expect(readFileSync(asideOf(file), 'utf8')).toBe('an older one');
  });
});

describe('dying while setting aside', () => {
  it('before the fresh one is complete: the next start begins again', () => {
    const file = filled();
    overwrite(file, pagesOf(file, 'beat').slice(1));
    markUnclean(file);
    linkSync(file, `${file}.damaged-earlier`);
    writeFileSync(`${file}.building`, 'half a database');
    const history = opened(file, setAside);
    expect(history.standing()?.epoch).toBe(7);
    expect(readdirSync(dirname(file)).filter((name) => name.includes('building'))).toEqual([]);
  });

  it('after it is complete: the next start finishes the work, and plays no foreign log into it', () => {
    const file = filled();
    const fresh = filled();
    lookInto(fresh, (db) => db.exec('UPDATE standing SET epoch = 9'));
    writeFileSync(`${file}.fresh`, readFileSync(fresh));
    // The log of the damaged file is still there, and is whole in itself.
    const db = connect(file);
    db.pragma('journal_mode = WAL');
    db.exec('UPDATE standing SET epoch = 8');
    const wal = readFileSync(`${file}-wal`);
    db.close();
    writeFileSync(`${file}-wal`, wal);
    expect(opened(file).standing()?.epoch).toBe(9);
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}.`))).toEqual([]);
  });
});
