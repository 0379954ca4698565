/**
 * How a client finds the engine that runs on a data folder: what `engine.json` says, and whether the lock beside it is
 * still held. Changes nothing there. Must not know how a folder comes to be owned.
 */
import { existsSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';

const endpointSchema = z.object({
  pid: z.int(),
  /** wall clock, milliseconds since 1970 */
  startedAt: z.number(),
  /** the console's address, such as `http://127.0.0.1:40123` */
  endpoint: z.string(),
  /** what a client proves itself with */
  token: z.string(),
  version: z.string(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

/**
 * Whether an engine runs. `starting`: the folder is owned, but its engine tells no address yet. `stale`: the engine
 * that wrote the address died.
 */
export type EngineNotice =
  | { state: 'none' }
  | { state: 'starting' }
  | { state: 'stale'; endpoint: Endpoint }
  | { state: 'live'; endpoint: Endpoint };

/** Whether SQLite says that somebody else holds the lock. */
export const isBusy = (error: unknown) => error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');
const isMissing = (error: unknown) => error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';

/** What engine.json says; null when there is none or it says nothing usable. */
export function readNotice(folder: DataFolder): Endpoint | null {
  try {
    const parsed = endpointSchema.safeParse(JSON.parse(readFileSync(folder.engine, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return null;
    throw new EstepeError(
      'data-folder',
      `${folder.engine} cannot be read: ${sentenceOf(error)}.`,
      'run this as the user who runs the engine',
      { file: folder.engine },
      error,
    );
  }
}

/** @returns the error for a lock that can be neither taken nor looked at */
export function lockTrouble(folder: DataFolder, error: unknown): EstepeError {
  return new EstepeError(
    'data-folder',
    `The lock ${folder.lock} cannot be taken: ${sentenceOf(error)}.`,
    'check that this user may write there; when no engine runs, the file can be deleted',
    { file: folder.lock },
    error,
  );
}

function isLocked(folder: DataFolder): boolean {
  let lock: Database.Database | null = null;
  try {
    lock = new Database(folder.lock, { readonly: true, fileMustExist: true, timeout: 0 });
    // A shared lock for an instant: clients don't stand in each other's way.
    lock.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw lockTrouble(folder, error);
  } finally {
    lock?.close();
  }
}

/**
 * Whether an engine runs on a data folder and how to reach it.
 * @param at the data folder, or its path
 * @throws EstepeError `data-folder` when this user may not look
 */
export function readEndpoint(at: DataFolder | string): EngineNotice {
  const folder = typeof at === 'string' ? dataFolderAt(at) : at;
  const endpoint = readNotice(folder);
  if (!existsSync(folder.lock)) return endpoint === null ? { state: 'none' } : { state: 'stale', endpoint };
  if (isLocked(folder)) return endpoint === null ? { state: 'starting' } : { state: 'live', endpoint };
  return endpoint === null ? { state: 'none' } : { state: 'stale', endpoint };
}
