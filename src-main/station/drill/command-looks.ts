/** Looks at what a promotion would run on this machine: scripts whether a shell can read them, commands whether they are there. Runs none. */
import { accessSync, constants, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';
import type { DrillRow } from '../../contract/drill.ts';
import { sentenceOf } from '../../contract/errors.ts';
import type { Proc } from '../../engine/ports.ts';
import { resolveScript } from '../../runbook/script-path.ts';
import { spoken } from '../../runbook/services.ts';
import { check } from '../doctor/check.ts';

export interface CommandLook {
  proc: Proc;
  scriptsFolder: string;
  platform: NodeJS.Platform;
  runToken: string;
  signal: AbortSignal;
}

const syntaxMs = 10_000;
/** Shells that read a script through without running it: `-n` (POSIX sh, Utilities). */
const shells = ['sh', 'bash', 'dash', 'ksh'];

/** The argv that reads a script with this first line through; null: nobody here knows its language. Pure. */
export function syntaxCheck(firstLine: string, path: string): string[] | null {
  if (!firstLine.startsWith('#!')) return null;
  const [program = '', next = ''] = firstLine.slice(2).trim().split(/\s+/);
  const shell = basename(program) === 'env' ? next : program;
  return shells.includes(basename(shell)) ? [shell, '-n', path] : null;
}

/** What may be run at all is the doctor's question. */
export async function scriptRows(argvs: readonly (readonly string[])[], look: CommandLook): Promise<DrillRow[]> {
  const rows: DrillRow[] = [];
  for (const argv of argvs) {
    const resolved = resolveScript(look.scriptsFolder, argv, look.platform);
    if ('refused' in resolved) continue;
    const row = await scriptRow(basename(argv[0] ?? ''), resolved.argv[0], look);
    if (row !== null) rows.push(row);
  }
  return rows;
}

async function scriptRow(name: string, path: string, { proc, ...look }: CommandLook): Promise<DrillRow | null> {
  const say = check('promotion', `script.${name}`);
  let line: string;
  try {
    line = await firstLineOf(path);
  } catch (error) {
    // one that is not there is said by the doctor's question
    return codeOf(error) === 'ENOENT'
      ? null
      : say.problem(`${name} cannot be read.`, sentenceOf(error), 'Let Estepe read it.');
  }
  const argv = look.platform === 'win32' ? null : syntaxCheck(line, path);
  if (argv === null) return say.skipped(`The syntax of ${name} was not looked at, and it was not run.`);
  const { runToken, signal } = look;
  const ran = await proc.run({ argv, cwd: look.scriptsFolder, env: {}, timeoutMs: syntaxMs, runToken, signal });
  if (ran.end.how === 'exit' && ran.end.code === 0)
    return say.ok(`${name} reads as a script of ${basename(argv[0] ?? '')}; it was not run.`);
  const why = ran.end.how === 'not-started' ? ran.end.why : ran.output.trim().slice(0, 400) || ran.end.how;
  return say.problem(`${name} would fail: it cannot be read as a script.`, why, 'Mend what it says.');
}

async function firstLineOf(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString('utf8', 0, bytesRead).split('\n', 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error ? Reflect.get(error, 'code') : null);

/** The commands that start the PBX: is the program of each there? */
export function startRows(
  start: readonly (readonly string[])[],
  { scriptsFolder, platform }: Pick<CommandLook, 'scriptsFolder' | 'platform'>,
): DrillRow[] {
  // Windows finds programs by rules of its own; the services are asked after by the doctor's question.
  if (platform === 'win32' || start.length === 0) return [];
  const missing = start.filter(([program = '']) => !isThere(program, scriptsFolder));
  const say = check('promotion', 'start');
  if (missing.length === 0)
    return [say.ok('What starts the PBX here is there; nothing was started.', start.map(spoken).join('; '))];
  return missing.map((argv, i) =>
    check('promotion', `start.${i + 1}`).problem(
      `${argv[0]} is not there, or may not be run.`,
      spoken(argv),
      'Correct `services.start`.',
    ),
  );
}

function isThere(program: string, scriptsFolder: string): boolean {
  const paths =
    isAbsolute(program) || program.includes('/')
      ? [resolve(scriptsFolder, program)]
      : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}
