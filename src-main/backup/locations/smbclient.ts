/**
 * Samba's own `smbclient` as our SMB client: no library for Node does SMB 3, signing and encryption. The password goes through a pipe:
 * neither in its arguments, nor in its environment, nor on the disk. Must not know files.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import { LocationError, type LocationFault } from '../location.ts';
import { cancelledFault, codeOf, locationFault, type Place } from './faults.ts';
import { answerOf } from './flow.ts';

export interface SmbSettings {
  host: string;
  port: number;
  share: string;
  /** null: as a guest */
  user: string | null;
  domain: string | null;
  password: string;
  place: Place;
  clock: Clock;
  silenceMs: number;
}

/** Its messages are short; a listing of a folder with thousands of files is not. */
const maxOutputChars = 32 * 1024 * 1024;

export interface SmbRun {
  child: ChildProcess & { stdin: Writable; stdout: Readable };
  /** resolves with its messages when it ended well; rejects with a LocationError */
  ended: Promise<string>;
  /** ends it at once */
  kill(): void;
}

/** Quoted for smbclient's own command line, with its separators. */
export function smbPath(path: string): string {
  return `"${path
    .split('/')
    .filter((part) => part !== '')
    .join('\\')}"`;
}

/**
 * Starts it with commands for its own command line.
 * @param quiet stdout carries a file's bytes, messages come on stderr
 */
export function startSmb(settings: SmbSettings, commands: string, what: string, quiet = false): SmbRun {
  const { host, port, share, user, domain, place } = settings;
  const who = user === null ? ['-N'] : ['-U', user, ...(domain === null ? [] : ['-W', domain])];
  const argv = [`//${host}/${share}`, '-p', String(port), '-s', '/dev/null', '-E', ...who, '-c', commands];
  const child = spawn('smbclient', argv, {
    // Times are printed in its own zone; nothing else of ours is its business.
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C', PASSWD_FD: '3' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  }) as SmbRun['child'];
  let output = '';
  const keep = (piece: Buffer): void => {
    if (output.length < maxOutputChars) output += piece.toString('utf8');
  };
  child.stderr?.on('data', keep);
  if (!quiet) child.stdout.on('data', keep);
  // A child that died takes no more; why it died is told by its end.
  child.stdin.on('error', () => {});
  const passwordPipe = child.stdio[3] as Writable | null;
  passwordPipe?.on('error', () => {});
  // It reads one line, and some versions do so twice.
  passwordPipe?.end(`${settings.password}\n`.repeat(2));
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(place, error)));
    child.once('close', (code, signal) => {
      const fault = smbFault(place, output, what);
      if (fault !== null) reject(fault);
      else if (code === 0) resolve(output);
      else
        reject(locationFault(place, 'other', `${what}: smbclient ended with ${signal ?? `exit ${code}`}: ${output}`));
    });
  });
  ended.catch(() => {});
  return { child, ended, kill: () => void child.kill('SIGKILL') };
}

/** Runs commands that only say something. */
export async function askSmb(
  settings: SmbSettings,
  commands: string,
  what: string,
  signal: AbortSignal,
): Promise<string> {
  const { place, clock, silenceMs } = settings;
  if (signal.aborted) throw cancelledFault(place);
  const run = startSmb(settings, commands, what);
  run.child.stdin.end();
  return answerOf(run.ended, {
    ...{ clock, silenceMs, signal },
    cancelled: () => cancelledFault(place),
    silent: () => locationFault(place, 'timeout', `${what}: the server does not answer`),
    letGo: run.kill,
  });
}

function notStarted(place: Place, error: Error): LocationError {
  if (codeOf(error) !== 'ENOENT')
    return locationFault(place, 'other', `smbclient cannot be started (${codeOf(error)})`);
  return locationFault(
    place,
    'unsupported',
    'smbclient is not installed on this machine',
    'install it (Debian: `apt install smbclient`), or mount the share and name its folder with `kind: local`',
  );
}

/** The second where two renames race: the server looked before the other's folder was there, and its own rename found it. */
const taken = /OBJECT_NAME_COLLISION|OBJECT_NAME_EXISTS|DIRECTORY_NOT_EMPTY/;

/** [MS-ERREF] 2.3; what smbclient prints. */
const ofStatus: readonly (readonly [RegExp, LocationFault, string])[] = [
  [
    /LOGON_FAILURE|WRONG_PASSWORD|NO_SUCH_USER|ACCOUNT_|PASSWORD_|INVALID_LOGON|LOGON_TYPE/,
    'credentials',
    'user or password refused',
  ],
  [/BAD_NETWORK_NAME/, 'missing', 'there is no such share'],
  [/DISK_FULL|QUOTA|ALLOTTED_SPACE/, 'full', 'the disk or the quota is full'],
  [/FILE_TOO_LARGE/, 'too-large', 'takes no file of that size'],
  [taken, 'other', 'something is there already'],
  [/NO_SUCH_FILE|OBJECT_(NAME|PATH)_NOT_FOUND|NOT_A_DIRECTORY|OBJECT_PATH_INVALID/, 'missing', 'does not exist'],
  [
    /ACCESS_DENIED|MEDIA_WRITE_PROTECTED|SHARING_VIOLATION|CANNOT_DELETE|PRIVILEGE/,
    'permission',
    'this user may not do that there',
  ],
  [/IO_TIMEOUT/, 'timeout', 'the server does not answer'],
  [
    /CONNECTION_|HOST_UNREACHABLE|NETWORK_|PIPE_|LOCAL_DISCONNECT|REMOTE_DISCONNECT|END_OF_FILE|NOT_FOUND\)|USER_SESSION_DELETED|UNEXPECTED_NETWORK|INVALID_NETWORK_RESPONSE/,
    'connection',
    'the connection failed or was cut',
  ],
  [/NOT_SUPPORTED|INVALID_PARAMETER|PROTOCOL/, 'unsupported', 'no agreement with the server'],
];

/** A row of a listing: somebody's file may be called `NT_STATUS_DISK_FULL.txt`. Its messages begin at the line's beginning. */
const rows = /^ {2}.*$/gm;

/** The first fault that it printed; null when it printed none. */
export function smbFault(place: Place, output: string, what: string): LocationError | null {
  const name = /NT_STATUS_[A-Z0-9_]+\)?/.exec(output.replace(rows, ''))?.[0];
  if (name === undefined) return null;
  for (const [pattern, fault, words] of ofStatus) {
    if (pattern.test(name)) return locationFault(place, fault, `${what}: ${words} (${name.replace(')', '')})`);
  }
  return locationFault(place, 'other', `${what}: the server says ${name.replace(')', '')}`);
}

/** Whether somebody was there first. */
export const isTaken = (error: unknown): boolean => error instanceof LocationError && taken.test(error.message);
