/**
 * A damaged estepe.db: how it is noticed, how it is set aside (never deleted), and what can be saved from it: standing,
 * claims, small facts, the open runbook and what waits to be told, since losing the epoch would let two nodes be active. Nothing here decides
 * whether to set aside; the caller does.
 */
import { copyFileSync, existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs';
import { sentenceOf } from '../contract/errors.ts';
import { standingLostKey } from '../engine/ports.ts';
import { hasDeliveries } from './deliveries.ts';
import { hasRestores } from './restores.ts';
import { connect, type Sqlite } from './runtime.ts';
import { type Migration, migrate, migrations, newestVersion, versionOf } from './schema.ts';

/** Something the admin must be told about the history, shown until acted on. */
export interface Notice {
  key: string;
  sentence: string;
  todo: string;
}

/** The small tables that decisions stand on: checked at every open, in about a millisecond. */
const vitalTables = ['meta', 'standing', 'claim', 'fact', 'runbook', 'journal'] as const;

/**
 * What is wrong inside the file, as SQLite says it, or null. `whole: false` looks at the vital tables only; `true` at all
 * of it (measured: 0.4 s for 100 MB from the page cache, so its caller bounds the size). Throws SQLite's error where even
 * that cannot be read.
 */
export function damageIn(db: Sqlite, whole: boolean): string | null {
  const ask = (pragma: string): string => String(db.pragma(pragma, { simple: true }));
  for (const table of vitalTables) {
    const answer = ask(`quick_check('${table}')`);
    if (answer !== 'ok') return answer;
  }
  const answer = whole ? ask('quick_check(1)') : 'ok';
  return answer === 'ok' ? null : answer;
}

const companions = ['', '-wal', '-shm'] as const;
const freshOf = (file: string): string => `${file}.fresh`;

function removeAll(file: string): void {
  for (const suffix of companions) rmSync(file + suffix, { force: true });
}

/**
 * Ends a setting-aside that died between its steps: a complete fresh database waits beside the damaged one. To be called
 * before anything opens `file`.
 */
export function finishSettingAside(file: string): void {
  if (!existsSync(freshOf(file))) return;
  // First the log of the damaged file, or SQLite would play it into the fresh one.
  rmSync(`${file}-wal`, { force: true });
  rmSync(`${file}-shm`, { force: true });
  renameSync(freshOf(file), file);
}

/**
 * Gives the damaged file (with -wal and -shm) the name `<file>.damaged-<UTC stamp>` and puts a fresh one in its place that
 * holds what could be saved. Dying at any instant leaves either the damaged file in its place, to begin again, or a
 * complete fresh one. Answers what the admin must know. Throws the file system's errors.
 */
export function setAside(file: string, why: string, wall: number, list: readonly Migration[] = migrations): Notice {
  const aside = freeName(`${file}.damaged-${new Date(wall).toISOString().replace(/[-:]|\.\d+/g, '')}`);
  for (const suffix of companions) if (existsSync(file + suffix)) keep(file + suffix, aside + suffix);

  const unmade = companions.filter((suffix) => !existsSync(aside + suffix));

  const building = `${file}.building`;
  removeAll(building);
  const db = connect(building);
  let saved: Saved;
  try {
    db.pragma('auto_vacuum = INCREMENTAL');
    saved = saveInto(db, aside, list);
    // Reading it, SQLite puts its own files beside it and cannot remove them.
    for (const suffix of unmade) rmSync(aside + suffix, { force: true });
    // That the standing was lost before is such a fact, too.
    if (saved.lost.includes(standingWords) || saved.lost.includes(factsWords)) {
      db.prepare('INSERT INTO fact (key, value) VALUES (?, ?)').run(standingLostKey, JSON.stringify({ aside }));
    }
    const notice = noticeOf(file, aside, why, saved);
    db.prepare(
      `INSERT INTO event (at, kind, severity, rule, reason, evidence) VALUES (?, 'engine', 'alert', 'history-set-aside', ?, ?)`,
    ).run(Math.round(wall), notice.sentence, JSON.stringify({ aside, why, ...saved }));
    db.close();
    renameSync(building, freshOf(file));
    finishSettingAside(file);
    return notice;
  } finally {
    db.close();
    removeAll(building);
  }
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let n = 2; existsSync(name); n++) name = `${wanted}-${n}`;
  return name;
}

/** A second name for the same bytes; a copy where the file system has no links. The first name stays until all is ready. */
function keep(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

const factsWords = 'some remembered facts (maintenance, cool-down)';
const standingWords = 'the standing (role and epoch)';

interface Saved {
  saved: string[];
  lost: string[];
}

/** Rows of a table until its end or the first that cannot be read. */
function readable(db: Sqlite, sql: string): { rows: Record<string, unknown>[]; whole: boolean } {
  const rows: Record<string, unknown>[] = [];
  try {
    for (const row of db.prepare<[], Record<string, unknown>>(sql).iterate()) rows.push(row);
    return { rows, whole: true };
  } catch {
    return { rows, whole: false };
  }
}

/** Inserts rows as they are; the table's own constraints refuse what is no sense. Answers how many went in. */
function put(db: Sqlite, table: string, rows: readonly Record<string, unknown>[]): number {
  let count = 0;
  for (const row of rows) {
    const columns = Object.keys(row);
    try {
      db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`).run(
        ...Object.values(row),
      );
      count += 1;
    } catch {
      // Not sense: left behind, and counted as lost by the caller.
    }
  }
  return count;
}

function saveInto(fresh: Sqlite, aside: string, list: readonly Migration[]): Saved {
  const outcome: Saved = { saved: [], lost: [] };
  let old: Sqlite | null = null;
  let version = 0;
  try {
    if (tooShort(aside) === null) {
      old = connect(aside, { readonly: true });
      version = versionOf(old);
    }
  } catch {
    // Not readable as a database at all: nothing to save.
  }
  // Same version as the damaged one first, so that its rows fit; then on to the newest.
  const known = version >= 1 && version <= newestVersion(list);
  migrate(fresh, known ? list.filter((migration) => migration.version <= version) : list);
  if (old !== null && known) {
    saveRows(fresh, old, outcome);
    if (hasRestores(fresh)) saveRestores(fresh, old, outcome);
    if (hasDeliveries(fresh)) saveDeliveries(fresh, old, outcome);
    migrate(fresh, list);
  } else {
    outcome.lost.push(standingWords, 'the claims of epochs', 'an open runbook, if there was one');
  }
  try {
    old?.close();
  } catch {
    // A damaged file may not even close well; it is not ours any more.
  }
  return outcome;
}

function saveRows(fresh: Sqlite, old: Sqlite, { saved, lost }: Saved): void {
  const standing = readable(old, 'SELECT * FROM standing');
  if (put(fresh, 'standing', standing.rows) === 1) {
    saved.push(`the standing (${standing.rows[0]?.role}, epoch ${standing.rows[0]?.epoch})`);
  } else if (!standing.whole || standing.rows.length > 0) lost.push(standingWords);

  const claims = readable(old, 'SELECT * FROM claim');
  const claimed = put(fresh, 'claim', claims.rows);
  if (claimed > 0) saved.push(`${claimed} claims of epochs`);
  if (!claims.whole || claimed < claims.rows.length) lost.push('some claims of epochs');

  const facts = readable(old, 'SELECT * FROM fact');
  const kept = put(fresh, 'fact', facts.rows);
  if (kept > 0) saved.push(`${kept} remembered facts (maintenance, cool-down)`);
  if (!facts.whole || kept < facts.rows.length) lost.push(factsWords);

  saveOpenRunbook(fresh, old, { saved, lost });
}

/** What stands here is told by them; with any lost that cannot be told any more. */
function saveRestores(fresh: Sqlite, old: Sqlite, { saved, lost }: Saved): void {
  const restores = readable(old, 'SELECT * FROM restore NOT INDEXED ORDER BY id');
  const kept = restores.whole ? put(fresh, 'restore', restores.rows) : 0;
  if (kept > 0) saved.push(kept === 1 ? '1 restore' : `${kept} restores`);
  if (!restores.whole || kept < restores.rows.length) lost.push('what was restored here');
}

/** What waits to be told is told by the new file; what was told is no loss. */
function saveDeliveries(fresh: Sqlite, old: Sqlite, { saved, lost }: Saved): void {
  const waiting = readable(old, `SELECT * FROM delivery NOT INDEXED WHERE state = 'waiting' ORDER BY id`);
  const kept = put(fresh, 'delivery', waiting.rows);
  if (kept > 0) saved.push(kept === 1 ? '1 message that waits to be sent' : `${kept} messages that wait to be sent`);
  if (!waiting.whole || kept < waiting.rows.length) lost.push('messages that waited to be sent');
}

/** An open runbook whose journal cannot be read whole is kept as halted: what was done in it is for a person to say. */
function saveOpenRunbook(fresh: Sqlite, old: Sqlite, { saved, lost }: Saved): void {
  const runbooks = readable(old, `SELECT * FROM runbook NOT INDEXED WHERE status IN ('running', 'halted')`);
  const open = runbooks.rows[0];
  if (open === undefined || put(fresh, 'runbook', [open]) === 0) {
    if (!runbooks.whole || open !== undefined) lost.push('an open runbook');
    return;
  }
  const journal = readable(old, `SELECT * FROM journal NOT INDEXED WHERE runbook = ${Number(open.id)} ORDER BY id`);
  const entries = put(fresh, 'journal', journal.rows);
  if (journal.whole && entries === journal.rows.length) {
    saved.push(`the open runbook ${open.id} with ${entries} journal entries`);
    return;
  }
  fresh
    .prepare(`UPDATE runbook SET status = 'halted', reason = ? WHERE id = ?`)
    .run(
      'The history database was damaged and this journal is incomplete: check what was done before going on.',
      open.id,
    );
  saved.push(`the open runbook ${open.id}, halted`);
  lost.push('part of its journal');
}

function noticeOf(file: string, aside: string, why: string, { saved, lost }: Saved): Notice {
  const savedSaid = saved.length > 0 ? `Saved from it: ${saved.join(', ')}.` : 'Nothing could be saved from it.';
  const lostSaid = lost.length > 0 ? ` Lost: ${lost.join(', ')}.` : '';
  return {
    key: 'history-set-aside',
    sentence: `The history database ${file} was damaged (${why}) and set aside as ${aside}; a new one was begun. ${savedSaid}${lostSaid}`,
    todo:
      lost.length > 0
        ? 'Check role and epoch of both nodes before anything is promoted; check the disk; keep the file set aside until then.'
        : 'Check the disk. The file set aside can be deleted when nobody needs its older history.',
  };
}

/** Why a file cannot be a database although SQLite would take it for an empty one; null when it may be one, or is not there. */
export function tooShort(file: string): string | null {
  const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const bytes = bytesOf(file);
  // SQLite overwrites a file shorter than one page (512 bytes at least) as if it were new, and deletes the log of an empty one.
  if (bytes > 0 && bytes < 512) return `${bytes} bytes are no database`;
  if (bytes > 0 || !existsSync(file)) return null;
  return bytesOf(`${file}-wal`) > 0 ? 'it is empty, but its log is not' : 'it is empty';
}

/** The damage in words, from SQLite's message. */
export function damageSaid(error: unknown): string {
  return sentenceOf(error).replaceAll('\n', ' ').slice(0, 200);
}
