/**
 * The real engine as a service manager runs it: `estepe serve` on a data folder, a process of its own that tests stop,
 * freeze and kill, and what can be asked of it.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type EngineClient, findEngine } from '../../../src-main/console/engine-client.ts';
import type { OrderAnswer } from '../../../src-main/contract/contract.ts';
import type { EventView, Snapshot } from '../../../src-main/contract/snapshot.ts';
import type { GuardName, Phase } from '../../../src-main/contract/words.ts';
import { newFolder, type Peer, startPeer } from '../fixtures/peer-process.ts';
import { programPath } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { callDesk, type DeskAnswer, type DeskAsk } from './desk-calls.ts';
import type { Site } from './site.ts';

const entry = fileURLToPath(new URL('../../../src-main/estepe.ts', import.meta.url));
const deskChild = fileURLToPath(new URL('./desk-child.ts', import.meta.url));

export interface EngineOptions {
  /** network namespace to run in */
  netns?: string;
  env?: Readonly<Record<string, string>>;
  /** shell commands that run before the engine, in a mount namespace of its own */
  mounts?: string;
  /** the program in place of the product's own entry; not for what `cli` runs */
  program?: string;
}

/** What a test run leaves in its environment must not reach the engine. */
function environment(env: EngineOptions['env'] = {}): string[] {
  const unset = ['ESTEPE_DATA', 'ESTEPE_DEBUG', 'FORCE_COLOR', 'NODE_OPTIONS', 'NODE_ENV', 'VITEST'];
  return [
    ...unset.flatMap((name) => ['-u', name]),
    'NO_COLOR=1',
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
}

function commandLine(words: readonly string[], { env, mounts, program }: EngineOptions): [string, ...string[]] {
  const estepe = ['env', ...environment(env), process.execPath, program ?? entry, ...words];
  if (mounts === undefined) return estepe as [string, ...string[]];
  return ['unshare', '--mount', '/bin/sh', '-ec', `${mounts}\nexec "$@"`, 'sh', ...estepe];
}

export interface Ended {
  exit: number | null;
  out: string;
  err: string;
}

/** Runs `estepe` until its end. */
export function estepe(words: readonly string[], options: EngineOptions = {}): Promise<Ended> {
  const inside = options.netns === undefined ? [] : [programPath('ip') ?? 'ip', 'netns', 'exec', options.netns];
  const [program = '', ...rest] = [...inside, ...commandLine(words, options)];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const got = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    got.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    got.err += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, ...got })));
}

interface Asker {
  ask<K extends DeskAsk['call']>(ask: Extract<DeskAsk, { call: K }>): Promise<DeskAnswer<K>>;
  end(): void;
}

function askFromHere(folder: string): Asker {
  const engine = findEngine(folder);
  return { ask: (ask) => engine.call((client: EngineClient) => callDesk(client, ask)), end: () => {} };
}

/** A loopback is its namespace's own, and so is what is mounted there: asked from inside, which `enter` leads into. */
function askFromWithin(folder: string, enter: readonly string[]): Asker {
  const [program = '', ...words] = [...enter, process.execPath, deskChild, folder];
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(program, words, {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let asked = 0;
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const { id, answer, error } = JSON.parse(line) as { id: number; answer?: never; error?: string };
      const waiter = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) waiter?.resolve(answer as never);
      else waiter?.reject(new Error(error));
    }
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('the child in the namespace ended'));
    waiting.clear();
  });
  return {
    ask: (ask) => {
      asked += 1;
      const id = asked;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve: resolve as (answer: never) => void, reject });
        child.stdin.write(`${JSON.stringify({ id, ask })}\n`);
      });
    },
    end: () => void child.kill('SIGKILL'),
  };
}

export interface PromoteWish {
  reason?: string;
  overrides?: { guard: GuardName; reason: string }[];
  skipStep?: boolean;
}

export class EngineUnderTest {
  readonly #peer: Peer;
  readonly #asker: Asker;
  readonly #options: EngineOptions;
  readonly site: Site;

  constructor(site: Site, peer: Peer, asker: Asker, options: EngineOptions) {
    this.site = site;
    this.#peer = peer;
    this.#asker = asker;
    this.#options = options;
  }

  get pid(): number {
    return this.#peer.pid;
  }

  /** Whether a process of it is left. */
  get lives(): boolean {
    return this.#peer.pids().length > 0;
  }

  snapshot(): Promise<Snapshot> {
    return this.#asker.ask({ call: 'snapshot' });
  }

  /** All that history holds, oldest first. */
  async events(): Promise<EventView[]> {
    const all: EventView[] = [];
    for (;;) {
      const page = await this.#asker.ask({ call: 'events', before: all[0]?.id ?? null });
      all.unshift(...[...page].reverse());
      if (page.length < 1000) return all;
    }
  }

  beats(test: string, from = 0, to = Number.MAX_SAFE_INTEGER): Promise<DeskAnswer<'beats'>> {
    return this.#asker.ask({ call: 'beats', test, from, to });
  }

  promote({ reason = '', overrides = [], skipStep = false }: PromoteWish = {}): Promise<OrderAnswer> {
    return this.#asker.ask({ call: 'promote', reason, overrides, skipStep, dryRun: false });
  }

  cancel(reason = ''): Promise<OrderAnswer> {
    return this.#asker.ask({ call: 'cancel', reason });
  }

  maintenanceOn(forMs: number): Promise<DeskAnswer<'maintenance-on'>> {
    return this.#asker.ask({ call: 'maintenance-on', forMs });
  }

  maintenanceOff(): Promise<DeskAnswer<'maintenance-off'>> {
    return this.#asker.ask({ call: 'maintenance-off' });
  }

  config(): Promise<DeskAnswer<'config'>> {
    return this.#asker.ask({ call: 'config' });
  }

  /** `estepe …` on the same data folder, where the engine runs. */
  cli(...words: string[]): Promise<Ended> {
    return estepe([...words, '--data', this.site.folder], { ...this.#options, program: entry });
  }

  /** Waits until the snapshot shows it. @throws with the engine's own last words when it never does */
  async until(what: string, look: (snapshot: Snapshot) => unknown, deadlineMs = 30_000): Promise<Snapshot> {
    let last: Snapshot | null = null;
    try {
      return await until(
        what,
        async () => {
          last = await this.snapshot();
          return Boolean(await look(last)) && last;
        },
        deadlineMs,
      );
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.#words(last)}`);
    }
  }

  phase(phase: Phase, deadlineMs?: number): Promise<Snapshot> {
    return this.until(`phase ${phase}`, ({ core }) => core.phase === phase, deadlineMs);
  }

  /** Waits until this many more rounds of tests have ended. */
  async rounds(count: number): Promise<void> {
    const seen = new Set<number>();
    const before = (await this.snapshot()).tests[0]?.beats.at(-1)?.at ?? 0;
    await this.until(`${count} more rounds`, ({ tests }) => {
      for (const { at } of tests[0]?.beats ?? []) if (at > before) seen.add(at);
      return seen.size >= count;
    });
  }

  freeze(): Promise<void> {
    return this.#peer.freeze();
  }

  thaw(): void {
    this.#peer.thaw();
  }

  /** KILL: it writes no last word. */
  async kill(): Promise<void> {
    this.#asker.end();
    await this.#peer.kill();
    await this.#peer.stop();
  }

  /** TERM, as a service manager does. Harmless when repeated. */
  async stop(): Promise<void> {
    this.#asker.end();
    await this.#peer.stop();
  }

  #words(last: Snapshot | null): string {
    const core = last === null ? 'no snapshot came' : JSON.stringify(last.core);
    let log: string;
    try {
      log = readFileSync(this.site.path('logs', 'estepe.log'), 'utf8').split('\n').slice(-40).join('\n');
    } catch {
      log = 'no log';
    }
    return `${core}\n${this.#peer.output()}\n${log}`;
  }
}

/** Starts it and waits until it answers. @throws with what it printed when it ends before that */
export async function startEngine(site: Site, options: EngineOptions = {}): Promise<EngineUnderTest> {
  const peer = await startPeer({
    argv: commandLine(['serve', '--json', '--data', site.folder], options),
    folder: newFolder('engine'),
    netns: options.netns,
    ready: (started) => started.output().includes('"console"'),
    // where other engines start beside it
    readyWithinMs: 45_000,
  });
  const { netns, mounts } = options;
  const enter =
    netns === undefined
      ? ['nsenter', '--target', String(peer.pid), '--mount']
      : [programPath('ip') ?? 'ip', 'netns', 'exec', netns];
  const apart = netns !== undefined || mounts !== undefined;
  const asker = apart ? askFromWithin(site.folder, enter) : askFromHere(site.folder);
  return new EngineUnderTest(site, peer, asker, options);
}
