/**
 * Guards the loading of SQLite: better-sqlite3 13 brings prebuilt binaries for Node-API 10, and an older Node (20, say)
 * dies in native code without a word when it loads them. Importing better-sqlite3 loads no binary yet (its constructor
 * does), so asking here before the first `new` is early enough. Knows nothing of the database's content.
 */
import Database from 'better-sqlite3';
import { EstepeError, sentenceOf } from '../contract/errors.ts';

export type Sqlite = Database.Database;
export type Statement<Bind extends unknown[], Row> = Database.Statement<Bind, Row>;

/** Node-API version that better-sqlite3's binaries are built for. */
export const neededNodeApi = 10;

/** Throws `runtime` where this Node is too old to load SQLite; `versions` is the process's own unless a test says otherwise. */
export function requireNodeApi(versions: { napi?: string | undefined; node?: string } = process.versions): void {
  if (Number(versions.napi ?? 0) >= neededNodeApi) return;
  throw new EstepeError(
    'runtime',
    `This Node (${versions.node ?? 'unknown'}, Node-API ${versions.napi ?? 'unknown'}) is too old for the history database.`,
    'Run Estepe with Node 22.14 or newer, or through its own program or npm scripts, which bring the right one.',
    { node: versions.node ?? null, napi: versions.napi ?? null },
  );
}

/**
 * Opens a connection, nothing more: no pragma, no schema. `timeout` is SQLite's busy time-out in milliseconds.
 * Throws `runtime` where SQLite itself cannot be loaded, SQLite's own error otherwise.
 */
export function connect(file: string, options: { readonly?: boolean; timeout?: number } = {}): Sqlite {
  requireNodeApi();
  try {
    return new Database(file, options);
  } catch (error) {
    if (sqliteCode(error) !== null) throw error;
    throw new EstepeError(
      'runtime',
      `The history database's engine could not be loaded: ${sentenceOf(error)}`,
      'Install Estepe again: the part better-sqlite3 is missing or made for another system.',
      {},
      error,
    );
  }
}

/** SQLite's own code (`SQLITE_FULL`, `SQLITE_IOERR_WRITE` …) of an error, or null when SQLite did not throw it. */
export function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : null;
}
