/**
 * A look at estepe.db before anything may write to it. What is refused here (a newer Estepe's file, another program's, a
 * damaged one) keeps every byte, those in its log included, and gets no new file beside it. Judges nothing itself.
 */
import { existsSync, rmSync } from 'node:fs';
import { connect, type Sqlite, sqliteCode } from './runtime.ts';

/** Files that SQLite keeps beside a database in WAL mode. */
const beside = ['-wal', '-shm'] as const;

/**
 * Calls `call` with a read-only connection. When it throws, so does this, and what SQLite put beside the file is taken away
 * again: a read-only connection makes both files and cannot remove them. After an answer they stay for the connection
 * that follows.
 */
export function look<T>(file: string, timeout: number, call: (db: Sqlite) => T): T {
  const made = beside.map((suffix) => file + suffix).filter((path) => !existsSync(path));
  try {
    return looked(file, timeout, call);
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    throw error;
  }
}

function looked<T>(file: string, timeout: number, call: (db: Sqlite) => T): T {
  const db = connect(file, { readonly: true, timeout });
  try {
    return call(db);
  } finally {
    db.close();
  }
}

/**
 * Takes back what a rollback journal says was never committed. Only a file whose very first transaction was cut off has
 * one (the switch to WAL); read-only, SQLite refuses to look at it. Answers whether there was one.
 */
export function rollBack(file: string, timeout: number): boolean {
  if (!existsSync(`${file}-journal`)) return false;
  const db = connect(file, { timeout });
  try {
    db.pragma('user_version');
    return true;
  } catch (error) {
    if (sqliteCode(error) === null) throw error;
    return false;
  } finally {
    db.close();
  }
}
