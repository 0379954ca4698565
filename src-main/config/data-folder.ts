/**
 * The folder in which everything of one Estepe lives, and where in it. Must not know what is in the files.
 */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { EstepeError, sentenceOf } from '../contract/errors.ts';

/** Absolute paths. */
export interface DataFolder {
  root: string;
  /** estepe.yaml */
  config: string;
  /** estepe.db */
  db: string;
  secrets: string;
  logs: string;
  scripts: string;
  spool: string;
  /** which other node was paired */
  peer: string;
  /** how clients reach the engine that runs here */
  engine: string;
  /** held by the engine that runs here */
  lock: string;
}

/** What the default place hangs on; for tests. */
export interface Machine {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  isRoot: boolean;
  home: string;
}

const thisMachine = (): Machine => ({
  platform: process.platform,
  env: process.env,
  isRoot: process.getuid?.() === 0,
  home: homedir(),
});

/**
 * Where the data folder is when nobody names one: `ESTEPE_DATA`; Windows: `%ProgramData%\Estepe`; as root
 * `/var/lib/estepe`; else `~/.local/share/estepe`.
 */
export function defaultDataFolder(machine: Machine = thisMachine()): string {
  const { platform, env, isRoot, home } = machine;
  if (env.ESTEPE_DATA) return env.ESTEPE_DATA;
  if (platform === 'win32') return `${env.ProgramData || 'C:\\ProgramData'}\\Estepe`;
  if (isRoot) return '/var/lib/estepe';
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'estepe');
}

/** The paths of a data folder. Nothing is made or looked at: for clients, who must leave no trace. */
export function dataFolderAt(path?: string): DataFolder {
  const root = resolve(path ?? defaultDataFolder());
  const at = (name: string) => join(root, name);
  return {
    root,
    config: at('estepe.yaml'),
    db: at('estepe.db'),
    secrets: at('secrets'),
    logs: at('logs'),
    scripts: at('scripts'),
    spool: at('spool'),
    peer: at('peer.json'),
    engine: at('engine.json'),
    lock: at('owner.lock.db'),
  };
}

const reasons: Readonly<Record<string, readonly [what: string, todo: string]>> = {
  EACCES: ['this user may not write there', 'run Estepe as the user who owns it, or name another folder with --data'],
  EPERM: ['this user may not write there', 'run Estepe as the user who owns it, or name another folder with --data'],
  EROFS: ['it is read-only', 'make it writable, or name another folder with --data'],
  ENOSPC: ['the disk is full', 'free some space there, then start again'],
  EDQUOT: ['the quota is used up', 'free some space there, then start again'],
  ENOTDIR: ['it is not a folder', 'name a folder with --data'],
  EEXIST: ['it is not a folder', 'name a folder with --data'],
};

function trouble(root: string, error: unknown): EstepeError {
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : '';
  const [what, todo] = reasons[code] ?? [sentenceOf(error), 'check the path, or name another folder with --data'];
  return new EstepeError(
    'data-folder',
    `The data folder ${root} cannot be used: ${what}.`,
    todo,
    { root, code },
    error,
  );
}

/** One folder at a time: Node's `recursive` says ENOENT whatever is in the way, also where the disk is read-only. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Made by somebody else in this moment; a file in its place is still EEXIST.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/** A whole block, flushed: a full disk may still take an empty file. */
function tryWriting(root: string): void {
  const probe = join(root, `.writable.${process.pid}`);
  const fd = openSync(probe, 'w', 0o600);
  try {
    const block = Buffer.alloc(8192, 1);
    for (let at = 0; at < block.length; ) at += writeSync(fd, block, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    rmSync(probe, { force: true });
  }
}

/**
 * Opens a data folder for an engine: makes what is missing, for its owner alone, and proves that it can be written.
 * @param path default: `defaultDataFolder()`
 * @throws EstepeError `data-folder` when it is no folder, not writable or full
 */
export function openDataFolder(path?: string): DataFolder {
  const folder = dataFolderAt(path);
  try {
    for (const part of [folder.root, folder.secrets, folder.logs, folder.scripts, folder.spool]) {
      makeFolder(part);
    }
    if (process.platform !== 'win32' && (statSync(folder.secrets).mode & 0o077) !== 0) chmodSync(folder.secrets, 0o700);
    tryWriting(folder.root);
  } catch (error) {
    throw trouble(folder.root, error);
  }
  return folder;
}
