import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openHistory } from '../../../src-main/history/history.ts';
import { connect, requireNodeApi } from '../../../src-main/history/runtime.ts';
import { type Migration, migrations, newestVersion } from '../../../src-main/history/schema.ts';
import { aRestore, decision, lookInto, newHistory, noon, opened, ownFolder, thrownBy } from './workbench.ts';

describe('the Node underneath', () => {
  it.each(['9', '8', undefined])('Node-API %s is refused in words before SQLite is loaded', (napi) => {
    expect(() => requireNodeApi({ napi, node: '20.19.0' })).toThrow(
      expect.objectContaining({
        code: 'runtime',
        message: expect.stringContaining('20.19.0'),
        todo: expect.stringMatching(/22\.14/),
      }),
    );
  });

  it.each(['10', '11'])('Node-API %s will do', (napi) => {
    expect(thrownBy(() => requireNodeApi({ napi, node: '24' }))).toBeUndefined();
  });
});

describe('opening', () => {
  it('says which folder is missing', () => {
    const file = join(ownFolder(), 'nowhere', 'estepe.db');
    expect(() => openHistory(file)).toThrow(
      expect.objectContaining({ code: 'data-folder', message: expect.stringContaining('nowhere') }),
    );
  });

  it('says so when the path is a folder', () => {
    const file = join(ownFolder(), 'estepe.db');
    mkdirSync(file);
    expect(() => openHistory(file, { onDamage: 'set-aside' })).toThrow(expect.objectContaining({ code: 'database' }));
  });

  it('an empty file is one that was emptied: what stood in it is lost, and that is said', () => {
    const file = join(ownFolder(), 'estepe.db');
    writeFileSync(file, '');
    expect(() => opened(file)).toThrow(/is damaged: it is empty/);
    const history = opened(file, { onDamage: 'set-aside' });
    expect(history.notice?.sentence).toMatch(/Lost: the standing/);
    expect(history.recall('standingLost')).not.toBeNull();
  });

  it('goes on with a file whose very first transaction was cut off', () => {
    const born = join(ownFolder(), 'estepe.db');
    const db = connect(born);
    // A file grown by a transaction that never ended, and the journal to take it back.
    db.exec('BEGIN IMMEDIATE; PRAGMA user_version = 1');
    db.pragma('cache_size = 1');
    db.exec('CREATE TABLE half (a)');
    for (let n = 0; n < 300; n++) db.prepare('INSERT INTO half VALUES (?)').run('x'.repeat(900));
    const file = join(ownFolder(), 'estepe.db');
    for (const suffix of ['', '-journal']) writeFileSync(file + suffix, readFileSync(born + suffix));
    db.close();
    expect(() => connect(file, { readonly: true }).pragma('user_version')).toThrow(/readonly/);
    expect(opened(file).standing()).toBeNull();
  });

  it('leaves one file behind after an orderly close, marked so', () => {
    const history = newHistory();
    history.event(decision);
    history.close();
    expect(readdirSync(join(history.file, '..'))).toEqual(['estepe.db']);
    expect(lookInto(history.file, (db) => db.prepare(`SELECT value FROM meta WHERE key = 'clean'`).pluck().get())).toBe(
      1,
    );
  });

  it('uses the write-ahead log, with every commit on disk and foreign keys held', () => {
    const history = newHistory();
    expect(lookInto(history.file, (db) => db.pragma('journal_mode', { simple: true }))).toBe('wal');
    expect(lookInto(history.file, (db) => db.pragma('auto_vacuum', { simple: true }))).toBe(2);
  });

  it.each([undefined, 'set-aside'] as const)(
    'refuses a database of another program and leaves it as it is (onDamage %s)',
    (onDamage) => {
      const file = join(ownFolder(), 'estepe.db');
      lookInto(file, (db) => db.exec('CREATE TABLE calls (id INTEGER PRIMARY KEY)'));
      const before = readFileSync(file);
      expect(() => openHistory(file, onDamage === undefined ? {} : { onDamage })).toThrow(
        expect.objectContaining({ code: 'database', message: expect.stringContaining('another program') }),
      );
      expect(readFileSync(file)).toEqual(before);
    },
  );
});

describe('versions', () => {
  const next: Migration = {
    version: newestVersion() + 1,
    what: 'a column more',
    run: (db) => db.exec(`ALTER TABLE event ADD COLUMN node TEXT NOT NULL DEFAULT 'here'`),
  };

  /** A file as the first Estepe left it, with a row in it. */
  function version1(): string {
    const file = join(ownFolder(), 'estepe.db');
    const first = openHistory(file, { migrations: migrations.slice(0, 1) });
    first.event(decision);
    first.saveStanding({ role: 'active', epoch: 4, since: noon });
    first.close();
    return file;
  }

  const versionIn = (file: string): unknown => lookInto(file, (db) => db.pragma('user_version', { simple: true }));

  it('are without a gap from 1 on', () => {
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, n) => n + 1));
  });

  it('a file of version 1 is brought to the newest, its rows kept', () => {
    const file = version1();
    expect(versionIn(file)).toBe(1);
    const history = opened(file, { migrations: [...migrations, next] });
    expect(versionIn(file)).toBe(next.version);
    expect(history.standing()).toEqual({ role: 'active', epoch: 4, since: noon });
    expect(history.events({ limit: 9 })).toEqual([{ ...decision, id: 1 }]);
    expect(lookInto(file, (db) => db.prepare('SELECT node FROM event').pluck().get())).toBe('here');
  });

  it.each(migrations.map(({ version }) => version))('a file of version %s takes and tells restores', (version) => {
    const file = join(ownFolder(), 'estepe.db');
    const former = openHistory(file, { migrations: migrations.slice(0, version) });
    former.saveStanding({ role: 'passive', epoch: 2, since: noon });
    former.close();
    expect(versionIn(file)).toBe(version);
    const history = opened(file);
    expect(versionIn(file)).toBe(newestVersion());
    expect([history.standing()?.epoch, history.restores.restoredNow()]).toEqual([2, null]);
    const id = history.restores.begin(aRestore);
    expect(history.restores.open()).toMatchObject({ id, ...aRestore });
  });

  it('a step that fails half-way leaves the version before it, whole', () => {
    const file = version1();
    const broken: Migration = {
      ...next,
      run: (db) => {
        next.run(db);
        db.exec('DROP TABLE standing');
        db.exec('no sense');
      },
    };
    expect(() => openHistory(file, { migrations: [...migrations, broken] })).toThrow(
      expect.objectContaining({ code: 'database' }),
    );
    expect(versionIn(file)).toBe(newestVersion());
    expect(opened(file).standing()).toEqual({ role: 'active', epoch: 4, since: noon });
  });

  it('two engines that migrate at once do it once', () => {
    const file = version1();
    const left = opened(file, { migrations: [...migrations, next] });
    const right = opened(file, { migrations: [...migrations, next] });
    expect(left.standing()).toEqual(right.standing());
  });

  it.each([undefined, 'set-aside'] as const)(
    'a file of a newer Estepe is refused in words and does not change by a byte (onDamage %s)',
    (onDamage) => {
      const file = version1();
      openHistory(file, { migrations: [...migrations, next] }).close();
      const before = readFileSync(file);
      expect(() => openHistory(file, onDamage === undefined ? {} : { onDamage })).toThrow(
        expect.objectContaining({ code: 'database', message: expect.stringContaining('newer Estepe') }),
      );
      expect(readFileSync(file)).toEqual(before);
      expect(readdirSync(join(file, '..'))).toEqual(['estepe.db']);
    },
  );

  it('the same for a newer one that died with its work still in the log', () => {
    const file = version1();
    const newer = connect(file);
    newer.pragma('journal_mode = WAL');
    newer.pragma('user_version = 7');
    const copy = join(ownFolder(), 'estepe.db');
    const parts = ['', '-wal'].map((suffix) => [suffix, readFileSync(file + suffix)] as const);
    for (const [suffix, bytes] of parts) writeFileSync(copy + suffix, bytes);
    newer.close();
    expect(() => openHistory(copy)).toThrow(
      expect.objectContaining({ code: 'database', detail: expect.objectContaining({ version: 7 }) }),
    );
    for (const [suffix, bytes] of parts) expect(readFileSync(copy + suffix)).toEqual(bytes);
  });
});
