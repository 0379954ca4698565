/**
 * The engine's log: `<data>/logs/estepe.log`, one line per event and per fault; full ones become `estepe.1.log` (the newest) to
 * `estepe.5.log`. Secrets are taken out of every line. A disk that takes no more costs the log, not the watch.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import electronLog from 'electron-log/node';
import type { DataFolder } from '../config/data-folder.ts';
import { redact } from '../config/secrets.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Severity } from '../contract/words.ts';
import type { Round } from '../engine/observation.ts';
import { knownSecrets } from './known-secrets.ts';

const fileBytes = 8 * 1024 * 1024;
/** Six files at most, 48 MiB: weeks of `info`. */
const oldFiles = 5;
/** What is kept of a full file that cannot be renamed: on Windows somebody may hold it open. */
const keptBytes = 256 * 1024;

// What it has to say of its own, that a file cannot be written, it says of every line and with a stack. On stderr, where systemd or a
// person reads it, once is enough.
let saidOnce = false;
electronLog.transports.console.writeFn = () => {
  if (!saidOnce)
    process.stderr.write('The log cannot be written (a full disk, or rights); Estepe goes on without it.\n');
  saidOnce = true;
};

/** Each level with those before it. `debug`: every round of the heartbeat, too. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
  /** an event of history, by its severity */
  event(severity: Severity, line: string): void;
}

export interface LogOptions {
  level?: LogLevel | undefined;
  /** a file that has grown beyond it is put aside */
  maxBytes?: number;
}

/**
 * @param logs the folder for logs
 * @param secrets what must never be written, in any disguise; asked anew for every line
 */
export function openLog(logs: string, secrets: () => readonly string[], options: LogOptions = {}): Log {
  const log = electronLog.create({ logId: logs });
  log.transports.console.level = false;
  const { file } = log.transports;
  // It would look for a package.json from the working folder on, and write nothing at all where it finds none, as at boot.
  file.setAppName('estepe');
  file.level = options.level ?? 'info';
  file.resolvePathFn = () => logAt(logs, 0);
  file.maxSize = options.maxBytes ?? fileBytes;
  file.format = '{y}-{m}-{d} {h}:{i}:{s}.{ms} {level} {text}';
  file.writeOptions = { flag: 'a', mode: 0o600, encoding: 'utf8' };
  // Asynchronous writes would be lost with the process that dies of what it just logged.
  file.sync = true;
  file.archiveLogFn = (full) => {
    try {
      putAside(logs);
    } catch {
      // theirs, left out of its types
      (full as typeof full & { crop(bytes: number): void }).crop(keptBytes);
    }
  };
  const clean = (line: string): string => redact(line, secrets()).replace(/\s*\n\s*/g, ' | ');
  const write = (level: LogLevel, line: string): void => {
    try {
      log[level](clean(line));
    } catch {
      // a full disk costs the log, not the watch
    }
  };
  return {
    debug: (line) => write('debug', line),
    info: (line) => write('info', line),
    warn: (line) => write('warn', line),
    error: (line) => write('error', line),
    event: (severity, line) => write(severity === 'alert' ? 'error' : severity === 'warning' ? 'warn' : 'info', line),
  };
}

const logAt = (logs: string, age: number): string => join(logs, age === 0 ? 'estepe.log' : `estepe.${age}.log`);

/** The oldest goes, each of the others grows older by one. */
function putAside(logs: string): void {
  for (let age = oldFiles - 1; age >= 0; age--) {
    if (existsSync(logAt(logs, age))) renameSync(logAt(logs, age), logAt(logs, age + 1));
  }
}

/**
 * Why an engine did not start, into the log that it would have written: what the machine starts at boot has no terminal. A folder that
 * another engine owns is left to that one; so is one without a place for logs. Never throws.
 */
export function logFailedStart({ logs, secrets }: Pick<DataFolder, 'logs' | 'secrets'>, error: unknown): void {
  if (!existsSync(logs) || (error instanceof EstepeError && error.code === 'owned')) return;
  const todo = error instanceof EstepeError ? ` ${error.todo}` : '';
  // What ended it is said on the terminal itself; that the log has no room for it is no news beside that, and nothing goes on.
  saidOnce = true;
  openLog(logs, knownSecrets(secrets).all).error(`Estepe did not start: ${sentenceOf(error)}${todo}`);
}

/** A round as the log shows it at `debug`. */
export function roundLine({ seq, beats, references }: Round): string {
  const tests = beats.map(
    ({ test, outcome, ms, evidence }) => `${test} ${outcome} in ${Math.round(ms)} ms (${evidence})`,
  );
  const around = references.map(({ id, answered }) => `${id} ${answered === true ? 'answered' : 'did not answer'}`);
  return `round ${seq}: ${[...tests, ...around].join('; ')}`;
}
