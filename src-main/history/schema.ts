/**
 * The tables of estepe.db, version by version, and the step from one version to the next. A published migration is never
 * edited: a change is a new one at the end. Knows no row's meaning beyond its shape.
 *
 * Size. A beat's row holds integers only, keyed (test, t) without a rowid: SQLite stores an integer in as few bytes as it
 * needs (0 and 1 in none), so a row is 16 to 18 bytes before the pages' slack. The evidence text is interned.
 */
import { EstepeError } from '../contract/errors.ts';
import type { Sqlite } from './runtime.ts';

/** In the file's header (`PRAGMA application_id`), so that another program's database is never taken for ours: "Estp". */
export const applicationId = 0x45737470;

export interface Migration {
  /** grows by one, from 1 on */
  version: number;
  /** one line for the log */
  what: string;
  run(db: Sqlite): void;
}

const rollupColumns = `
  test INTEGER NOT NULL REFERENCES test(id),
  t INTEGER NOT NULL,
  alive INTEGER NOT NULL,
  degraded INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  strange INTEGER NOT NULL,
  unknown INTEGER NOT NULL,
  ms_sum INTEGER NOT NULL,
  ms_max INTEGER NOT NULL,
  PRIMARY KEY (test, t)`;

const version1 = `
-- What this file is to us: 'clean' (1 after an orderly close), marks of pruning.
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Role and epoch of this node: one row or none.
CREATE TABLE standing (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  role TEXT NOT NULL CHECK (role IN ('active', 'passive')),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  since INTEGER NOT NULL
) STRICT;

-- Who created which epoch. The primary key is the exclusion.
CREATE TABLE claim (epoch INTEGER PRIMARY KEY CHECK (epoch >= 1), owner TEXT NOT NULL, at INTEGER NOT NULL) STRICT;

-- Small facts that outlive the process: maintenance, cool-down. JSON.
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE runbook (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  origin TEXT NOT NULL,
  by TEXT NOT NULL,
  because TEXT NOT NULL,
  overrides TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'halted', 'done', 'cancelled')),
  reason TEXT NOT NULL,
  epoch INTEGER,
  dry_run INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  steps TEXT NOT NULL
) STRICT;
-- At most one runbook is open: all open ones would have the same key here.
CREATE UNIQUE INDEX runbook_one_open ON runbook (status IN ('running', 'halted')) WHERE status IN ('running', 'halted');

-- One attempt of one step: the intent before the effect, the result after. No result_at: the effect is in doubt.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY,
  runbook INTEGER NOT NULL REFERENCES runbook(id),
  step TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  intent_at INTEGER NOT NULL,
  run_token TEXT NOT NULL,
  outcome TEXT,
  sentence TEXT,
  output TEXT,
  result_at INTEGER,
  UNIQUE (runbook, step, attempt)
) STRICT;

CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  phase TEXT,
  verdict TEXT,
  evidence TEXT NOT NULL
) STRICT;
CREATE INDEX event_severity ON event (severity, id);
CREATE INDEX event_at ON event (at);

-- Names of tests; never deleted, so a test that left the configuration keeps its history.
CREATE TABLE test (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- Evidence texts; day = the last UTC day it was seen on, so that pruning needs no search through the beats.
CREATE TABLE evidence (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, day INTEGER NOT NULL) STRICT;
CREATE INDEX evidence_day ON evidence (day);

-- t: milliseconds since 1970. outcome: index in the contract's list of outcomes. No foreign key on evidence: deleting
-- an evidence row would have to search all beats.
CREATE TABLE beat (
  test INTEGER NOT NULL REFERENCES test(id),
  t INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  evidence INTEGER NOT NULL,
  PRIMARY KEY (test, t)
) STRICT, WITHOUT ROWID;

-- Rollups: t = whole minutes, hours, days since 1970, UTC. ms over the beats that were answered (alive, degraded).
CREATE TABLE minute (${rollupColumns}) STRICT, WITHOUT ROWID;
CREATE TABLE hour (${rollupColumns}) STRICT, WITHOUT ROWID;
CREATE TABLE day (${rollupColumns}) STRICT, WITHOUT ROWID;
`;

const version2 = `
-- What was restored here. ended_at NULL: under way, or cut off. stands: what stands here after it, or would after a crash.
CREATE TABLE restore (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  sha256 TEXT,
  created_at INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  ended_at INTEGER,
  outcome TEXT CHECK (outcome IN ('restored', 'refused', 'failed', 'cancelled', 'taken-back')),
  stands TEXT NOT NULL DEFAULT 'old' CHECK (stands IN ('old', 'new', 'unknown')),
  reason TEXT NOT NULL DEFAULT '',
  proven TEXT NOT NULL DEFAULT '',
  files INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  by TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  run_token TEXT NOT NULL,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT;
-- At most one is open.
CREATE UNIQUE INDEX restore_one_open ON restore (ended_at IS NULL) WHERE ended_at IS NULL;
`;

const version3 = `
-- What is told to people, through which channel. open = 1: an attempt was begun, and nobody wrote how it ended.
CREATE TABLE delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  severity TEXT NOT NULL,
  text TEXT NOT NULL,
  told_at INTEGER NOT NULL,
  life TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given-up')),
  attempts INTEGER NOT NULL DEFAULT 0,
  tried_at INTEGER,
  due_at INTEGER NOT NULL,
  open INTEGER NOT NULL DEFAULT 0,
  said TEXT NOT NULL DEFAULT '',
  reached TEXT NOT NULL DEFAULT '[]'
) STRICT;
CREATE INDEX delivery_waiting ON delivery (id) WHERE state = 'waiting';
`;

export const migrations: readonly Migration[] = [
  { version: 1, what: 'the first tables', run: (db) => db.exec(version1) },
  { version: 2, what: 'what was restored here', run: (db) => db.exec(version2) },
  { version: 3, what: 'what is told to people', run: (db) => db.exec(version3) },
];

/** The newest version this Estepe knows. */
export function newestVersion(list: readonly Migration[] = migrations): number {
  return list.at(-1)?.version ?? 0;
}

/** `PRAGMA user_version`: 0 for a file without our tables. */
export function versionOf(db: Sqlite): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/**
 * Throws `database` when the file was written by a newer Estepe or is another program's. Reads only.
 */
export function refuseForeign(db: Sqlite, file: string, list: readonly Migration[] = migrations): void {
  const version = versionOf(db);
  const id = Number(db.pragma('application_id', { simple: true }));
  const tables = Number(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get());
  if (id !== applicationId && (version !== 0 || tables !== 0)) {
    throw new EstepeError(
      'database',
      `${file} is a database of another program, not Estepe's history.`,
      'Point Estepe at its own data folder, or move that file away.',
      { file },
    );
  }
  if (version > newestVersion(list)) {
    throw new EstepeError(
      'database',
      `${file} was written by a newer Estepe (history version ${version}; this one knows up to ${newestVersion(list)}). It was left as it is.`,
      'Install that newer Estepe again, or restore the estepe.db of before the upgrade.',
      { file, version, known: newestVersion(list) },
    );
  }
}

/**
 * Brings the file to the newest version, each step in a transaction of its own: a step that fails or is cut off leaves
 * the version before it. Answers the versions it went through. Throws what the step threw.
 */
export function migrate(db: Sqlite, list: readonly Migration[] = migrations): number[] {
  const done: number[] = [];
  for (const migration of list) {
    const step = db.transaction(() => {
      // Read inside the transaction: of two engines starting at once, the second finds the work done.
      if (versionOf(db) >= migration.version) return;
      if (migration.version === 1) db.pragma(`application_id = ${applicationId}`);
      migration.run(db);
      db.pragma(`user_version = ${migration.version}`);
      done.push(migration.version);
    });
    step.immediate();
  }
  return done;
}
