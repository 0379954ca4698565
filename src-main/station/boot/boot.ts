/** What both ways to start the engine at boot have in common: how it stands, how the system's own tools are asked. */
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openDataFolder } from '../../config/data-folder.ts';
import { readEndpoint } from '../../config/owner.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import { inWords } from '../../engine/duration.ts';
import type { Proc } from '../../engine/ports.ts';
import type { Said } from '../../runbook/rights.ts';
import type { BootPlan } from './plan.ts';
import type { Logon } from './task-xml.ts';

export interface BootParts {
  proc: Proc;
  /** where the questions run; it must be there */
  cwd: string;
  runToken: string;
  /** of this process; null on Windows */
  uid: number | null;
  /** where units are written; default: systemd's own for the machine's admin */
  unitFolder?: string;
  signal?: AbortSignal;
  /** for what is worth a word and changes nothing */
  say?: (sentence: string) => void;
}

/** How the start at boot stands. */
export interface BootState {
  by: 'systemd' | 'task-scheduler';
  /** the unit's file, or the task's name */
  where: string;
  installed: boolean;
  /** written by `estepe service install` */
  ours: boolean;
  /** whether the machine starts it; null: nobody could tell */
  atBoot: boolean | null;
  /** as the unit or the task names it; null: not installed */
  account: string | null;
  /** Windows: how that account is logged on; null elsewhere */
  logon: Logon | null;
  dataFolder: string | null;
  argv: readonly string[];
  /** why not all of it is known, in a sentence; empty: it is */
  fault: string;
}

export const notInstalled = (by: BootState['by'], where: string, fault = ''): BootState => ({
  ...{ by, where, installed: false, ours: false, atBoot: fault === '' ? false : null, account: null },
  ...{ logon: null, dataFolder: null, argv: [], fault },
});

export interface InstallWish extends BootPlan {
  /** only say what would be done */
  dryRun: boolean;
  /** start it now, or anew where it runs with another command line */
  start: boolean;
  /** Windows: the account's password; null: it has none to tell */
  password: string | null;
}

/** What was done, each a sentence; with `--dry-run` what would be. */
export interface BootChange {
  done: string[];
  /** what is not as it should be all the same */
  troubles: string[];
  /** unit or task as it stands there now, or would */
  text: string;
}

export const toolMs = 20_000;
/** A stop of the engine takes up to 45 s, and a start waits for it. */
export const stopMs = 75_000;

/** One of the system's own tools. Never rejects. */
export function ask(
  { proc, cwd, runToken, signal }: BootParts,
  argv: readonly string[],
  timeoutMs = toolMs,
  env: Record<string, string> = {},
): Promise<Said> {
  return proc.run({ argv, cwd, env, timeoutMs, runToken, ...(signal ? { signal } : {}) });
}

/** Why it failed, as a part of a sentence; null: it did what it was asked. */
export function whyFailed(argv: readonly string[], { end, output }: Said, timeoutMs = toolMs): string | null {
  const line = output.trim().split(/\r?\n/).at(-1)?.slice(0, 300).trim().replace(/\.$/, '') ?? '';
  switch (end.how) {
    case 'exit':
      return end.code === 0 ? null : `\`${argv.join(' ')}\` said: ${line || `exit code ${end.code}`}`;
    case 'timeout':
      return `\`${argv.join(' ')}\` did not end within ${inWords(timeoutMs)}`;
    case 'not-started':
      return `${argv[0]} could not be run: ${end.why}`;
    default:
      return `\`${argv.join(' ')}\` was cut off`;
  }
}

/** @throws EstepeError `runtime` when it failed, with what then stands */
export async function must(
  parts: BootParts,
  argv: readonly string[],
  otherwise: string,
  timeoutMs = toolMs,
): Promise<Said> {
  const said = await ask(parts, argv, timeoutMs);
  const why = whyFailed(argv, said, timeoutMs);
  if (why !== null) throw new EstepeError('runtime', `${why}.`, otherwise);
  return said;
}

/** The data folder, made where it is missing. Says whether it was. */
export function dataFolderMade(path: string): boolean {
  const missing = !existsSync(path);
  openDataFolder(path);
  return missing;
}

/** The engine that runs on that folder; null: none, or nobody may look. */
export function engineOn(dataFolder: string): { pid: number } | null {
  try {
    const notice = readEndpoint(dataFolder);
    return notice.state === 'live' ? { pid: notice.endpoint.pid } : null;
  } catch {
    return null;
  }
}

const answersWithinMs = 20_000;

/** Until an engine runs on that folder. @returns a trouble in a sentence, or null */
export async function untilItRuns(dataFolder: string, own: () => Promise<number | null>): Promise<string | null> {
  const until = performance.now() + answersWithinMs;
  for (;;) {
    const engine = engineOn(dataFolder);
    const pid = engine === null ? null : await own();
    if (engine !== null && (pid === null || pid === engine.pid)) return null;
    if (performance.now() > until) {
      return engine === null
        ? `No engine has come up on ${dataFolder} within ${inWords(answersWithinMs)}: see ${dataFolder}/logs/estepe.log. It is tried again and again.`
        : `Another engine runs on ${dataFolder} (process ${engine.pid}): end that one, and the one at boot takes its place.`;
    }
    await pause(250);
  }
}

/** What failed while something was taken back, added to the failure that made it necessary. */
export function withTakenBack(error: unknown, back: readonly string[]): EstepeError {
  const [code, todo] =
    error instanceof EstepeError ? [error.code, error.todo] : (['runtime', 'See why, and try again.'] as const);
  return new EstepeError(code, `${sentenceOf(error)} ${back.join(' ')}`, todo, {}, error);
}
