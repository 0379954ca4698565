/** The simulated twins of Net, Proc, Dns, and of the place that both nodes reach, for one life of one node's engine. */
import { EstepeError } from '../../../src-main/contract/errors.ts';
import type {
  Beat,
  Command,
  CommandEnd,
  CommandResult,
  Dns,
  DnsAnswer,
  DnsChange,
  DnsEnd,
  DnsRecord,
  Net,
  Proc,
  ReferenceBeat,
  ReferenceSpec,
  Target,
  TestSpec,
} from '../../../src-main/engine/ports.ts';
import type { Board } from '../../../src-main/peer/board.ts';
import type { SimClock } from '../sim-clock.ts';
import type { Boundary } from '../sim-store.ts';
import { addressOf, type Name, names, type PairWorld } from './pair-world.ts';

export interface PairLife {
  name: Name;
  clock: SimClock;
  world: PairWorld;
  alive(): boolean;
  boundary: Boundary;
}

const never = new Promise<never>(() => {});

/** Comes in after so long, if that life is still there. */
export function soon<T>({ clock }: PairLife, ms: number, value: () => T): Promise<T> {
  return new Promise((go, fail) => {
    clock.at(ms, () => {
      try {
        go(value());
      } catch (error) {
        fail(error);
      }
    });
  });
}

export class PairNet implements Net {
  readonly #life: PairLife;

  constructor(life: PairLife) {
    this.#life = life;
  }

  probe(test: TestSpec, target: Target): Promise<Beat> {
    if (!this.#life.alive()) return never;
    const { world, name } = this.#life;
    const at: Name = target.address === addressOf.a ? 'a' : 'b';
    const there = at === name || world.joined();
    const { pbx } = world.machines[at];
    if (there && pbx === 'up')
      return soon(this.#life, 3, () => ({ test: test.id, outcome: 'alive', ms: 3, evidence: 'answered' }));
    if (there && pbx === 'off')
      return soon(this.#life, 3, () => ({ test: test.id, outcome: 'dead', ms: 3, evidence: 'ECONNREFUSED' }));
    const silent = { test: test.id, outcome: 'dead', ms: test.timeoutMs, evidence: 'no answer', silent: true } as const;
    return soon(this.#life, test.timeoutMs, () => silent);
  }

  reference({ id, timeoutMs }: ReferenceSpec): Promise<ReferenceBeat> {
    if (!this.#life.alive()) return never;
    const answered = this.#life.world.machines[this.#life.name].outside;
    const ms = answered ? 3 : timeoutMs;
    return soon(this.#life, ms, () => ({ id, answered, ms, evidence: answered ? 'answered' : 'no answer' }));
  }
}

/** Scripts and services. What was started goes on on its machine when the engine dies; with the machine it is gone. */
export class PairProc implements Proc {
  readonly #life: PairLife;
  readonly #orphans: Set<string>;

  constructor(life: PairLife, orphans: Set<string>) {
    this.#life = life;
    this.#orphans = orphans;
  }

  run({ argv: [program = ''], runToken, timeoutMs, signal }: Command): Promise<CommandResult> {
    const { world, name, clock, boundary, alive } = this.#life;
    if (!alive()) return never;
    boundary.cross(`before effect ${program}`);
    this.#orphans.add(runToken);
    const { life } = world.machines[name];
    const ms = world.random.between(200, Math.min(15_000, timeoutMs * 0.9));
    const fails = program === 'start' ? world.chances.startFails : program === 'stop' ? 0 : world.chances.scriptFails;
    const runs = world.machines[name].pbx === 'up';
    const code = program === 'query' ? (runs ? 0 : 1) : world.random.chance(fails) ? 2 : 0;
    return new Promise((go, fail) => {
      let over = false;
      const finish = (end: CommandEnd): void => {
        if (over) return;
        over = true;
        this.#orphans.delete(runToken);
        clock.at(0, () => {
          try {
            boundary.cross(`after effect ${program}`);
            go({ end, ms, output: '' });
          } catch (cut) {
            fail(cut);
          }
        });
      };
      world.time.at(world.time.now + ms, () => {
        const machine = world.machines[name];
        if (over || !machine.powered || machine.life !== life || !this.#orphans.has(runToken)) return;
        if (code === 0 && program === 'start') Object.assign(machine, { pbx: 'up', startsByItself: true });
        if (code === 0 && program === 'stop') Object.assign(machine, { pbx: 'off', startsByItself: false });
        finish({ how: 'exit', code });
      });
      signal?.addEventListener('abort', () => finish({ how: 'cancelled' }), { once: true });
      if (signal?.aborted) finish({ how: 'cancelled' });
    });
  }

  endLeftovers(runToken: string): Promise<number> {
    if (!this.#life.alive()) return never;
    return Promise.resolve(this.#orphans.delete(runToken) ? 1 : 0);
  }
}

export class PairDns implements Dns {
  readonly #life: PairLife;

  constructor(life: PairLife) {
    this.#life = life;
  }

  async switch({ name }: DnsRecord, { to }: DnsChange): Promise<DnsEnd> {
    const { world, boundary, alive, name: here } = this.#life;
    if (!alive()) return never;
    if (!world.machines[here].outside) return this.#soon('failed', 'no name server answers');
    boundary.cross('before dns effect');
    world.pointsTo = names.find((one) => addressOf[one] === to) ?? world.pointsTo;
    boundary.cross('after dns effect');
    return this.#soon('done', `${name} points to ${to}`);
  }

  rehearse({ name }: DnsRecord): Promise<DnsEnd> {
    return this.#life.alive() ? this.#soon('done', `${name} was left as it is`) : never;
  }

  look(): Promise<DnsAnswer[]> {
    const addresses = [addressOf[this.#life.world.pointsTo]];
    return Promise.resolve([{ server: 'ns', addresses, ttlS: 60, why: null }]);
  }

  #soon(outcome: DnsEnd['outcome'], sentence: string): Promise<DnsEnd> {
    return soon(this.#life, 150, () => ({ outcome, sentence, output: '' }));
  }
}

/** The location. A request that it takes is done there even where its answer is lost. */
export class PairBoard implements Board {
  readonly title = 'the location';
  readonly #life: PairLife;

  constructor(life: PairLife) {
    this.#life = life;
  }

  put(name: string, text: string): Promise<void> {
    return this.#ask(() => void this.#texts.set(name, text));
  }

  get(name: string): Promise<string | null> {
    return this.#ask(() => this.#texts.get(name) ?? null);
  }

  list(prefix: string): Promise<string[]> {
    return this.#ask(() => [...this.#texts.keys()].filter((name) => name.startsWith(prefix)));
  }

  createExclusive(name: string, text: string): Promise<boolean> {
    return this.#ask(() => {
      const kept = this.#texts.get(name);
      if (kept === undefined) this.#texts.set(name, text);
      return kept === undefined || kept === text;
    });
  }

  async close(): Promise<void> {}

  get #texts(): Map<string, string> {
    return this.#life.world.shelf.texts;
  }

  async #ask<T>(act: () => T): Promise<T> {
    const { world, name, alive } = this.#life;
    if (!alive()) return never;
    if (!world.reachesLocation(name)) return soon(this.#life, 1_000, unreachable);
    const value = act();
    return soon(this.#life, 20, () => (world.reachesLocation(name) ? value : unreachable()));
  }
}

function unreachable(): never {
  throw new EstepeError('location', 'The location does not answer.', 'look at the network');
}
