/** The simulated twins of Net, Proc, Files, Random and Claims: they read and change the world, and can be cut off. */
import type {
  Beat,
  Claims,
  Command,
  CommandEnd,
  CommandResult,
  Files,
  Net,
  Proc,
  Random,
  ReferenceBeat,
  ReferenceSpec,
  Store,
  Target,
  TestSpec,
} from '../../src-main/engine/ports.ts';
import type { Seeded } from './random.ts';
import type { SimTime } from './sim-clock.ts';
import type { Boundary } from './sim-store.ts';
import { type Service, type TestId, testIds, type World } from './world.ts';

/** One test as it really went over the simulated wire: the oracle's own record, apart from the engine's counting. */
export interface Wire {
  startedAt: number;
  test: string;
  failed: boolean;
}

export interface Life {
  time: SimTime;
  world: World;
  number: number;
  alive(): boolean;
  boundary: Boundary;
  onWire(w: Wire): void;
  onReference(startedAt: number, answered: boolean): void;
  onEffect(command: Command, phase: 'start' | 'end'): void;
}

const never = new Promise<never>(() => {});

export const watchedAddress = '192.0.2.1';
export const ownAddress = '192.0.2.2';

export class SimNet implements Net {
  readonly #life: Life;
  /** the next round's losses, where they were drawn beforehand (see calm.ts) */
  forced: ReadonlySet<string> | null = null;

  constructor(life: Life) {
    this.#life = life;
  }

  probe(test: TestSpec, target: Target): Promise<Beat> {
    const { time, world } = this.#life;
    const id = test.id as TestId;
    if (target.address === ownAddress) {
      const state = world.here[id];
      return this.#after(
        state === 'up' || state === 'refusing' ? 2 : test.timeoutMs,
        beatOf(id, state === 'up', state),
      );
    }
    const state = world.active[id];
    // A port accepts even when its server hangs: the tunnel test alone cannot see that.
    const accepts = state === 'up' || (state === 'hung' && id === 'tunnel');
    const lost = this.forced ? this.forced.has(id) : world.random.chance(world.failChance(id));
    const alive = accepts && !lost;
    this.#life.onWire({ startedAt: time.now, test: id, failed: !alive });
    return this.#after(alive || state === 'refusing' ? 3 : test.timeoutMs, beatOf(id, alive, state));
  }

  reference(spec: ReferenceSpec): Promise<ReferenceBeat> {
    const answered = this.#life.world.referenceAnswers();
    this.#life.onReference(this.#life.time.now, answered);
    const ms = answered ? 3 : spec.timeoutMs;
    return this.#after(ms, { id: spec.id, answered, ms, evidence: answered ? 'answered' : 'no answer' });
  }

  #after<T>(ms: number, value: T): Promise<T> {
    const { time, alive, number } = this.#life;
    if (!alive()) return never;
    return new Promise((go) => {
      time.at(time.now + ms, () => go(value), number);
    });
  }
}

function beatOf(test: TestId, alive: boolean, state: Service): Beat {
  if (alive) return { test, outcome: 'alive', ms: 3, evidence: 'answered' };
  if (state === 'refusing') return { test, outcome: 'dead', ms: 3, evidence: 'ECONNREFUSED' };
  return { test, outcome: 'dead', ms: 4000, evidence: 'no answer within 4 s', silent: true };
}

/** Scripts and services. What was started goes on in the world when the engine dies: an orphan, until it is ended. */
export class SimProc implements Proc {
  readonly #life: Life;
  readonly #orphans: Map<string, Command>;

  constructor(life: Life, orphans: Map<string, Command>) {
    this.#life = life;
    this.#orphans = orphans;
  }

  run(command: Command): Promise<CommandResult> {
    const { time, boundary, number, alive } = this.#life;
    if (!alive()) return never;
    boundary.cross(`before effect ${command.argv[0]}`);
    this.#life.onEffect(command, 'start');
    this.#orphans.set(command.runToken, command);
    const { ms, end } = this.#fate(command);
    return new Promise((go, fail) => {
      let over = false;
      const finish = (how: CommandEnd): void => {
        if (over) return;
        over = true;
        this.#orphans.delete(command.runToken);
        this.#life.onEffect(command, 'end');
        if (!alive()) return;
        try {
          boundary.cross(`after effect ${command.argv[0]}`);
          go({ end: how, ms, output: '' });
        } catch (cut) {
          fail(cut);
        }
      };
      // The script's own end belongs to the world: it comes whether the engine lives or not.
      time.at(time.now + ms, () => {
        if (over || !this.#orphans.has(command.runToken)) return;
        this.#happen(command, end);
        finish(end);
      });
      command.signal?.addEventListener('abort', () =>
        time.at(time.now + 50, () => finish({ how: 'cancelled' }), number),
      );
      if (command.signal?.aborted) finish({ how: 'cancelled' });
    });
  }

  #fate({ argv, timeoutMs }: Command): { ms: number; end: CommandEnd } {
    const { world } = this.#life;
    const { random, scripts } = world;
    const name = argv[0] ?? '';
    if (random.chance(scripts.hangs)) return { ms: timeoutMs, end: { how: 'timeout' } };
    const fails = name.includes('before')
      ? scripts.beforeFails
      : name.includes('after')
        ? scripts.afterFails
        : name === 'start'
          ? scripts.startFails
          : 0;
    const code = random.chance(fails) ? random.whole(1, 2) : name === 'query' && world.here.sip !== 'up' ? 1 : 0;
    return { ms: random.between(200, Math.min(20_000, timeoutMs * 0.9)), end: { how: 'exit', code } };
  }

  /** What a command that ended changes in the world. */
  #happen({ argv }: Command, end: CommandEnd): void {
    const { world, time } = this.#life;
    const ok = end.how === 'exit' && end.code === 0;
    if (argv[0] === 'start' && ok) {
      for (const t of testIds) world.here[t] = 'up';
      if (world.random.chance(world.scripts.startDeaf)) world.here.sip = 'hung';
      if (world.random.chance(world.scripts.startDies)) time.at(time.now + 900, () => this.#stopHere());
    }
    if (argv[0] === 'stop') this.#stopHere();
  }

  #stopHere(): void {
    for (const t of testIds) this.#life.world.here[t] = 'refusing';
  }

  endLeftovers(runToken: string): Promise<number> {
    if (!this.#life.alive()) return never;
    return Promise.resolve(this.#orphans.delete(runToken) ? 1 : 0);
  }
}

export class SimFiles implements Files {
  vetScript(): Promise<string | null> {
    return Promise.resolve(null);
  }
}

export class SimRandom implements Random {
  readonly #random: Seeded;
  constructor(random: Seeded) {
    this.#random = random;
  }
  hex(bytes: number): string {
    return this.#random.hex(bytes);
  }
}

/** The claim in the local store, and, where a world has another claimant, lost to it. */
export class SimClaims implements Claims {
  readonly #store: Store;
  readonly #life: Life;
  /** epochs that somebody else owns */
  readonly taken: Map<number, string>;
  /** planted bug: the answer is not minded */
  readonly #ignoreAnswer: boolean;

  constructor(store: Store, life: Life, taken: Map<number, string>, ignoreAnswer: boolean) {
    this.#store = store;
    this.#life = life;
    this.taken = taken;
    this.#ignoreAnswer = ignoreAnswer;
  }

  async claim(epoch: number, owner: string): Promise<{ won: boolean; owner: string }> {
    if (!this.#life.alive()) return never;
    this.#life.boundary.cross('before claim effect');
    const other = this.taken.get(epoch);
    const answer = other ? { won: false, owner: other } : this.#store.claimEpoch(epoch, owner, this.#life.time.wall());
    this.#life.boundary.cross('after claim effect');
    return this.#ignoreAnswer ? { won: true, owner } : answer;
  }

  highest(): Promise<number> {
    return Promise.resolve(Math.max(this.#store.highestEpoch(), ...this.taken.keys()));
  }
}
