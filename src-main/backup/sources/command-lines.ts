/**
 * The command lines of each PBX product's own tools, as data: how a backup is made, how one is restored without starting
 * services, and what tells the installed version. Pure: nothing is run here.
 *
 * 3CX: `-f/--file`, `-l/--log`, `-o/--options`, `--pwd`, `--noemail`; restore also `--failover`. Its tools take the password in
 * no other way, so it stands in the process list while they run; it is kept out of everything we write.
 */
import { posix, win32 } from 'node:path';
import type { ProfileName } from '../../config/profiles.ts';

export interface CommandLine {
  argv: readonly string[];
  /** for sentences: without passwords */
  shown: string;
  /** what must not be shown of its output */
  secrets: readonly string[];
}

/** Where 3CX's tools are. */
const windowsBin = 'C:\\Program Files\\3CX Phone System\\Bin';
const linuxBin = '/usr/sbin';
/** On Linux they must run as the user that owns 3CX's database. */
export const linuxUser3cx = 'phonesystem';

type Profile3cx = '3cx-windows' | '3cx-linux';

function line(argv: readonly string[], secrets: readonly string[] = []): CommandLine {
  const hidden = argv.map((word) => secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), word));
  return { argv, shown: hidden.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' '), secrets };
}

function tool3cx(profile: Profile3cx, name: 'BackupCmd' | 'RestoreCmd'): readonly string[] {
  if (profile === '3cx-windows') return [win32.join(windowsBin, `${name}.exe`)];
  return ['sudo', '-n', '-u', linuxUser3cx, posix.join(linuxBin, `3CX${name}`)];
}

const passwordOf = (password: string | null) => (password === null ? [] : [`--pwd=${password}`]);

/**
 * 3CX's backup into a file. A bare file name would mean the place that 3CX itself is configured for.
 * @param file absolute path; on Linux the tool's user must be able to create it
 * @param options `ALL`, or parts such as `CH`, `LIC`
 */
export function backup3cx(
  profile: Profile3cx,
  what: { file: string; log: string; options: readonly string[]; password: string | null },
): CommandLine {
  const { file, log, options, password } = what;
  return line(
    [
      ...tool3cx(profile, 'BackupCmd'),
      `--file=${file}`,
      `--log=${log}`,
      `--options=${options.join(',')}`,
      '--noemail',
      ...passwordOf(password),
    ],
    password === null ? [] : [password],
  );
}

/** 3CX's restore from a file, as for its own failover: services are not started. */
export function restore3cx(
  profile: Profile3cx,
  what: { file: string; log: string; password: string | null },
): CommandLine {
  const { file, log, password } = what;
  return line(
    [...tool3cx(profile, 'RestoreCmd'), `--file=${file}`, `--log=${log}`, '--failover', ...passwordOf(password)],
    password === null ? [] : [password],
  );
}

/** Gives the tool's user a folder of its own, for it alone: it may not look into ours. */
export const folderFor3cx = (folder: string): CommandLine =>
  line(['install', '-d', '-o', linuxUser3cx, '-m', '0700', folder]);

/** A copy of a file for the tool's user alone. */
export const copyFor3cx = (file: string, to: string): CommandLine =>
  line(['install', '-o', linuxUser3cx, '-m', '0600', file, to]);

/** Runs one of FreePBX's backup jobs, to wherever that job stores. */
export const backupFreepbx = (job: string): CommandLine => line(['fwconsole', 'backup', `--backup=${job}`]);

export const restoreFreepbx = (file: string): CommandLine => line(['fwconsole', 'backup', `--restore=${file}`]);

/** Where FreePBX's local storage lies unless the site chose another place. */
export const freepbxFolder = '/var/spool/asterisk/backup';

/** What prints the installed version somewhere in its output; null: nobody can be asked. */
export const versionLines: Readonly<Record<ProfileName, CommandLine | null>> = {
  '3cx-linux': line(['dpkg-query', '--show', '3cxpbx']),
  '3cx-windows': line([
    'powershell.exe',
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    `(Get-Item -LiteralPath '${win32.join(windowsBin, 'RestoreCmd.exe')}').VersionInfo.ProductVersion`,
  ]),
  freepbx: line(['fwconsole', '--version']),
  generic: null,
};
