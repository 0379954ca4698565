/** Why an archive is refused, or could not be made: a closed list of words, each with a sentence and what to do. */
import { EstepeError } from '../../contract/errors.ts';

export const archiveFaults = [
  'damaged', // cut short, bytes changed, manifest missing or not true
  'unsafe', // names or links that lead out of the folders restored, devices
  'bomb', // holds more than it says, or than there may be
  'other-pair',
  'other-fqdn',
  'newer-version', // made by a newer PBX than the one installed here
  'wrong-key', // encrypted for somebody else, or no key is given
  'unknown-format', // no archive of Estepe's, or one of a later Estepe
  'source', // what should be archived cannot be read
  'disk', // the disk here: full, failing, not allowed
] as const;
export type ArchiveFault = (typeof archiveFaults)[number];

/** Those that are the archive's own doing: it is refused, whatever is tried. The others are of the source or of the disk here. */
export const refusals: ReadonlySet<ArchiveFault> = new Set(
  archiveFaults.filter((fault) => fault !== 'source' && fault !== 'disk'),
);

/** What to do, by the word. The sentence says what was found. */
const todos: Readonly<Record<ArchiveFault, string>> = {
  damaged: 'take another backup from the list; if every one is damaged, check the disk or server they are stored on',
  unsafe: 'do not restore it: Estepe writes no such names; find out who else can write to the location',
  bomb: 'do not restore it: Estepe writes no such sizes; find out who else can write to the location',
  'other-pair': 'give each pair a folder of its own in the location, or correct `pair.name`',
  'other-fqdn': 'restore it on the pair with that FQDN, or correct `pair.fqdn`',
  'newer-version': 'update the PBX here to at least that version, then restore again',
  'wrong-key': "give this node the other node's `backup.encrypt` and the secrets it names",
  'unknown-format': 'choose a backup made by Estepe; if it is one, update Estepe here',
  source: 'check that the folder is there and that Estepe may read it',
  disk: 'check free space and rights of the folder',
};

/** An archive refused or not made. Never holds a secret. */
export class ArchiveError extends EstepeError {
  readonly fault: ArchiveFault;

  constructor(fault: ArchiveFault, message: string, cause?: unknown) {
    super('backup', message, todos[fault], { fault }, cause);
    this.name = 'ArchiveError';
    this.fault = fault;
  }
}

const diskCodes = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'EACCES',
  'EPERM',
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'EFBIG',
]);

/** The operating system's word for it (`ENOSPC`), or ''. */
export const codeOf = (error: unknown): string =>
  error instanceof Error ? String(Reflect.get(error, 'code') ?? '') : '';

/** What went wrong while an archive was read, as one of our errors: the disk's own faults are not the archive's. */
export function asArchiveError(error: unknown, what: string): ArchiveError {
  if (error instanceof ArchiveError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const fault = diskCodes.has(codeOf(error)) ? 'disk' : 'damaged';
  return new ArchiveError(fault, `${what}: ${said}.`, error);
}
