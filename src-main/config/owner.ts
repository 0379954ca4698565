/**
 * One engine per data folder, machine-wide. The lock is the operating system's, held through SQLite on a file of its
 * own: it dies with the process, however that dies, on Windows and Linux alike, so no process id is ever believed.
 * Beside it `engine.json` tells clients how to reach the engine. Must not know what the engine does.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { EstepeError } from '../contract/errors.ts';
import { cleanLeftovers, writeAtomically } from './atomic-file.ts';
import type { DataFolder } from './data-folder.ts';
import { type Endpoint, isBusy, lockTrouble, readNotice } from './endpoint.ts';

export { type Endpoint, type EngineNotice, readEndpoint } from './endpoint.ts';

/** The right to run an engine on a data folder. */
export interface Ownership {
  /** Tells clients how to reach this engine. */
  publish(endpoint: Endpoint): void;
  /** Gives the folder free and takes the notice down. Calling it again does nothing. */
  release(): void;
}

/** A client asking at this instant holds the lock for microseconds: no reason to call the folder owned. */
const waitForLockMs = 1000;

function owned(folder: DataFolder, notice: Endpoint | null): EstepeError {
  const who = notice
    ? `process ${notice.pid}, started ${new Date(notice.startedAt).toISOString()}, console ${notice.endpoint}`
    : 'it is just starting, or a restore is under way without one';
  const detail = notice ? { pid: notice.pid, startedAt: notice.startedAt, endpoint: notice.endpoint } : {};
  return new EstepeError(
    'owned',
    `Another engine runs on ${folder.root} (${who}).`,
    'use that one (`estepe status`), stop it first, or name another folder with --data',
    { root: folder.root, ...detail },
  );
}

/** For its owner alone. Never opened when it exists: closing it would drop a lock this very process holds (POSIX). */
function createLockFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'EEXIST') throw error;
  }
}

/**
 * Makes this process the owner of a data folder. Waits up to a second for a lock that is just being looked at.
 * @param waitMs how long it may hold this thread, else
 * @throws EstepeError `owned`, naming the engine that runs there; `data-folder` when there can be no lock
 */
export function takeOwnership(folder: DataFolder, waitMs = waitForLockMs): Ownership {
  let lock: Database.Database | null = null;
  try {
    createLockFile(folder.lock);
    lock = new Database(folder.lock, { timeout: waitMs });
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    // Whoever wrote this is dead: else the lock were not ours.
    rmSync(folder.engine, { force: true });
  } catch (error) {
    lock?.close();
    throw isBusy(error) ? owned(folder, readNotice(folder)) : lockTrouble(folder, error);
  }
  const held = lock;
  cleanLeftovers(folder.root, 'engine.json');
  let published: Endpoint | null = null;
  return {
    publish(endpoint) {
      writeAtomically(folder.engine, `${JSON.stringify(endpoint)}\n`);
      published = endpoint;
    },
    release() {
      if (!held.open) return;
      if (published !== null) rmSync(folder.engine, { force: true });
      held.close();
    },
  };
}
