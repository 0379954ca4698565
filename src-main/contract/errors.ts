/**
 * Errors as values: a code for programs, a sentence for the admin (what, where), and what to do next.
 * The same shape travels over the console, the command line's `--json` and the log.
 */

export const errorCodes = [
  'usage', // wrong words on the command line
  'config', // estepe.yaml cannot be used
  'first-run', // no configuration was made here yet
  'data-folder', // missing, unwritable, full
  'owned', // another engine runs on this data folder
  'no-engine', // no engine runs on this data folder
  'port', // a port is taken or not allowed
  'database', // estepe.db damaged or from a newer Estepe
  'runtime', // wrong Node, missing part of the system
  'refused', // a guard said no
  'backup', // a backup could not be made, or is refused, or could not be restored
  'location', // where backups are stored could not be used
  'nothing-to-do', // the order does not fit the phase
  'unauthorized',
  'not-found',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** An error an admin can act on. `message` says what and where, `todo` what to do. */
export class EstepeError extends Error {
  readonly code: ErrorCode;
  readonly todo: string;
  readonly detail: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, todo: string, detail: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EstepeError';
    this.code = code;
    this.todo = todo;
    this.detail = detail;
  }

  /** 2 for what the caller wrote wrongly (usage, configuration), 1 for everything that failed. */
  get exitCode(): 1 | 2 {
    return this.code === 'usage' || this.code === 'config' ? 2 : 1;
  }

  toJSON(): { code: ErrorCode; message: string; todo: string; detail: Record<string, unknown> } {
    return { code: this.code, message: this.message, todo: this.todo, detail: this.detail };
  }
}

/** The sentence of whatever was thrown; never a stack. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
