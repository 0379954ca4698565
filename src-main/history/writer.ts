/**
 * What happens when writing fails. Durable calls throw and say why; events and beats never throw into the engine's loop:
 * they wait in memory, bounded, and are tried again with the next write. Knows the rows only as something to insert.
 */
import type { EventView } from '../contract/snapshot.ts';
import type { StoredBeat } from '../engine/ports.ts';
import type { BeatTable } from './beats.ts';
import type { Notice } from './damage.ts';
import type { EventTable } from './events.ts';
import { databaseError, faultOf } from './faults.ts';
import { type Sqlite, sqliteCode } from './runtime.ts';

/** How long the engine's thread waits for another program's lock: beats can wait in memory, so hardly at all. */
export const busyMs = 40;
/** The same for durable calls, tried a second time: a promotion should not fail because a database browser looked in. */
const patientBusyMs = 2_000;
/** Rows written by one call, so that catching up after a full disk blocks nothing (1,000 beats: some 15 ms). */
const rowsAtOnce = 1_000;

export interface Dropped {
  events: number;
  beats: number;
}

export interface Writer {
  /** One transaction, on disk when it returns. Throws EstepeError: `database` when it could not be written. */
  durable<T>(doing: string, call: () => T): T;
  /** Keeps what is given and writes it now if that is possible. Never throws. */
  keep(rows: { event?: EventView; beats?: readonly StoredBeat[] }): void;
  /** Writes all that waits, as far as possible; never throws. */
  flush(): void;
  /** Events not on disk yet, oldest first. */
  waiting(): readonly EventView[];
  trouble(): Notice | null;
  /** Rows given up for want of room, since the start. */
  dropped(): Dropped;
}

/** Whether the row itself cannot be stored (wrong type, constraint), so that trying again is of no use. */
function rowsFault(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === null || /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE)/.test(code);
}

export function writer(
  db: Sqlite,
  file: string,
  tables: { beats: BeatTable; events: EventTable },
  options: { limit: number; onGap: (dropped: Dropped) => void },
): Writer {
  let events: EventView[] = [];
  let beats: StoredBeat[] = [];
  const dropped: Dropped = { events: 0, beats: 0 };
  /** what of `dropped` the history itself does not tell yet */
  let untold: Dropped = { events: 0, beats: 0 };
  let fault: unknown = null;

  function drop(what: keyof Dropped, count: number): void {
    dropped[what] += count;
    untold[what] += count;
  }

  /** Beats go before events: a decision's reason is worth more than one of a million beats. */
  function bound(): void {
    const over = events.length + beats.length - options.limit;
    if (over <= 0) return;
    const fromBeats = Math.min(over, beats.length);
    beats = beats.slice(fromBeats);
    events = events.slice(over - fromBeats);
    drop('beats', fromBeats);
    drop('events', over - fromBeats);
  }

  const write = db.transaction((someEvents: readonly EventView[], someBeats: readonly StoredBeat[]) => {
    for (const event of someEvents) tables.events.insert(event);
    tables.beats.insert(someBeats);
  });

  function tryWrite(someEvents: readonly EventView[], someBeats: readonly StoredBeat[]): unknown {
    try {
      write.immediate(someEvents, someBeats);
      return null;
    } catch (error) {
      tables.beats.forget();
      return error;
    }
  }

  /** One row that cannot be stored must not keep all the others back: writes them one by one, leaves that one out. */
  function writeSingly(someEvents: readonly EventView[], someBeats: readonly StoredBeat[]): unknown {
    for (const event of someEvents) {
      const error = tryWrite([event], []);
      if (error !== null && !rowsFault(error)) return error;
      if (error !== null) drop('events', 1);
      events.shift();
    }
    for (const beat of someBeats) {
      const error = tryWrite([], [beat]);
      if (error !== null && !rowsFault(error)) return error;
      if (error !== null) drop('beats', 1);
      beats.shift();
    }
    return null;
  }

  /** Answers whether all that was tried is on disk. */
  function writeSome(): boolean {
    const someEvents = events.slice(0, rowsAtOnce);
    const someBeats = beats.slice(0, rowsAtOnce - someEvents.length);
    let error = tryWrite(someEvents, someBeats);
    if (error === null) {
      events = events.slice(someEvents.length);
      beats = beats.slice(someBeats.length);
    } else if (rowsFault(error)) error = writeSingly(someEvents, someBeats);
    fault = error;
    if (error !== null) return false;
    tellGap();
    return true;
  }

  function tellGap(): void {
    if (untold.events + untold.beats === 0) return;
    const told = untold;
    untold = { events: 0, beats: 0 };
    options.onGap(told);
  }

  function patiently<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (!sqliteCode(error)?.startsWith('SQLITE_BUSY')) throw error;
    }
    db.pragma(`busy_timeout = ${patientBusyMs}`);
    try {
      return call();
    } finally {
      db.pragma(`busy_timeout = ${busyMs}`);
    }
  }

  return {
    durable(doing, call) {
      try {
        const value = patiently(() => db.transaction(call).immediate());
        if (events.length + beats.length > 0) writeSome();
        else fault = null;
        return value;
      } catch (error) {
        if (!rowsFault(error)) fault = error;
        throw databaseError(file, doing, error);
      }
    },
    keep(rows) {
      if (rows.event !== undefined) events.push(rows.event);
      if (rows.beats !== undefined) beats.push(...rows.beats);
      bound();
      if (db.open) writeSome();
    },
    flush() {
      while (db.open && events.length + beats.length > 0) if (!writeSome()) return;
    },
    waiting: () => events,
    trouble() {
      if (fault === null) return null;
      const { what, todo } = faultOf(fault);
      const given = dropped.events + dropped.beats;
      const lost =
        given === 0 ? '' : ` ${dropped.events} events and ${dropped.beats} beats were given up for want of room.`;
      return {
        key: 'history-not-written',
        sentence: `The history cannot be written to ${file}: ${what}. ${events.length} events and ${beats.length} beats wait in memory.${lost}`,
        todo,
      };
    },
    dropped: () => ({ ...dropped }),
  };
}
