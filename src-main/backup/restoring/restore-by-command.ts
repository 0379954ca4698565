/**
 * Restores the PBX's own backup file out of an archive through the PBX's own command, services left stopped. What such a command
 * leaves when it fails is the PBX's: the next restore does it again from the beginning.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ProfileName } from '../../config/profiles.ts';
import { EstepeError } from '../../contract/errors.ts';
import { extractArchive } from '../archive/archive.ts';
import type { Key } from '../archive/encryption.ts';
import { ArchiveError } from '../archive/faults.ts';
import type { Manifest } from '../archive/manifest.ts';
import type { Expectation, Proven } from '../archive/read-archive.ts';
import { type CommandLine, copyFor3cx, restore3cx, restoreFreepbx } from '../sources/command-lines.ts';
import { type Running, runLine } from '../sources/run-line.ts';
import { toolFolder } from '../sources/source.ts';

export interface CommandRestore {
  profile: Exclude<ProfileName, 'generic'>;
  /** the archive, on this machine */
  file: string;
  key: Key | null;
  expect: Expectation;
  /** a folder of ours for large files; everything made in it is removed */
  scratch: string;
  /** 3CX: the password of its own backup file, not of the archive */
  password: string | null;
  /** its signal ends everything up to the PBX's own command; that one is never ended half-way, only by its time-out */
  running: Running;
  /** called when the archive is proven, and right before the PBX's own command; what it throws ends the restore there */
  boundary?: (name: 'proven' | 'running') => void;
  /** bytes unpacked and proven */
  onProgress?: (bytes: number) => void;
}

/** A PBX that is half restored is worse than one that is restored although nobody wants it any more. */
function runWhole(line: CommandLine, { running, boundary = () => {} }: CommandRestore): Promise<string> {
  if (running.signal.aborted) throw new ArchiveError('disk', 'It was cancelled.');
  boundary('running');
  return runLine(line, { ...running, signal: new AbortController().signal });
}

async function run3cx(profile: '3cx-windows' | '3cx-linux', file: string, what: CommandRestore): Promise<string> {
  const { scratch, password, running } = what;
  const folder = await toolFolder(profile, scratch, running);
  try {
    const own = profile === '3cx-windows' ? file : join(folder, '3cx-backup.zip');
    if (own !== file) await runLine(copyFor3cx(file, own), running);
    return await runWhole(restore3cx(profile, { file: own, log: join(folder, 'restore.log'), password }), what);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The id of the one file that such a PBX's archive holds. */
function rootOf({ profile, roots }: Manifest, wanted: CommandRestore['profile']): string {
  const [root, ...others] = roots;
  if (profile !== wanted || root === undefined || root.kind !== 'file' || others.length > 0) {
    throw new ArchiveError('unknown-format', `It holds no backup file of ${wanted}, but one of ${profile}.`);
  }
  if (profile === 'freepbx' && !/\.t(?:ar(?:\.gz)?|gz)$/.test(root.path)) {
    throw new EstepeError('backup', `${root.path} is no backup of FreePBX.`, 'choose another backup');
  }
  return root.id;
}

/** The archive proven, and the PBX's own file out of it in the folder `work`. @throws ArchiveError, EstepeError */
export async function takeOut(
  { profile, file, key, expect, running, onProgress }: Omit<CommandRestore, 'scratch' | 'password' | 'boundary'>,
  work: string,
): Promise<{ proven: Proven; own: string }> {
  const reading = { file, key, scratch: join(work, 'decrypted'), expect };
  const watch = { signal: running.signal, ...(onProgress === undefined ? {} : { onProgress }) };
  // FreePBX tells its files by their ending.
  const own = join(work, profile === 'freepbx' ? 'backup.tar.gz' : '3cx-backup.zip');
  const placing = async ({ manifest }: Proven) => new Map([[rootOf(manifest, profile), own]]);
  const { proven } = await extractArchive(reading, placing, watch);
  return { proven, own };
}

/**
 * Proves the archive, takes the PBX's file out of it and gives it to the PBX's own restore.
 * @returns what was proven, and what the command said
 * @throws EstepeError (an ArchiveError when the archive is refused: then the PBX was not touched)
 */
export async function restoreByCommand(what: CommandRestore): Promise<{ proven: Proven; output: string }> {
  const { profile, scratch, boundary = () => {} } = what;
  mkdirSync(scratch, { recursive: true });
  const work = mkdtempSync(join(scratch, 'restore-'));
  try {
    const { proven, own } = await takeOut(what, work);
    boundary('proven');
    const output = profile === 'freepbx' ? await runWhole(restoreFreepbx(own), what) : await run3cx(profile, own, what);
    return { proven, output };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
