/**
 * Makes what is to be archived ready, by profile: the PBX's own backup as a file, or the site's folders. Must not know where
 * archives go.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../config/atomic-file.ts';
import type { ProfileName } from '../../config/profiles.ts';
import { EstepeError } from '../../contract/errors.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Location } from '../location.ts';
import { backup3cx, backupFreepbx, folderFor3cx, freepbxFolder } from './command-lines.ts';
import { type Running, runAll, runLine } from './run-line.ts';
import { takeScheduled } from './scheduled-file.ts';

/** `backup.source` as the configuration has it, its secrets read. */
export interface SourceSettings {
  folders?: readonly string[] | undefined;
  files?: readonly string[] | undefined;
  before?: readonly (readonly string[])[] | undefined;
  after?: readonly (readonly string[])[] | undefined;
  from?: 'command' | 'folder' | undefined;
  options?: readonly string[] | undefined;
  /** the password itself */
  password: string | null;
  job?: string | undefined;
  folder?: string | undefined;
}

export interface SourceWork {
  profile: ProfileName;
  settings: SourceSettings;
  running: Running;
  clock: Clock;
  /** a folder of ours for large files; what is made in it is removed by `leave` */
  scratch: string;
  /** where 3CX's own schedule stores, with `from: folder` */
  scheduled: Pick<Location, 'list' | 'read' | 'title'> | null;
  /** between two looks at a file that somebody else may be writing, ms */
  settleMs: number;
}

export interface Ready {
  /** absolute paths to archive */
  paths: readonly string[];
  /** wall clock when the data was current: the offset counts from here */
  createdAt: number;
  /** what was archived before with that very time is this very data; else the clock was set back */
  dated: boolean;
  /** for the manifest: how it was asked, without secrets */
  options: Record<string, unknown>;
  /** to be called when the files were read, or will not be: removes them, runs the site's `after` */
  leave(): Promise<void>;
}

function nothing(message: string, todo: string): never {
  throw new EstepeError('backup', message, todo);
}

/** The newest file below a folder that was written since; FreePBX stores one folder a job. */
function newestSince(folder: string, since: number): string | null {
  let newest: { path: string; at: number } | null = null;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.tar(?:\.gz)?$|\.tgz$/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const at = statSync(path).mtimeMs;
    // File systems keep times in steps, FAT of two seconds.
    if (at >= since - 2000 && (newest === null || at > newest.at)) newest = { path, at };
  }
  return newest?.path ?? null;
}

const emptyFile = (path: string): boolean => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;

const toolFolderName = 'estepe-3cx-';

/** What a process that died left: a whole PBX, not encrypted. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const [, pid] = /^estepe-3cx-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // not ours to remove
    }
  }
}

/** A folder for a PBX's tool, which on Linux runs as a user that may not look into ours. */
export async function toolFolder(profile: '3cx-windows' | '3cx-linux', scratch: string, running: Running) {
  if (profile === '3cx-windows') {
    mkdirSync(scratch, { recursive: true });
    return mkdtempSync(join(scratch, '3cx-'));
  }
  removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${toolFolderName}${process.pid}-`));
  try {
    await runLine(folderFor3cx(folder), running);
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function ready3cx(profile: '3cx-windows' | '3cx-linux', work: SourceWork): Promise<Ready> {
  const { settings, running, clock, scratch, scheduled, settleMs } = work;
  if (settings.from === 'folder') {
    if (scheduled === null) nothing("The folder of 3CX's own backups is not named.", 'set `backup.source.folder`');
    mkdirSync(scratch, { recursive: true });
    const folder = mkdtempSync(join(scratch, '3cx-'));
    const leave = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
    try {
      const file = join(folder, '3cx-backup.zip');
      const { stored, passedOver } = await takeScheduled(scheduled, file, clock, settleMs, running.signal);
      const options = { from: 'folder', name: stored.name, passedOver };
      return {
        paths: [file],
        createdAt: stored.modifiedAt ?? clock.wall(),
        dated: stored.modifiedAt !== null,
        options,
        leave,
      };
    } catch (error) {
      await leave();
      throw error;
    }
  }
  const createdAt = clock.wall();
  const folder = await toolFolder(profile, scratch, running);
  const leave = async (): Promise<void> => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, '3cx-backup.zip');
    const options = settings.options ?? ['ALL'];
    const log = join(folder, 'backup.log');
    const said = await runLine(backup3cx(profile, { file, log, options, password: settings.password }), running);
    // Seen with such tools: success reported though nothing was written.
    if (emptyFile(file))
      nothing(`3CX's backup command reported success, but wrote nothing. ${said.slice(-300)}`, 'see its log');
    return {
      paths: [file],
      createdAt,
      dated: false,
      options: { from: 'command', options, password: settings.password !== null },
      leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

async function readyFreepbx({ settings, running, clock }: SourceWork): Promise<Ready> {
  const { job = '', folder = freepbxFolder } = settings;
  const createdAt = clock.wall();
  await runLine(backupFreepbx(job), running);
  const file = newestSince(folder, createdAt);
  if (file === null || emptyFile(file)) {
    nothing(
      `FreePBX's backup job ${job} reported success, but left no new file below ${folder}.`,
      'let the job store to this server, and name that folder as `backup.source.folder`',
    );
  }
  // FreePBX keeps and rotates its own file.
  return { paths: [file], createdAt, dated: false, options: { job }, leave: async () => {} };
}

async function readyFolders({ settings, running, clock }: SourceWork): Promise<Ready> {
  const { folders = [], files = [], before = [], after = [] } = settings;
  const createdAt = clock.wall();
  let left = false;
  const leave = async (): Promise<void> => {
    if (left) return;
    left = true;
    // Cancelled or not: what `before` stopped has to go on.
    await runAll(after, { ...running, signal: new AbortController().signal });
  };
  try {
    await runAll(before, running);
  } catch (error) {
    // What an earlier command stopped has to go on; the first failure is the one to tell.
    await leave().catch(() => {});
    throw error;
  }
  return { paths: [...folders, ...files], createdAt, dated: false, options: { folders, files }, leave };
}

/**
 * Makes it ready. On a failure nothing is left of it.
 * @throws EstepeError `backup`
 */
export function readySource(work: SourceWork): Promise<Ready> {
  switch (work.profile) {
    case '3cx-windows':
    case '3cx-linux':
      return ready3cx(work.profile, work);
    case 'freepbx':
      return readyFreepbx(work);
    case 'generic':
      return readyFolders(work);
  }
}
