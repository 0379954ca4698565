/**
 * SQLite's errors in the admin's words: what is wrong with which file, and what to do. Knows no table.
 */
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { sqliteCode } from './runtime.ts';

interface Fault {
  /** begins with lower case, follows "…estepe.db: " */
  what: string;
  todo: string;
}

const faults: readonly (readonly [RegExp, Fault])[] = [
  [
    /^SQLITE_FULL/,
    { what: 'the disk is full', todo: 'Free space on the disk of the data folder. Nothing needs a restart.' },
  ],
  [
    /^SQLITE_IOERR_(NOMEM|SHMSIZE|SHMOPEN)/,
    { what: 'there is no room for its shared memory file', todo: 'Free space on the disk of the data folder.' },
  ],
  [
    /^SQLITE_READONLY/,
    {
      what: 'it may not be written',
      todo: 'Give the account that runs Estepe write rights on the data folder, and see that its disk is not mounted read-only.',
    },
  ],
  [
    /^SQLITE_IOERR/,
    { what: 'reading or writing the disk failed', todo: 'Check the disk of the data folder and the system log.' },
  ],
  [
    /^SQLITE_(CORRUPT|NOTADB)/,
    {
      what: 'the file is damaged',
      todo: 'Restore estepe.db from a copy, or let Estepe set it aside and begin a new one.',
    },
  ],
  [
    /^SQLITE_(BUSY|LOCKED)/,
    {
      what: 'another program holds it',
      todo: 'Close whatever has estepe.db open: a database browser, a backup, an antivirus.',
    },
  ],
  [
    /^SQLITE_(CANTOPEN|PERM|AUTH)/,
    {
      what: 'it cannot be opened',
      todo: 'Check that the data folder exists and the account that runs Estepe may write it.',
    },
  ],
];

/** What went wrong, as `what` (a clause) and `todo` (a sentence), for any thrown thing. */
export function faultOf(error: unknown): Fault {
  const code = sqliteCode(error);
  const known = code === null ? undefined : faults.find(([pattern]) => pattern.test(code));
  if (known !== undefined) return known[1];
  return { what: sentenceOf(error), todo: 'Look at the log; run `estepe doctor`.' };
}

/** Whether the error says that the file itself is damaged, not that it cannot be reached now. */
export function saysDamaged(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error) ?? '');
}

/** `EstepeError('database')` for a failed call; an EstepeError passes through. `doing` follows "could not". */
export function databaseError(file: string, doing: string, error: unknown): EstepeError {
  if (error instanceof EstepeError) return error;
  const { what, todo } = faultOf(error);
  return new EstepeError(
    'database',
    `Could not ${doing} in ${file}: ${what}.`,
    todo,
    { file, sqlite: sqliteCode(error) },
    error,
  );
}
