/**
 * Real twin of the port `Files`: whether a script may be run, judged by its place, its kind and its rights, since it
 * runs with the engine's rights. Must not run anything.
 *
 * Windows: rights are access lists, which Node cannot read; there the installer gives the data folder to
 * administrators alone, and only place and kind are judged here.
 */
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { dirname, extname, relative } from 'node:path';
import type { Files } from '../engine/ports.ts';
import { isInside } from './script-path.ts';

/** What Windows can start: see command-line.ts. */
const windowsKinds = ['.cmd', '.bat', '.exe', '.ps1'];
const windows = process.platform === 'win32';

export class RealFiles implements Files {
  readonly #folder: string;

  /** @param scriptsFolder absolute path; scripts lie in it or in folders below it */
  constructor(scriptsFolder: string) {
    this.#folder = scriptsFolder;
  }

  /**
   * Judges the file of this moment. Between this and its start it could be exchanged, but only by those whom the
   * rights asked for here let write: root and the engine's user. Never rejects.
   */
  async vetScript(path: string): Promise<string | null> {
    let folder: string;
    try {
      folder = await realpath(this.#folder);
    } catch (error) {
      return `the scripts folder ${this.#folder} ${because(error)}`;
    }
    if (!isInside(this.#folder, path)) return `${path} lies outside the scripts folder ${this.#folder}`;
    let file: string;
    try {
      file = await realpath(path);
    } catch (error) {
      return `${path} ${because(error)}`;
    }
    if (!isInside(folder, file)) return `${path} leads outside the scripts folder, to ${file}`;
    try {
      return (await kindTrouble(path, file)) ?? (windows ? null : await rightsTrouble(file, folder));
    } catch (error) {
      return `${path} ${because(error)}`;
    }
  }
}

function because(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
      return 'is not there';
    case 'ENOTDIR':
      return 'is not there: a part of its path is no folder';
    case 'ELOOP':
      return 'is a link that leads to itself';
    case 'EACCES':
      return 'may not be looked at by this user';
    default:
      return `cannot be looked at: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** @param path as the admin wrote it, @param file where it really is */
async function kindTrouble(path: string, file: string): Promise<string | null> {
  const found = await stat(file);
  if (!found.isFile()) return `${path} is ${found.isDirectory() ? 'a folder' : 'no regular file'}`;
  if (windows) {
    const kind = extname(file).toLowerCase();
    return windowsKinds.includes(kind) ? null : `${path} is none of ${windowsKinds.join(' ')}, which Windows can run`;
  }
  try {
    await access(file, constants.X_OK);
    return null;
  } catch {
    return (found.mode & 0o111) === 0
      ? `${path} is not executable (chmod 755 makes it so)`
      : `${path} may not be executed by this user, or its file system forbids it`;
  }
}

/** Whoever may write the file or a folder on the way to it could have the engine run anything. */
async function rightsTrouble(file: string, folder: string): Promise<string | null> {
  const places = [file];
  for (let place = dirname(file); ; place = dirname(place)) {
    places.push(place);
    if (relative(folder, place) === '') break;
  }
  for (const place of places) {
    const found = await stat(place);
    const trusted = [0, process.getuid?.() ?? 0];
    if (!trusted.includes(found.uid)) {
      return `${place} belongs to user ${found.uid}, not to root or the user that Estepe runs as`;
    }
    if ((found.mode & 0o002) !== 0) return `${place} is writable by everybody (chmod o-w takes that away)`;
    // The group root holds nobody but root.
    if ((found.mode & 0o020) !== 0 && found.gid !== 0) {
      return `${place} is writable by its group ${found.gid} (chmod g-w takes that away)`;
    }
  }
  return null;
}
