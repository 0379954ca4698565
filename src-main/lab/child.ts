/**
 * Processes of the lab's own: each says once over IPC that it is ready or why not, and dies with its parent. Knows nothing
 * of what they do.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EstepeError } from '../contract/errors.ts';

/** What such a process says first, and only once. */
export type FirstWord<Ready> =
  | ({ kind: 'ready' } & Ready)
  | { kind: 'failed'; error: ReturnType<EstepeError['toJSON']> };

const readyWithinMs = 15_000;

/**
 * The script of a child: beside this file in the sources, an entry of its own in the build.
 * @throws EstepeError `runtime` when it is not there
 */
export function labScript(name: string, what: string): string {
  const places = [`./${name}.ts`, `./${name}.js`, `../${name}.js`];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (found === undefined) {
    throw new EstepeError('runtime', `${what} is not part of this installation.`, 'Run the lab from the repository.');
  }
  return found;
}

/**
 * Starts a child and waits for its first word.
 * @throws EstepeError what the child says, or `internal` when it dies or stays silent; nothing runs then
 */
export async function startChild<Ready>(
  what: string,
  script: string,
  argv: readonly string[],
): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = fork(script, [...argv], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const word = await firstWord<Ready>(what, child);
  if (word.kind === 'ready') return { child, ready: word };
  child.kill('SIGKILL');
  throw new EstepeError(word.error.code, word.error.message, word.error.todo, word.error.detail);
}

function firstWord<Ready>(what: string, child: ChildProcess): Promise<FirstWord<Ready>> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new EstepeError('internal', `${what} did not start: ${why}`, 'See what it printed above.'));
    };
    const late = setTimeout(() => fail(`it said nothing for ${readyWithinMs / 1000} s`), readyWithinMs);
    const settle = (then: () => void): void => {
      clearTimeout(late);
      child.removeAllListeners();
      then();
    };
    child.once('message', (said) => settle(() => resolve(said as FirstWord<Ready>)));
    child.once('error', (error) => settle(() => fail(error.message)));
    child.once('exit', (code, signal) => settle(() => fail(`it ended with ${signal ?? `exit code ${code}`}`)));
  });
}

export const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

export function exitOf(child: ChildProcess): Promise<void> {
  return isRunning(child) ? new Promise((resolve) => child.once('exit', () => resolve())) : Promise.resolve();
}

/**
 * Stops a process in its tracks, or lets it go on.
 * @throws EstepeError `runtime` on Windows, which cannot
 */
export function freeze(child: ChildProcess): void {
  if (process.platform === 'win32') {
    throw new EstepeError(
      'runtime',
      'Windows cannot stop a process in its tracks.',
      'Use kill there, or run the lab on Linux.',
    );
  }
  child.kill('SIGSTOP');
}

export function thaw(child: ChildProcess): void {
  if (process.platform !== 'win32') child.kill('SIGCONT');
}
