/**
 * Runs `estepe` as its users do: a process of its own, judged by exit code, stdout and stderr. And gives it an engine to
 * talk to: a real console over the desk double, on an owned data folder.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDataFolder } from '../../../src-main/config/data-folder.ts';
import { type Ownership, takeOwnership } from '../../../src-main/config/owner.ts';
import { type RunningConsole, startConsole } from '../../../src-main/console/server.ts';
import { type DeskDouble, makeDeskDouble } from '../console/desk-double.ts';

export const entry = fileURLToPath(new URL('../../../src-main/estepe.ts', import.meta.url));

export interface Ended {
  exit: number | null;
  out: string;
  err: string;
}

export interface Started {
  /** everything printed on stdout so far */
  out(): string;
  ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
}

/** @param inside words before the program, such as those that run it in a network namespace */
export function startEstepe(
  args: readonly string[],
  env: Record<string, string> = {},
  inside: readonly string[] = [],
): Started {
  // What the machine's own user has set must not colour the answers.
  const { ESTEPE_DATA: _data, ESTEPE_DEBUG: _debug, FORCE_COLOR: _force, NO_COLOR: _no, ...inherited } = process.env;
  const [program = process.execPath, ...words] = [...inside, process.execPath, entry, ...args];
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, ...env },
  });
  const got = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    got.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    got.err += chunk.toString();
  });
  return {
    out: () => got.out,
    signal: (name) => void child.kill(name),
    ended: new Promise((resolve) => child.once('close', (exit) => resolve({ exit, ...got }))),
  };
}

export function estepe(...args: string[]): Promise<Ended> {
  return startEstepe(args).ended;
}

/** The one document of a `--json` call; fails when stdout holds anything else. */
export function documentOf(ended: Ended): Record<string, unknown> {
  return JSON.parse(ended.out) as Record<string, unknown>;
}

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'estepe-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface EngineUnderTest {
  data: string;
  desk: DeskDouble;
  console: RunningConsole;
  /** publishes what clients read; another token here is one that the console refuses */
  publish(token?: string): void;
  end(): Promise<void>;
}

export const token = 'ab12'.repeat(8);

export async function engineUnderTest(): Promise<EngineUnderTest> {
  const folder = temporaryFolder();
  const data = openDataFolder(folder.path);
  const owner: Ownership = takeOwnership(data);
  const desk = makeDeskDouble();
  const running = await startConsole({
    desk,
    host: '127.0.0.1',
    port: 0,
    token,
    rendererFolder: folder.path,
    version: '9.9.9',
  });
  const publish = (said = token): void =>
    owner.publish({ pid: process.pid, startedAt: Date.now(), endpoint: running.url, token: said, version: '9.9.9' });
  publish();
  return {
    data: folder.path,
    desk,
    console: running,
    publish,
    async end() {
      await running.close();
      owner.release();
      folder.remove();
    },
  };
}
