/**
 * The engine's memory: the `Store` port on SQLite, with series, retention and what is wrong with the file. Opens, checks
 * and migrates estepe.db; one engine owns it. Knows nothing of what the rows mean for a decision.
 *
 * synchronous=FULL throughout: a commit costs 0.2 to 0.6 ms on an SSD, and there is one per round; so nothing that was
 * acknowledged is lost with the power, beats included.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { BeatRow } from '../contract/desk.ts';
import { EstepeError } from '../contract/errors.ts';
import { type Availability, type EventQuery, eventMatches } from '../contract/history.ts';
import type { EventView } from '../contract/snapshot.ts';
import type { Role } from '../contract/words.ts';
import type { NewEvent, Standing, Store } from '../engine/ports.ts';
import { beatTable } from './beats.ts';
import { damageIn, damageSaid, finishSettingAside, type Notice, setAside, tooShort } from './damage.ts';
import { type Deliveries, deliveryTable } from './deliveries.ts';
import { eventAsStored, eventTable } from './events.ts';
import { databaseError, saysDamaged } from './faults.ts';
import { look, rollBack } from './look.ts';
import {
  defaultRetention,
  marks,
  type PruneOptions,
  type PruneReport,
  prune,
  prunedMark,
  type Retention,
} from './prune.ts';
import { type Restores, restoreTable } from './restores.ts';
import { type RunbookTable, runbookTable } from './runbooks.ts';
import { connect, requireNodeApi, type Sqlite } from './runtime.ts';
import { type Migration, migrate, migrations, refuseForeign, versionOf } from './schema.ts';
import { type Series, type SeriesQuery, seriesReader } from './series.ts';
import { busyMs, type Dropped, type Writer, writer } from './writer.ts';

export interface HistoryOptions {
  /** what to do with a damaged file: say so and stop (default), or set it aside, save what can be saved, begin anew */
  onDamage?: 'refuse' | 'set-aside';
  /** wall clock, milliseconds; for retention and file names */
  wall?: () => number;
  /** events and beats kept in memory while the file cannot be written; default 5,000 */
  waitingLimit?: number;
  /** after an unclean end the whole file is checked up to this size; default 256 MB, about a second */
  checkBytes?: number;
  /** the way from version to version; tests give their own */
  migrations?: readonly Migration[];
}

export interface History extends Store {
  readonly file: string;
  /** something found while opening that the admin must know, or null */
  readonly notice: Notice | null;
  /** What was restored here, and what stands here. */
  readonly restores: Restores;
  /** What is told to people, and what became of it. */
  readonly deliveries: Deliveries;
  /** Counts and latency of one test over time, from the coarsest rollup that suits. Throws `database`. */
  series(query: SeriesQuery): Series;
  /** Beats of a test in [from, to), the newest `limit` of them, oldest first. Throws `database`. */
  beatRows(query: { test: string; from: number; to: number; limit: number }): BeatRow[];
  /** How much of the time a test was answered; `everyMs`: time that one beat stands for. Throws `database`. */
  availability(test: string, from: number, to: number, everyMs?: number): Availability;
  /** Takes away what is too old, in chunks that never hold the thread; a second call joins the first. Rejects `database`. */
  prune(retention?: Retention, options?: PruneOptions): Promise<PruneReport>;
  /** What keeps the history from being written just now, for the snapshot's troubles; null when all is well. */
  trouble(): Notice | null;
  /** Rows given up while the file could not be written, since the start. */
  dropped(): Dropped;
  /** Writes what waits, marks an orderly end and closes. Never throws; again does nothing. */
  close(): void;
}

const cleanMark = 'clean';

/**
 * Opens (or creates) the history. Throws EstepeError: `runtime` on a Node that is too old, `data-folder` when the folder is
 * missing, `database` when the file is damaged, from a newer Estepe, another program's or cannot be opened.
 */
export function openHistory(file: string, options: HistoryOptions = {}): History {
  requireNodeApi();
  requireFolder(file);
  try {
    finishSettingAside(file);
    return openOnce(file, options, null);
  } catch (error) {
    if (!(error instanceof Damage)) throw databaseError(file, 'open the history', error);
    if (options.onDamage !== 'set-aside') throw damageError(file, error);
    try {
      const notice = setAside(file, error.message, (options.wall ?? Date.now)(), options.migrations);
      return openOnce(file, options, notice);
    } catch (second) {
      throw second instanceof Damage ? damageError(file, second) : databaseError(file, 'begin a new history', second);
    }
  }
}

/** The file itself is not sound; message: in what way. Leaves this module as EstepeError or not at all. */
class Damage extends Error {}

function damageError(file: string, damage: Damage): EstepeError {
  return new EstepeError(
    'database',
    `The history database ${file} is damaged: ${damage.message}.`,
    `It was left as it is. Put a good copy in its place, or let Estepe set it aside and begin a new one: role and epoch are saved from it if they can be read.`,
    { file },
  );
}

function requireFolder(file: string): void {
  const folder = dirname(file);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new EstepeError(
    'data-folder',
    `The folder ${folder} for the history database does not exist.`,
    'Create it, or give the right data folder.',
    { folder },
  );
}

function openOnce(file: string, options: HistoryOptions, notice: Notice | null): History {
  const short = tooShort(file);
  if (short !== null) throw new Damage(short);
  let db: Sqlite | null = null;
  try {
    rollBack(file, busyMs);
    const holdsPages = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const unchecked = holdsPages ? look(file, busyMs, (looking) => inspect(looking, file, options)) : null;
    db = connect(file, { timeout: busyMs });
    return prepared(db, file, options, notice ?? unchecked);
  } catch (error) {
    db?.close();
    throw saysDamaged(error) ? new Damage(damageSaid(error)) : error;
  }
}

/** Throws what forbids this file: a newer Estepe's, another program's, damage. Answers what was not looked at, if that matters. */
function inspect(db: Sqlite, file: string, options: HistoryOptions): Notice | null {
  refuseForeign(db, file, options.migrations);
  if (versionOf(db) === 0) return null;
  const unclean = marks(db).get(cleanMark) === 0;
  const { size } = statSync(file);
  const whole = unclean && size <= (options.checkBytes ?? 256 * 1024 * 1024);
  const damage = damageIn(db, whole);
  if (damage !== null) throw new Damage(damage);
  if (!unclean || whole) return null;
  return {
    key: 'history-unchecked',
    sentence: `Estepe did not end in order last time, and ${file} is too large (${Math.round(size / 1_048_576)} MB) to be checked whole at start; standing, claims and runbooks were checked.`,
    todo: 'When there is time: stop Estepe and run `PRAGMA quick_check` on the file.',
  };
}

function prepared(db: Sqlite, file: string, options: HistoryOptions, notice: Notice | null): History {
  // Before the first table, or it has no effect: freed pages can then be given back bit by bit.
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('journal_size_limit = 8388608');
  migrate(db, options.migrations ?? migrations);
  return composed(db, file, options, notice);
}

function composed(db: Sqlite, file: string, options: HistoryOptions, notice: Notice | null): History {
  const wall = options.wall ?? Date.now;
  const mark = marks(db);
  const beats = beatTable(db);
  const events = eventTable(db);
  const runbooks = runbookTable(db);
  let lastEvent = events.highestId();

  const write = writer(
    db,
    file,
    { beats, events },
    {
      limit: options.waitingLimit ?? 5_000,
      onGap: (dropped) =>
        void event({
          at: wall(),
          kind: 'engine',
          severity: 'warning',
          rule: 'history-gap',
          reason: `The history has a gap: while it could not be written, ${dropped.events} events and ${dropped.beats} beats were given up.`,
          phase: null,
          verdict: null,
          evidence: { ...dropped },
        }),
    },
  );

  const keptFrom = (table: 'beat' | 'minute' | 'hour'): number => mark.get(prunedMark(table)) ?? 0;
  const reader = seriesReader(db, beats.testId, keptFrom);
  let pruning: Promise<PruneReport> | null = null;

  function event(given: NewEvent): number {
    // The id is given here, not by SQLite, so that it holds also for an event that has to wait for the disk.
    const view = eventAsStored(++lastEvent, given);
    write.keep({ event: view });
    return view.id;
  }

  function read<T>(doing: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw databaseError(file, doing, error);
    }
  }

  function listed(query: EventQuery): EventView[] {
    const { before = Number.MAX_SAFE_INTEGER, limit } = query;
    const waiting = write
      .waiting()
      .filter((one) => one.id < before && eventMatches(one, query))
      .reverse()
      .slice(0, limit);
    return [...waiting, ...events.list({ ...query, limit: limit - waiting.length })];
  }

  try {
    write.durable('begin', () => mark.set(cleanMark, 0));
  } catch {
    // A full or read-only disk: the spare still watches and alerts; trouble() says what is wrong.
  }

  return {
    file,
    notice,
    ...vitals(db, write, read),
    ...journal(runbooks, write, read),
    restores: restores(db, write, read),
    deliveries: deliveries(db, write, read),
    event,
    events: (query) => read('read events', () => listed(query)),
    beats: (rows) => write.keep({ beats: rows }),
    series: (query) => read('read a series', () => reader.series(query)),
    beatRows: (query) => read('read beats', () => beats.rows(query)),
    availability: (test, from, to, everyMs) =>
      read('read availability', () => reader.availability(test, from, to, everyMs)),
    prune(retention = defaultRetention, pruneOptions = {}) {
      pruning ??= prune(db, retention, wall(), pruneOptions)
        .catch((error: unknown) => {
          throw databaseError(file, 'take old rows away', error);
        })
        .finally(() => {
          pruning = null;
        });
      return pruning;
    },
    trouble: () => write.trouble(),
    dropped: () => write.dropped(),
    close() {
      if (!db.open) return;
      write.flush();
      try {
        mark.set(cleanMark, 1);
      } catch {
        // Not marked: the next start checks the file, that is all.
      }
      db.close();
    },
  };
}

type Read = <T>(doing: string, call: () => T) => T;

/** SQLite would take NaN for "no number given" and make one up. */
function requireEpoch(epoch: number, least: number): void {
  if (Number.isSafeInteger(epoch) && epoch >= least) return;
  throw new EstepeError(
    'internal',
    `${epoch} is no epoch: a whole number from ${least} on is needed.`,
    'This is a fault in Estepe. Keep the log and report it.',
  );
}

/** Standing, claims and small facts. */
function vitals(
  db: Sqlite,
  write: Writer,
  read: Read,
): Pick<Store, 'standing' | 'saveStanding' | 'remember' | 'recall' | 'ownerOf' | 'claimEpoch' | 'highestEpoch'> {
  const getStanding = db.prepare<[], Standing>('SELECT role, epoch, since FROM standing');
  const setStanding = db.prepare<[Role, number, number]>(
    `INSERT INTO standing VALUES (1, ?, ?, ?) ON CONFLICT DO UPDATE
     SET role = excluded.role, epoch = excluded.epoch, since = excluded.since WHERE excluded.epoch >= standing.epoch`,
  );
  const getFact = db.prepare<[string], string>('SELECT value FROM fact WHERE key = ?').pluck();
  const setFact = db.prepare<[string, string]>(
    'INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const dropFact = db.prepare<[string]>('DELETE FROM fact WHERE key = ?');
  const addClaim = db.prepare<[number, string, number]>('INSERT INTO claim VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const ownerOf = db.prepare<[number], string>('SELECT owner FROM claim WHERE epoch = ?').pluck();
  const highest = db
    .prepare<[], number>(
      'SELECT max(coalesce((SELECT max(epoch) FROM claim), 0), coalesce((SELECT epoch FROM standing), 0))',
    )
    .pluck();

  return {
    standing: () => read('read the standing', () => getStanding.get() ?? null),
    saveStanding({ role, epoch, since }) {
      requireEpoch(epoch, 0);
      write.durable('save the standing', () => {
        if (setStanding.run(role, epoch, Math.round(since)).changes > 0) return;
        const now = getStanding.get();
        throw new EstepeError(
          'refused',
          `The standing ${role} under epoch ${epoch} was refused: this node already stands as ${now?.role} under epoch ${now?.epoch}, and epochs only grow.`,
          'Nothing was changed. Look at `estepe status` of both nodes.',
          { epoch, standing: now ?? null },
        );
      });
    },
    remember(key, value) {
      const json = JSON.stringify(value);
      write.durable('remember a fact', () => {
        if (json === undefined) dropFact.run(key);
        else setFact.run(key, json);
      });
    },
    recall: (key) =>
      read('recall a fact', () => {
        const json = getFact.get(key);
        return json === undefined ? undefined : (JSON.parse(json) as unknown);
      }),
    ownerOf: (epoch) => ownerOf.get(epoch) ?? null,
    claimEpoch(epoch, owner, wall) {
      requireEpoch(epoch, 1);
      return write.durable('claim an epoch', () => {
        addClaim.run(epoch, owner, Math.round(wall));
        const holder = ownerOf.get(epoch) ?? owner;
        return { won: holder === owner, owner: holder };
      });
    },
    highestEpoch: () => read('read the epochs', () => highest.get() ?? 0),
  };
}

/** Runbooks and their journal, each call one durable transaction. */
function journal(
  runbooks: RunbookTable,
  write: Writer,
  read: Read,
): Pick<Store, 'openRunbook' | 'lastRunbook' | 'beginRunbook' | 'intent' | 'result' | 'setRunbook'> {
  return {
    openRunbook: () => read('read the open runbook', () => runbooks.open()),
    lastRunbook: () => read('read the last runbook', () => runbooks.last()),
    beginRunbook: (start) => write.durable('begin a runbook', () => runbooks.begin(start)),
    intent: (runbook, entry) => write.durable('journal an intent', () => runbooks.intent(runbook, entry)),
    result: (runbook, step, attempt, result, at) =>
      write.durable('journal a result', () => runbooks.result(runbook, { step, attempt }, result, at)),
    setRunbook: (id, change) => write.durable('save a runbook', () => runbooks.set(id, change)),
  };
}

/** Restores, each call one durable transaction. Looked for when first asked: a file of an earlier version has no such table. */
function restores(db: Sqlite, write: Writer, read: Read): Restores {
  let made: Restores | null = null;
  const table = (): Restores => {
    made ??= restoreTable(db);
    return made;
  };
  return {
    begin: (start) => write.durable('begin a restore', () => table().begin(start)),
    mark: (id, stands) => write.durable('mark a restore', () => table().mark(id, stands)),
    end: (id, end) => write.durable('save the end of a restore', () => table().end(id, end)),
    closeOpen: (at, recovered) => write.durable('close a restore', () => table().closeOpen(at, recovered)),
    open: () => read('read the open restore', () => table().open()),
    lastRestored: () => read('read the last restore', () => table().lastRestored()),
    restoredNow: () => read('read what is restored', () => table().restoredNow()),
    restoredTimes: () => read('read the restores', () => table().restoredTimes()),
    list: (limit) => read('read the restores', () => table().list(limit)),
  };
}

/** Deliveries to people, each call one durable transaction. */
function deliveries(db: Sqlite, write: Writer, read: Read): Deliveries {
  let made: Deliveries | null = null;
  const table = (): Deliveries => {
    made ??= deliveryTable(db);
    return made;
  };
  return {
    add: (rows) => write.durable('keep what is to be told', () => table().add(rows)),
    trying: (ids, at) => write.durable('note an attempt to tell', () => table().trying(ids, at)),
    ended: (ids, end) => write.durable('note what became of a delivery', () => table().ended(ids, end)),
    waiting: () => read('read what is to be told', () => table().waiting()),
    list: (limit) => read('read the deliveries', () => table().list(limit)),
  };
}
