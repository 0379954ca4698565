/**
 * Real twin of the port `Proc`: runs programs without a shell, bounded in time, output and descendants.
 * Must not know what a program is for: verdicts about scripts are in script.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Command, CommandEnd, CommandResult, Proc } from '../engine/ports.ts';
import { childEnvironment } from './child-environment.ts';
import { commandLineFor } from './command-line.ts';
import { outputPipe } from './output-pipe.ts';
import { OutputFeed, OutputRing, WholeCharacters } from './output-ring.ts';
import { processRow } from './process-table.ts';
import {
  countMembers,
  endGroup,
  endTree,
  endWindowsTree,
  type Patience,
  type Run,
  type TreeEnd,
} from './process-tree.ts';

export interface RealProcOptions {
  /** from TERM to KILL, ms; default 5 s */
  graceMs?: number;
  /** how long something may outlive KILL before we go on without its end, ms; default 5 s */
  killMs?: number;
  /** how long output is still read after the program's end while somebody holds its pipes open, ms; default 500 */
  drainMs?: number;
  /** `onOutput` is called at most this often, ms; default 200 */
  outputEveryMs?: number;
  /** the engine's environment, of which the few harmless names pass */
  environment?: Readonly<Record<string, string | undefined>>;
  /** told when something could not be ended, in a sentence for the log */
  say?: (sentence: string) => void;
}

/** setTimeout's longest; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;
const linux = process.platform === 'linux';
const windows = process.platform === 'win32';

export class RealProc implements Proc {
  readonly #patience: Patience;
  readonly #drainMs: number;
  readonly #outputEveryMs: number;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #systemRoot: string;
  readonly #say: (sentence: string) => void;

  constructor(options: RealProcOptions = {}) {
    this.#patience = { graceMs: options.graceMs ?? 5000, killMs: options.killMs ?? 5000 };
    this.#drainMs = options.drainMs ?? 500;
    this.#outputEveryMs = options.outputEveryMs ?? 200;
    this.#environment = options.environment ?? process.env;
    this.#systemRoot = process.env.SystemRoot ?? 'C:\\Windows';
    this.#say = options.say ?? (() => {});
  }

  async run(command: Command): Promise<CommandResult> {
    const startedAt = performance.now();
    const output = new Output(command.onOutput ?? null, this.#outputEveryMs);
    const end = await this.#ended(command, output);
    output.letGo();
    return { end, ms: Math.round(performance.now() - startedAt), output: output.text() };
  }

  /**
   * To be asked only for a run whose end was never journaled: what a finished one left running on purpose carries its
   * mark too. Spares this process and those it descends from, since a script may have started this very engine.
   */
  async endLeftovers(runToken: string): Promise<number> {
    // Windows shows nobody the environment of a running process, and the parent links of a dead engine are gone.
    if (!linux) return 0;
    const ended = await endTree({ token: runToken, leader: null, leaderGone: () => true }, this.#patience);
    if (ended.left.length > 0) this.#say(leftSentence(ended));
    return ended.found;
  }

  async #ended(command: Command, output: Output): Promise<CommandEnd> {
    const line = commandLineFor(command.argv, process.platform, this.#systemRoot);
    if ('refused' in line) return { how: 'not-started', why: line.refused };
    const pipe = windows ? null : await outputPipe();
    if (pipe !== null) output.read([pipe.from]);
    let child: ChildProcess;
    try {
      if (command.signal?.aborted === true) return { how: 'cancelled' };
      child = spawn(line.file, line.args, {
        cwd: command.cwd,
        env: childEnvironment(this.#environment, command.env, command.runToken, process.platform),
        stdio: pipe === null ? ['ignore', 'pipe', 'pipe'] : ['ignore', pipe.to, pipe.to],
        // A group and session of its own, so that TERM reaches all of it and none of us.
        detached: !windows,
        shell: false,
        windowsHide: true,
        windowsVerbatimArguments: line.verbatim,
      });
    } catch (error) {
      return notStarted(error, line.file, command.cwd);
    } finally {
      if (pipe !== null) closeSync(pipe.to);
    }
    if (pipe === null) output.read([child.stdout, child.stderr]);
    return this.#watched(command, child, line.file, output);
  }

  /** From a started child to its end: by itself, by its time or by a cancellation. */
  async #watched(command: Command, child: ChildProcess, file: string, output: Output): Promise<CommandEnd> {
    let exited = false;
    const own = new Promise<CommandEnd>((resolve) => {
      child.once('exit', (code, signal) => {
        exited = true;
        resolve(code === null ? { how: 'signal', signal: signal ?? 'unknown' } : { how: 'exit', code });
      });
      child.once('error', (error) => resolve(notStarted(error, file, command.cwd)));
    });
    const pid = child.pid;
    if (pid === undefined) return own;
    // Read in the same turn as the start: Node cannot have waited for it yet, so the number is still the child's.
    const leader = { pid, startedAt: processRow(pid)?.startedAt ?? 0 };
    const run: Run = { token: command.runToken, leader, leaderGone: () => exited };
    const end = await firstOf(own, command);
    if (end.how === 'not-started') return end;
    if (end.how === 'exit') {
      // What is still in the pipes, and companions that end just behind it (`> >(tee log)`), get a moment. Whoever
      // holds the pipes open longer than that was left running on purpose.
      await within(output.ended(), this.#drainMs);
      const left = linux ? await lasting(run) : 0;
      if (left > 0) output.note(`left ${left} process${left === 1 ? '' : 'es'} running`);
      return end;
    }
    // Time-out and cancellation end everything. So does the leader's death by somebody else's signal: what it ran
    // would go on without anybody to know its end.
    const ended = await this.#endTree(run);
    if (ended.left.length > 0) {
      output.note(leftSentence(ended));
      this.#say(leftSentence(ended));
    }
    await within(output.ended(), this.#drainMs);
    return end;
  }

  #endTree(run: Run): Promise<TreeEnd> {
    if (linux) return endTree(run, this.#patience);
    if (!windows) return endGroup(run, this.#patience);
    if (run.leader === null || run.leaderGone()) return Promise.resolve({ found: 0, left: [] });
    return endWindowsTree(run.leader.pid, this.#systemRoot, this.#patience);
  }
}

/** A program's output on its way into what is kept and what is watched. */
class Output {
  readonly #ring = new OutputRing();
  readonly #feed: OutputFeed | null;
  readonly #pipes: { pipe: Readable; whole: WholeCharacters; closed: Promise<void> }[] = [];
  #notes = '';
  #open = true;

  constructor(onOutput: ((text: string) => void) | null, everyMs: number) {
    this.#feed = onOutput === null ? null : new OutputFeed(onOutput, everyMs);
  }

  read(pipes: readonly (Readable | null)[]): void {
    for (const pipe of pipes) {
      if (pipe === null) continue;
      const whole = new WholeCharacters();
      const closed = new Promise<void>((resolve) => pipe.once('close', () => resolve()));
      this.#pipes.push({ pipe, whole, closed });
      pipe.on('data', (chunk: Buffer) => this.#add(whole.push(chunk)));
      // A pipe that breaks has nothing more to say; the program's end is told by its exit.
      pipe.on('error', () => {});
    }
  }

  /** When nobody holds the other ends any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#pipes.map(({ closed }) => closed));
  }

  /** A sentence of ours, kept whatever the program said. */
  note(sentence: string): void {
    this.#notes += `[${sentence}]\n`;
  }

  /**
   * The run is over, but somebody may still hold the pipes. They stay open and are emptied into nothing, since a
   * server left running must die neither of a closed pipe nor of a full one; they don't keep this process alive. When
   * the engine ends they break: what is to outlive it has to write to a file of its own.
   */
  letGo(): void {
    for (const { pipe, whole } of this.#pipes) {
      this.#add(whole.end());
      if (pipe instanceof Socket) pipe.unref();
    }
    this.#open = false;
    this.#feed?.push(Buffer.from(this.#notes));
    this.#feed?.flush();
  }

  text(): string {
    const said = this.#ring.text();
    return `${said}${this.#notes !== '' && said !== '' && !said.endsWith('\n') ? '\n' : ''}${this.#notes}`;
  }

  #add(bytes: Buffer): void {
    if (!this.#open) return;
    this.#ring.push(bytes);
    this.#feed?.push(bytes);
  }
}

/** The child's own end, or its time is up, or it is no longer wanted: whichever comes first. */
function firstOf(own: Promise<CommandEnd>, command: Command): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const decide = (end: CommandEnd) => {
      clearTimeout(timer);
      command.signal?.removeEventListener('abort', cancel);
      resolve(end);
    };
    const cancel = () => decide({ how: 'cancelled' });
    // After a stall of this process its timers come before what happened meanwhile: an end of the program in time counts.
    const timer = setTimeout(
      () => setImmediate(() => decide({ how: 'timeout' })),
      Math.min(command.timeoutMs, longestMs),
    );
    command.signal?.addEventListener('abort', cancel, { once: true });
    if (command.signal?.aborted === true) cancel();
    void own.then(decide);
  });
}

/** How many processes of the run go on, not counting those that are just about to end. */
async function lasting(run: Run): Promise<number> {
  if ((await countMembers(run)) === 0) return 0;
  await pause(100);
  return countMembers(run);
}

/** Waits for something, but not longer than this. */
async function within(event: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([event, late]);
  clearTimeout(timer);
}

function leftSentence(ended: TreeEnd): string {
  const count = ended.left.length;
  return `${count} process${count === 1 ? '' : 'es'} could not be ended, not even by KILL: ${ended.left.join(', ')}`;
}

/** Why a program did not start, in a sentence. ENOENT has three causes that an admin must tell apart. */
function notStarted(error: unknown, file: string, cwd: string): CommandEnd {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = (): string => {
    switch (code) {
      case 'ENOENT': {
        if (!existsSync(cwd)) return `its working folder ${cwd} is not there`;
        const interpreter = existsSync(file) ? firstLineOf(file) : null;
        if (interpreter?.startsWith('#!') !== true) return `${file} is not there`;
        const carriageReturn = interpreter.endsWith('\r') ? ' (the file has Windows line ends)' : '';
        return `the interpreter in its first line, ${interpreter.slice(2).trim()}, is not there${carriageReturn}`;
      }
      case 'EACCES':
        return `${file} may not be executed by this user, or its file system forbids it`;
      case 'ENOEXEC':
        return `${file} is no program for this system and names no interpreter`;
      case 'ETXTBSY':
        return `${file} is being written at this moment`;
      case 'E2BIG':
        return 'its arguments and environment are too long';
      default:
        return error instanceof Error ? error.message : String(error);
    }
  };
  return { how: 'not-started', why: why() };
}

function firstLineOf(file: string): string | null {
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    const bytes = Buffer.alloc(256);
    const size = readSync(opened, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1', 0, size).split('\n')[0] ?? null;
  } catch {
    return null;
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}
