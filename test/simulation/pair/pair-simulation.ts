/**
 * A pair's days, from one seed: what the world does, what people order, and what must hold of it all. Invariants 1, 2, 4 and 6 of the
 * two nodes together; what one node owes to itself is the other simulation's.
 */
import type { Mode } from '../../../src-main/contract/words.ts';
import type { Policy } from '../../../src-main/engine/observation.ts';
import { Seeded } from '../random.ts';
import { SimTime } from '../sim-clock.ts';
import { CutOff } from '../sim-store.ts';
import { days as day, hours, minutes, seconds } from '../time.ts';
import { PairFate } from './pair-fate.ts';
import { type PairBug, PairNode } from './pair-node.ts';
import { pairPolicy } from './pair-site.ts';
import { type Name, names, PairWorld } from './pair-world.ts';

export interface PairTally {
  violations: string[];
  takeovers: number;
  standDowns: number;
  switchovers: number;
  takenBack: number;
  /** engines cut off in the middle of a durable write or an effect */
  cuts: number;
  events: number;
}

export interface PairOptions {
  onTrace?: (at: number, who: string, text: string) => void;
  /** faults on purpose, to see that they are found */
  bug?: PairBug;
}

/** Each on its own is enough to be told; a world whole for so long must have come to rest. */
const restMs = 15 * minutes;
const settled = (): Promise<void> => new Promise((go) => process.nextTick(go));

export class PairSimulation {
  readonly time = new SimTime();
  readonly random: Seeded;
  readonly world: PairWorld;
  readonly nodes: Record<Name, PairNode>;
  readonly tally: PairTally;
  readonly #options: PairOptions;
  readonly #fate = new PairFate(this);
  #lives = 0;
  /** since when nothing is broken and nothing happens */
  #wholeSince = 0;
  #seen = new Set<string>();
  #owners = new Map<number, Name>();

  constructor(seed: number, options: PairOptions = {}) {
    this.#options = options;
    this.random = new Seeded(seed);
    this.world = new PairWorld(this.time, this.random);
    this.tally = { violations: [], takeovers: 0, standDowns: 0, switchovers: 0, takenBack: 0, cuts: 0, events: 0 };
    const mode = this.random.pick<Mode>(['automatic', 'automatic', 'confirm', 'manual']);
    const claim = this.random.pick<Policy['claim']>(['required', 'best-effort']);
    const intervalMs = this.random.pick([60_000, 120_000, 300_000]);
    const policy: Policy = { ...pairPolicy, mode, claim, intervalMs };
    const hooks = {
      ...(options.bug === undefined ? {} : { bug: options.bug }),
      nextLife: () => {
        this.#lives += 1;
        return this.#lives;
      },
      trace: (who: string, text: string) => options.onTrace?.(this.time.now, who, text),
      crossed: (node: PairNode, what: string) => this.#crossed(node, what),
      decided: () => this.#look(),
    };
    const make = (name: Name): PairNode => new PairNode(name, this.world, policy, hooks);
    this.nodes = { a: make('a'), b: make('b') };
    this.nodes.a.other = this.nodes.b;
    this.nodes.b.other = this.nodes.a;
  }

  say(text: string): void {
    this.#options.onTrace?.(this.time.now, 'VIOLATED', text);
    if (this.tally.violations.length < 20) this.tally.violations.push(`${Math.round(this.time.now / 1000)} s: ${text}`);
  }

  happen(what: string, act: () => void): void {
    this.#options.onTrace?.(this.time.now, 'world', what);
    this.#wholeSince = this.time.now;
    try {
      act();
    } catch (error) {
      if (!(error instanceof CutOff)) throw error;
    }
  }

  /** Every few minutes something, for `days`; then the world is repaired, people press what is to be pressed, and it comes to rest. */
  async run(days: number): Promise<PairTally> {
    const { time, nodes, world } = this;
    for (const name of names) this.happen(`${name} is started`, () => nodes[name].boot());
    const write = (): void => {
      world.write();
      time.at(time.now + 3 * minutes, write);
    };
    write();
    this.#backups();
    this.#next(days * day);
    await this.#until(days * day);
    for (let i = 0; i < 8; i += 1) {
      this.happen('the admin repairs everything and presses what is to be pressed', () => this.#fate.repair());
      await this.#until(this.time.now + 20 * minutes);
    }
    await this.#until(this.time.now + 1 * hours);
    this.#finish();
    return this.tally;
  }

  #next(end: number): void {
    const at = this.time.now + this.random.between(1 * minutes, 90 * minutes);
    if (at >= end) return;
    this.time.at(at, () => {
      this.#fate.happening();
      this.#next(end);
    });
  }

  /** Every hour the active backs up, and the passive restores what is newer, unless that would destroy something. */
  #backups(): void {
    this.time.at(this.time.now + 1 * hours, () => {
      const { world, nodes } = this;
      for (const name of names) {
        const { machine, engine, role } = nodes[name];
        if (engine === null || engine.runner.isOpen || !world.reachesLocation(name)) continue;
        if (role === 'active') {
          world.backup = Math.max(world.backup, machine.data);
        } else if (!machine.unsaved && machine.data < world.backup && machine.pbx === 'off')
          machine.data = world.backup;
      }
      this.#backups();
    });
  }

  #crossed(node: PairNode, what: string): void {
    if (what === 'after standing') this.#standingSaved(node);
    if (what === 'after claim') this.#claimed(node);
    if (node.cuts === 0) return;
    node.cuts -= 1;
    if (node.cuts > 0) return;
    this.tally.cuts += 1;
    this.#options.onTrace?.(this.time.now, 'world', `the engine of ${node.name} is cut off ${what}`);
    const backMs = this.random.between(1 * seconds, 5 * minutes);
    this.#wholeSince = this.time.now;
    node.kill();
    this.time.at(this.time.now + backMs, () => this.happen(`the engine of ${node.name} is started`, () => node.boot()));
    throw new CutOff();
  }

  /** Invariant 1: of two nodes one acts under an epoch; and what a planned change brought across is everything. */
  #standingSaved(node: PairNode): void {
    const standing = node.machine.disk.standing;
    if (standing === null) return;
    const { role, epoch } = standing;
    if (role === 'passive') {
      this.tally.standDowns += 1;
      if (node.machine.data > this.world.backup) node.machine.unsaved = true;
      return;
    }
    if (epoch === 0) return;
    const owner = this.#owners.get(epoch);
    if (owner !== undefined && owner !== node.name) this.say(`1: both nodes became active under epoch ${epoch}`);
    this.#owners.set(epoch, node.name);
    const record = node.engine?.runner.record;
    if (record?.kind === 'promotion') this.tally.takeovers += 1;
    else if (record?.kind === 'switchover' || record?.kind === 'failback') {
      this.tally.switchovers += 1;
      const left = record.entries.filter(({ step }) => step === 'last-changes').at(-1)?.result?.outcome === 'done';
      const there = node.other.machine.data;
      if (left && node.machine.data < there)
        this.say(`7: ${record.kind} went live with ${node.machine.data}, and ${there} was written on the other node`);
    }
  }

  /** Invariant 2: nobody takes over by itself from a node that serves, and says so where both can read it. */
  #claimed(node: PairNode): void {
    const record = node.engine?.runner.record;
    if (record?.kind !== 'promotion' || record.origin === 'person') return;
    const since = this.#saysSince[node.other.name];
    if (since === null || this.time.now - since < 4 * node.policy.intervalMs) return;
    this.say(
      `2: ${node.name} takes over by itself, and the other one has served and said so for ${Math.round((this.time.now - since) / 1000)} s`,
    );
  }

  readonly #saysSince: Record<Name, number | null> = { a: null, b: null };

  /** Since when a node has served and its word could be written and read. */
  #noteWords(): void {
    const bothReach = names.every((name) => this.world.reachesLocation(name));
    for (const name of names) {
      const node = this.nodes[name];
      const says = bothReach && this.world.serves(name) && node.role === 'active' && node.isAwake;
      this.#saysSince[name] = says ? (this.#saysSince[name] ?? this.time.now) : null;
    }
  }

  #look(): void {
    for (const name of names) {
      const { engine } = this.nodes[name];
      const record = engine?.runner.record;
      if (!engine || !record || (record.kind !== 'switchover' && record.kind !== 'failback')) continue;
      const key = `${name} ${record.id} ${record.status}`;
      if (record.status !== 'cancelled' || this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.tally.takenBack += 1;
      // Before the claim nothing may have changed for the pair.
      const other = this.nodes[name].other;
      if (
        record.epoch === null &&
        other.role === 'passive' &&
        !other.machine.disk.runbooks.some(({ kind }) => kind === 'stand-down')
      )
        this.say(`4: a ${record.kind} taken back before its claim left nobody active`);
    }
  }

  /** Nothing is broken, and both engines run. */
  #isWhole(): boolean {
    const { world, nodes } = this;
    return (
      world.joined() &&
      !world.shelf.away &&
      names.every((name) => nodes[name].engine !== null && nodes[name].cuts === 0) &&
      names.every((name) => world.machines[name].location && world.machines[name].outside)
    );
  }

  /** Invariant 6: where everything is whole for long enough, one of two actives has stood down, and its PBX with it. */
  #atRest(): void {
    if (!this.#isWhole()) {
      this.#wholeSince = this.time.now;
      return;
    }
    if (this.time.now - this.#wholeSince < restMs) return;
    const { nodes, world } = this;
    if (names.some((name) => nodes[name].engine?.runner.isOpen)) return;
    const active = names.filter((name) => nodes[name].role === 'active');
    if (active.length > 1) this.#once(`6: both nodes are active, and nothing is in their way`);
    for (const name of names) {
      if (nodes[name].role === 'passive' && world.serves(name) && active.length > 0)
        this.#once(`6: the PBX of ${name}, which is passive, runs beside the active one`);
    }
  }

  #once(text: string): void {
    if (this.#seen.has(text)) return;
    this.#seen.add(text);
    this.say(text);
  }

  async #until(end: number): Promise<void> {
    await null;
    for (let at = this.time.next(); at !== null && at <= end; at = this.time.next()) {
      try {
        this.time.step();
      } catch (error) {
        if (!(error instanceof CutOff)) throw error;
      }
      await settled();
      this.tally.events += 1;
      this.#noteWords();
      this.#atRest();
    }
    this.time.now = end;
  }

  /** Everything was put right, and an hour has passed: one node is active, serves, is pointed to, and the other is quiet. */
  #finish(): void {
    const { nodes, world } = this;
    const halted = names.filter((name) => nodes[name].engine?.runner.isOpen);
    if (halted.length > 0) {
      for (const name of halted)
        this.say(`4: a runbook of ${name} never came to its end: ${nodes[name].engine?.runner.record?.reason}`);
      return;
    }
    const active = names.filter((name) => nodes[name].role === 'active');
    if (active.length !== 1) return this.say(`6: in the end ${active.length} nodes are active`);
    const [one] = active;
    if (one === undefined) return;
    if (!world.serves(one)) this.say(`4: in the end ${one} is active and does not serve`);
    const highest = Math.max(...names.map((name) => world.machines[name].disk.standing?.epoch ?? 0));
    if ((world.machines[one].disk.standing?.epoch ?? 0) < highest)
      this.say('1: the active one is not under the highest epoch');
  }
}

/** One seed from its first hour to its rest. */
export async function runPair(seed: number, days: number, options: PairOptions = {}): Promise<PairTally> {
  const s = new PairSimulation(seed, options);
  const thrown = (error: unknown): void => {
    if (!(error instanceof CutOff)) s.say(`an engine threw: ${error instanceof Error ? error.stack : String(error)}`);
  };
  process.on('unhandledRejection', thrown);
  try {
    return await s.run(days);
  } catch (error) {
    thrown(error);
    return s.tally;
  } finally {
    process.off('unhandledRejection', thrown);
  }
}
