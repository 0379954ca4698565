/**
 * Runs one command for `npm run verify`: output kept, time limited, the whole process tree ended when it takes too long
 * or when verify itself is stopped.
 */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Ran {
  ok: boolean;
  /** why it is not ok, in words; empty when it is */
  why: string;
  /** stdout and stderr as they came */
  output: string;
  ms: number;
}

export interface RunOptions {
  env?: Record<string, string>;
  limitMs?: number;
  /** called with each chunk as it comes; the output is kept all the same */
  onOutput?: (chunk: string) => void;
}

const windows = process.platform === 'win32';
const running = new Set<ChildProcess>();

/** Runs argv without a shell. Never rejects: what went wrong is in `why`. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, limitMs = 1_200_000, onOutput } = options;
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !windows,
    });
    running.add(child);
    let output = '';
    let late = false;
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      onOutput?.(chunk.toString());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      late = true;
      endTree(child);
    }, limitMs);
    const done = (why: string): void => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ ok: why === '', why, output, ms: performance.now() - started });
    };
    child.once('error', (error) => done(`${argv[0]} could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      if (late) done(`took longer than ${Math.round(limitMs / 1000)} s and was ended`);
      else if (code === 0) done('');
      else done(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`);
    });
  });
}

/** Ends every command that still runs; for the moment verify itself is told to stop. */
export function endAll(): void {
  for (const child of running) endTree(child);
}

function endTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (windows) {
    spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it ended between the decision and the signal
  }
}
