/**
 * Retention: what is kept how long, and taking the rest away without ever holding the engine's thread: rows by key range
 * in chunks of a few milliseconds, freed pages given back to the disk the same way, a turn of the event loop between.
 * Restores go with the events, but never those that tell what stands here. Standing, claims, facts, runbooks and their
 * journals are kept for ever: they are few.
 */
import { setTimeout as rest } from 'node:timers/promises';
import { dayMs, hourMs, minuteMs } from './beats.ts';
import { carryOver } from './carry-over.ts';
import type { Sqlite } from './runtime.ts';

/** How long each kind of row is kept, milliseconds; null for ever. Days (rollups) are always kept: 20 kB a year and test. */
export interface Retention {
  beatsMs: number | null;
  minutesMs: number | null;
  hoursMs: number | null;
  eventsMs: number | null;
}

/**
 * Beats 90 days: long enough to look at each call complaint of a quarter (15 MB at 3 tests / 30 s). Minutes a year
 * (45 MB), hours ten years (8 MB), events ten years (some hundred bytes each, a handful a day).
 */
export const defaultRetention: Retention = {
  beatsMs: 90 * dayMs,
  minutesMs: 365 * dayMs,
  hoursMs: 10 * 365 * dayMs,
  eventsMs: 10 * 365 * dayMs,
};

/** A wall clock that leapt this far since the last pruning is not believed once: a wrong date must not empty the history. */
export const leapMs = 60 * dayMs;

export interface PruneReport {
  /** rows taken away */
  beats: number;
  minutes: number;
  hours: number;
  events: number;
  restores: number;
  evidence: number;
  /** bytes given back to the file system */
  bytes: number;
  ms: number;
  /** longest stretch for which the thread was held, milliseconds */
  longestBlockMs: number;
  /** why it ended before its work was done, or null */
  stopped: string | null;
}

export interface PruneOptions {
  /** asked before every chunk; a sentence stops the work there. It goes on with the next pruning. */
  stop?: () => string | null;
}

/** A chunk is made smaller above this and larger below its half: far under the 50 ms the engine's thread may be held. */
const chunkMs = 8;
const chunkRows = { first: 500, least: 50, most: 4_000 };
const chunkPages = { first: 32, least: 4, most: 256 };
/** The log is carried over into the file after this many chunks, on another thread: it syncs the disk twice. */
const carryOverEvery = 6;
/** After a chunk the thread and the disk are left alone for this many times as long as it took. */
const restFactor = 2;

/** Names of the marks in `meta` that say from where on a table still has its rows. */
export const prunedMark = (table: 'beat' | 'minute' | 'hour'): string => `pruned:${table}`;
const lastRunMark = 'pruned-at';

/**
 * Takes away what is older than `retention` as of `wall`. Never holds the thread longer than one chunk. Rejects with
 * SQLite's error when a chunk fails; what was done stays done.
 */
export async function prune(
  db: Sqlite,
  retention: Retention,
  wall: number,
  options: PruneOptions = {},
): Promise<PruneReport> {
  const started = performance.now();
  const report: PruneReport = {
    beats: 0,
    minutes: 0,
    hours: 0,
    events: 0,
    restores: 0,
    evidence: 0,
    bytes: 0,
    ms: 0,
    longestBlockMs: 0,
    stopped: null,
  };
  const mark = marks(db);

  function stopped(): boolean {
    report.stopped = db.open ? (options.stop?.() ?? null) : 'the history was closed';
    return report.stopped !== null;
  }

  /** Repeats a chunk until it does nothing, adapting its size; a rest after each. */
  async function inChunks(size: typeof chunkRows, chunk: (size: number) => number): Promise<number> {
    let n = size.first;
    let total = 0;
    while (!stopped()) {
      const { value, took } = held(() => chunk(n));
      if (value === 0) break;
      total += value;
      n = nextSize(size, n, took);
      await rest(took * restFactor);
      uncarried += 1;
      if (uncarried >= carryOverEvery) await carry();
    }
    return total;
  }

  const log = carryOver(db.name);
  /** Chunks since the log was carried over. */
  let uncarried = 0;

  async function carry(): Promise<void> {
    uncarried = 0;
    if (!db.open || (await log.run()) || !db.open) return;
    const { took } = held(() => db.pragma('wal_checkpoint(PASSIVE)'));
    await rest(took * restFactor);
  }

  function held<T>(call: () => T): { value: T; took: number } {
    const begun = performance.now();
    const value = call();
    const took = performance.now() - begun;
    report.longestBlockMs = Math.max(report.longestBlockMs, took);
    return { value, took };
  }

  async function byTime(table: 'beat' | 'minute' | 'hour', keepMs: number | null, unit: number): Promise<number> {
    if (keepMs === null) return 0;
    const before = Math.floor((wall - keepMs) / unit);
    if (before <= 0) return 0;
    // The mark first: from now on nobody should count on these rows, whether or not we get to the end.
    mark.raise(prunedMark(table), before * unit);
    const nth = db
      .prepare<[number, number, number], number>(
        `SELECT t FROM ${table} WHERE test = ? AND t < ? ORDER BY t LIMIT 1 OFFSET ?`,
      )
      .pluck();
    const remove = db.prepare<[number, number]>(`DELETE FROM ${table} WHERE test = ? AND t < ?`);
    let total = 0;
    for (const test of db.prepare<[], number>('SELECT id FROM test').pluck().all()) {
      total += await inChunks(chunkRows, (n) => remove.run(test, nth.get(test, before, n) ?? before).changes);
      if (report.stopped !== null) break;
    }
    return total;
  }

  async function rowsWhere(table: string, condition: string, value: number): Promise<number> {
    const remove = db.prepare<[number, number]>(
      `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${condition} LIMIT ?)`,
    );
    return inChunks(chunkRows, (n) => remove.run(value, n).changes);
  }

  const steps: (() => Promise<void>)[] = [
    async () => {
      report.beats = await byTime('beat', retention.beatsMs, 1);
    },
    async () => {
      report.minutes = await byTime('minute', retention.minutesMs, minuteMs);
    },
    async () => {
      report.hours = await byTime('hour', retention.hoursMs, hourMs);
    },
    async () => {
      if (retention.eventsMs === null) return;
      const before = Math.floor(wall - retention.eventsMs);
      report.events = await rowsWhere('event', 'at < ?', before);
      const old = "begun_at < ? AND id < (SELECT max(id) FROM restore WHERE stands = 'new')";
      report.restores = await rowsWhere('restore', old, before);
    },
    async () => {
      if (retention.beatsMs === null) return;
      // A text last seen on a day all of whose beats are gone. One day more: the day is UTC and begins earlier.
      const day = Math.floor((wall - retention.beatsMs) / dayMs) - 1;
      report.evidence = await rowsWhere('evidence', 'day < ?', day);
    },
    async () => {
      const pageBytes = Number(db.pragma('page_size', { simple: true }));
      const free = (): number => Number(db.pragma('freelist_count', { simple: true }));
      report.bytes =
        pageBytes *
        (await inChunks(chunkPages, (n) => {
          const before = free();
          // exec, not pragma(): the latter would step once and free a single page.
          if (before > 0) db.exec(`PRAGMA incremental_vacuum(${n})`);
          return before - free();
        }));
    },
  ];

  const last = mark.get(lastRunMark);
  mark.set(lastRunMark, Math.floor(wall));
  if (last !== null && wall - last > leapMs) {
    report.stopped = 'the clock leapt by over 60 days since the last pruning; the next one goes on if that holds';
  }
  db.pragma('wal_autocheckpoint = 0');
  try {
    for (const step of steps) {
      if (report.stopped !== null) break;
      await step();
    }
  } finally {
    // What is left would else be carried over by the next commit, on the engine's thread.
    if (uncarried > 0) await carry();
    await log.end();
    if (db.open) db.pragma('wal_autocheckpoint = 1000');
  }
  report.ms = performance.now() - started;
  return report;
}

function nextSize({ least, most }: typeof chunkRows, n: number, took: number): number {
  if (took > chunkMs) return Math.max(least, Math.floor(n / 2));
  return took < chunkMs / 2 ? Math.min(most, Math.ceil(n * 1.25)) : n;
}

export interface Marks {
  get(key: string): number | null;
  set(key: string, value: number): void;
  /** sets it unless it is higher already */
  raise(key: string, value: number): void;
}

/** Whole numbers in the table `meta`. */
export function marks(db: Sqlite): Marks {
  const get = db.prepare<[string], number>('SELECT value FROM meta WHERE key = ?').pluck();
  const set = db.prepare<[string, number]>(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const raise = db.prepare<[string, number]>(
    'INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)',
  );
  return {
    get: (key) => get.get(key) ?? null,
    set: (key, value) => void set.run(key, value),
    raise: (key, value) => void raise.run(key, value),
  };
}
