/** The simulated twins of Net, Proc, Files, Dns, Random and Claims: they read and change the world, and can be cut off. */
import type {
  Beat,
  Claims,
  Command,
  CommandEnd,
  CommandResult,
  Dns,
  DnsAnswer,
  DnsEnd,
  DnsRecord,
  Files,
  Net,
  Proc,
  Random,
  ReferenceBeat,
  ReferenceSpec,
  SharedAnswer,
  Store,
  Target,
  TestSpec,
} from '../../src-main/engine/ports.ts';
import type { Seeded } from './random.ts';
import type { SimClock, SimTime } from './sim-clock.ts';
import type { Boundary } from './sim-store.ts';
import { keeperWords, type Service, type TestId, testIds, type World } from './world.ts';

/** One round as it really went over the simulated wire: the oracle's own record, apart from the engine's counting. */
export interface RoundSeen {
  life: number;
  startedAt: number;
  failed: TestId[];
  /** failed by silence */
  silent: TestId[];
  answers: number;
  references: number;
  /** references that answered, and those that were waited for in vain */
  answered: number;
  mute: number;
}

/** One life of the engine, as its ports see it. */
export interface Life {
  time: SimTime;
  clock: SimClock;
  world: World;
  number: number;
  alive(): boolean;
  boundary: Boundary;
  /** every beat and reference of a round has come in */
  onRound(round: RoundSeen): void;
  onEffect(command: Command): void;
}

const never = new Promise<never>(() => {});

export const watchedAddress = '192.0.2.1';
export const ownAddress = '192.0.2.2';
/** The active as the fence asks after it: by this very object its questions are told from the rounds of the watch. */
export const fenceTarget: Target = { address: watchedAddress, fqdn: 'pbx.example' };

export class SimNet implements Net {
  readonly #life: Life;
  /** what falls due at the same instant comes in one event */
  readonly #due = new Map<number, (() => void)[]>();
  #round: RoundSeen | null = null;
  /** the next round's losses, where they were drawn beforehand (see calm.ts) */
  #forced: ReadonlySet<TestId> | null = null;
  #lost: ReadonlySet<TestId> | null = null;

  constructor(life: Life) {
    this.#life = life;
  }

  /** The next round to start loses exactly these tests. */
  force(lost: ReadonlySet<TestId>): void {
    this.#forced = lost;
  }

  probe(test: TestSpec, target: Target): Promise<Beat> {
    if (!this.#life.alive()) return never;
    const { world } = this.#life;
    const id = test.id as TestId;
    if (target.address === ownAddress) {
      const state = world.here[id];
      const ms = state === 'up' || state === 'refusing' ? 2 : test.timeoutMs;
      return this.#deliver(ms, () => beatOf(id, state === 'up', state));
    }
    const round = target === fenceTarget ? null : this.#roundNow();
    const state = world.active[id];
    const lost = round && this.#lost ? this.#lost.has(id) : world.random.chance(world.lossChance(id));
    let alive = world.accepts(id) && !lost;
    const refused = state === 'refusing' && !lost;
    const startedAt = this.#life.time.now;
    return this.#deliver(alive || refused ? 3 : test.timeoutMs, () => {
      // After a stall the time-out may be looked at before the answer that lies in the socket.
      const late = this.#life.time.now - startedAt > test.timeoutMs;
      if (alive && late && world.random.chance(0.5)) alive = false;
      const beat = beatOf(id, alive, refused ? 'refusing' : 'silent');
      if (!round) return beat;
      round.answers += 1;
      if (!alive) round.failed.push(id);
      if (beat.silent) round.silent.push(id);
      this.#complete(round);
      return beat;
    });
  }

  reference(spec: ReferenceSpec): Promise<ReferenceBeat> {
    if (!this.#life.alive()) return never;
    const round = this.#roundNow();
    round.references += 1;
    const answered = this.#life.world.referenceAnswers();
    const ms = answered ? 3 : spec.timeoutMs;
    return this.#deliver(ms, () => {
      if (answered) round.answered += 1;
      else round.mute += 1;
      this.#complete(round);
      return { id: spec.id, answered, ms, evidence: answered ? 'answered' : 'no answer' };
    });
  }

  #roundNow(): RoundSeen {
    const { time, number } = this.#life;
    if (this.#round?.startedAt === time.now) return this.#round;
    this.#lost = this.#forced;
    this.#forced = null;
    this.#round = {
      life: number,
      startedAt: time.now,
      failed: [],
      silent: [],
      answers: 0,
      references: 0,
      answered: 0,
      mute: 0,
    };
    return this.#round;
  }

  #complete(round: RoundSeen): void {
    if (round.answers === testIds.length && round.answered + round.mute === round.references) this.#life.onRound(round);
  }

  #deliver<T>(ms: number, value: () => T): Promise<T> {
    const { time, clock } = this.#life;
    const at = time.now + ms;
    return new Promise((go) => {
      const call = (): void => go(value());
      const together = this.#due.get(at);
      if (together) return void together.push(call);
      const calls = [call];
      this.#due.set(at, calls);
      clock.at(ms, () => {
        this.#due.delete(at);
        for (const one of calls) one();
      });
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
    const { time, clock, boundary, alive } = this.#life;
    if (!alive()) return never;
    boundary.cross(`before effect ${command.argv[0]}`);
    this.#life.onEffect(command);
    this.#orphans.set(command.runToken, command);
    const { ms, end } = this.#fate(command);
    return new Promise((go, fail) => {
      let over = false;
      const finish = (how: CommandEnd): void => {
        if (over) return;
        over = true;
        this.#orphans.delete(command.runToken);
        if (!alive()) return;
        clock.at(0, () => {
          try {
            boundary.cross(`after effect ${command.argv[0]}`);
            go({ end: how, ms, output: '' });
          } catch (cut) {
            fail(cut);
          }
        });
      };
      // The script's own end belongs to the world: it comes whether the engine lives or not.
      time.at(time.now + ms, () => {
        if (over || !this.#orphans.has(command.runToken)) return;
        this.#happen(command, end);
        finish(end);
      });
      const cancel = (): void => {
        clock.at(50, () => {
          if (!over) this.#cutShort(command);
          finish({ how: 'cancelled' });
        });
      };
      command.signal?.addEventListener('abort', cancel, { once: true });
      if (command.signal?.aborted) cancel();
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
    if (argv[0] === 'stop' && ok) this.#stopHere();
  }

  /** A start that is ended by force may have started something already. */
  #cutShort({ argv }: Command): void {
    const { world } = this.#life;
    if (argv[0] === 'start' && world.random.chance(0.5)) world.here.web = 'up';
  }

  #stopHere(): void {
    for (const t of testIds) this.#life.world.here[t] = 'refusing';
  }

  endLeftovers(runToken: string): Promise<number> {
    if (!this.#life.alive()) return never;
    const command = this.#orphans.get(runToken);
    if (command) this.#cutShort(command);
    return Promise.resolve(this.#orphans.delete(runToken) ? 1 : 0);
  }
}

export class SimFiles implements Files {
  vetScript(): Promise<string | null> {
    return Promise.resolve(null);
  }
}

/** One zone with one name, which the world keeps; it answers and takes every change. */
export class SimDns implements Dns {
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  async switch(record: DnsRecord): Promise<DnsEnd> {
    const { alive, boundary, world } = this.#life;
    if (!alive()) return never;
    if (world.pointsTo === 'here') return this.#soon(`${record.name} points here already`);
    boundary.cross('before dns effect');
    world.pointsTo = 'here';
    boundary.cross('after dns effect');
    return this.#soon(`${record.name} points here`);
  }

  rehearse({ name }: DnsRecord): Promise<DnsEnd> {
    return this.#life.alive() ? this.#soon(`${name} was left as it is`) : never;
  }

  look(): Promise<DnsAnswer[]> {
    const addresses = [this.#life.world.pointsTo === 'here' ? ownAddress : watchedAddress];
    return Promise.resolve([{ server: 'ns', addresses, ttlS: 60, why: null }]);
  }

  #soon(sentence: string): Promise<DnsEnd> {
    return new Promise((go) => {
      this.#life.clock.at(150, () => go({ outcome: 'done', sentence, output: '' }));
    });
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

/** Epochs that somebody else owns, and what the other claimant is up to. */
export interface Rival {
  readonly taken: Map<number, string>;
  /** claims the very epoch that this node asks for next, an instant before it */
  strikes: boolean;
}

/** The claim in the local store, and, where a world has another claimant, lost to it. */
export class SimClaims implements Claims {
  readonly #store: Store;
  readonly #life: Life;
  readonly #rival: Rival;
  /** planted bug: the answer is not minded */
  readonly #ignoreAnswer: boolean;
  readonly #ignored = new Set<number>();

  constructor(store: Store, life: Life, rival: Rival, ignoreAnswer: boolean) {
    this.#store = store;
    this.#life = life;
    this.#rival = rival;
    this.#ignoreAnswer = ignoreAnswer;
  }

  async claim(epoch: number, owner: string, how: { alone: boolean }): Promise<SharedAnswer> {
    if (!this.#life.alive()) return never;
    const { keeper } = this.#life.world;
    const unshared = keeper === 'unreachable' ? keeperWords[keeper] : null;
    if (unshared !== null && !how.alone) return { won: false, owner: '', unshared };
    this.#life.boundary.cross('before claim effect');
    const { taken } = this.#rival;
    // An epoch that this node owns already cannot be taken from it any more.
    if (this.#rival.strikes && this.#store.highestEpoch() < epoch && !taken.has(epoch)) {
      this.#rival.strikes = false;
      taken.set(epoch, 'other#1');
    }
    const other = taken.get(epoch);
    const answer = other ? { won: false, owner: other } : this.#store.claimEpoch(epoch, owner, this.#life.time.wall());
    this.#life.boundary.cross('after claim effect');
    if (this.#ignoreAnswer && other) this.#ignored.add(epoch);
    return { ...(this.#ignoreAnswer ? { won: true, owner } : answer), unshared };
  }

  highest(): Promise<number> {
    return Promise.resolve(Math.max(this.#store.highestEpoch(), ...this.#rival.taken.keys()));
  }

  foreign(): Promise<number> {
    const minded = [...this.#rival.taken.keys()].filter((epoch) => !this.#ignored.has(epoch));
    return Promise.resolve(Math.max(0, ...minded));
  }
}
