/**
 * What backups are called in a location: `PAIR-NODE-20261124T010000Z.zip`, with `.age` behind it when encrypted, and
 * `.proof.json` behind that for what is known of it. Pure. Every other name is somebody else's file.
 */

export interface BackupName {
  /** as in the name: see `pairWord` */
  pair: string;
  node: string;
  /** wall clock, to the second */
  createdAt: number;
  encrypted: boolean;
}

const pattern = /^(.+)-([^-]+)-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.zip(\.age)?$/;
const proofSuffix = '.proof.json';

/** A pair's name, of the letters that every location takes. Two pairs may look alike so: the proof tells whose a backup is. */
export const pairWord = (pair: string): string =>
  pair.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[^A-Za-z0-9]+/, '') || 'pair';

/** A node's address without dashes: the last two dashes of a name part it. */
const nodeWord = (node: string): string => node.replace(/[^A-Za-z0-9._]/g, '_').slice(-80) || 'node';

/** @param createdAt wall clock when the data was current; names of one node sort by it */
export function backupName(pair: string, node: string, createdAt: number, encrypted: boolean): string {
  const stamp = new Date(Math.floor(createdAt / 1000) * 1000).toISOString().replace(/[-:]|\.000/g, '');
  return `${pairWord(pair)}-${nodeWord(node)}-${stamp}.zip${encrypted ? '.age' : ''}`;
}

/** What a name says, or null when it is no backup's. */
export function parseBackupName(name: string): BackupName | null {
  const [, pair = '', node = '', year, month, day, hour, minute, second, age] = pattern.exec(name) ?? [];
  if (pair === '') return null;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const createdAt = Date.parse(iso);
  // A 31st of February, too, would be read as some date.
  if (Number.isNaN(createdAt) || new Date(createdAt).toISOString() !== iso) return null;
  return { pair, node, createdAt, encrypted: age !== undefined };
}

/** A backup of that pair, by its name. */
export const isBackupOf = (pair: string, name: string): boolean => parseBackupName(name)?.pair === pairWord(pair);

/** With what the names of a pair's backups and proofs begin: nothing else of the location need be listed. */
export const namesBegin = (pair: string): string => `${pairWord(pair)}-`;

export const proofNameOf = (name: string): string => `${name}${proofSuffix}`;

/** The backup whose proof has that name, or null when it is no proof's name. */
export function backupOfProof(name: string): string | null {
  if (!name.endsWith(proofSuffix)) return null;
  const backup = name.slice(0, -proofSuffix.length);
  return parseBackupName(backup) === null ? null : backup;
}
