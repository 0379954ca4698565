/** What happens to a simulated pair: the world's blows, and what people order; and how an admin puts everything right. */
import { guardNames } from '../../../src-main/contract/words.ts';
import type { Seeded } from '../random.ts';
import type { SimTime } from '../sim-clock.ts';
import { minutes, seconds } from '../time.ts';
import type { PairNode } from './pair-node.ts';
import { type Name, names, type PairWorld } from './pair-world.ts';

export interface Stage {
  readonly time: SimTime;
  readonly random: Seeded;
  readonly world: PairWorld;
  readonly nodes: Record<Name, PairNode>;
  happen(what: string, act: () => void): void;
}

const by = 'admin';
const everything = guardNames.map((guard) => ({ guard, reason: 'I looked' }));

export class PairFate {
  readonly #s: Stage;

  constructor(stage: Stage) {
    this.#s = stage;
  }

  /** Something of all that can happen, and, where it passes, its end. */
  happening(): void {
    const { world, nodes } = this.#s;
    const r = this.#s.random;
    const name = r.pick(names);
    const node = nodes[name];
    const machine = world.machines[name];
    const lastMs = r.between(10 * seconds, 40 * minutes);
    const later = (what: string, act: () => void): void => {
      this.#s.time.at(this.#s.time.now + lastMs, () => this.#s.happen(what, act));
    };
    const all: [string, () => void][] = [
      [`the PBX of ${name} dies`, () => this.#pbx(name, 'off')],
      [`the PBX of ${name} hangs`, () => this.#pbx(name, 'hung')],
      [`${name} loses its power`, () => this.#powerOff(name, lastMs, r.between(1 * seconds, 90 * seconds))],
      [`the engine of ${name} is killed`, () => this.#killed(node, lastMs)],
      [`the engine of ${name} stands still`, () => node.stall(lastMs / 10)],
      [
        `what ${name} sends does not reach the other node`,
        () => {
          world.path[name] = false;
          later('it does again', () => Object.assign(world.path, { [name]: true }));
        },
      ],
      [
        `${name} does not reach the location`,
        () => {
          machine.location = false;
          later('it does again', () => Object.assign(machine, { location: true }));
        },
      ],
      [
        'the location is away',
        () => {
          world.shelf.away = true;
          later('it is back', () => Object.assign(world.shelf, { away: false }));
        },
      ],
      [
        `${name} is cut off from everything`,
        () => {
          Object.assign(machine, { location: false, outside: false });
          world.path = { a: false, b: false };
          later('it is not any more', () => {
            Object.assign(machine, { location: true, outside: true });
            world.path = { a: true, b: true };
          });
        },
      ],
      [
        'scripts and services go wrong now and then',
        () => {
          world.chances = { startFails: 0.3, scriptFails: 0.3, restoreFails: 0.3 };
          later('they do not any more', () => {
            world.chances = { startFails: 0, scriptFails: 0, restoreFails: 0 };
          });
        },
      ],
      [`the engine of ${name} will be cut off at some boundary`, () => Object.assign(node, { cuts: r.whole(1, 25) })],
      [`an order on ${name}: switchover`, () => this.#order(name, 'switchover')],
      [`an order on ${name}: failback`, () => this.#order(name, 'failback')],
      ['the way home is ordered', () => this.#order('a', 'failback')],
      ['the passive is ordered to switch over', () => this.#order(this.#passive(), 'switchover')],
      ['the passive is ordered to switch over', () => this.#order(this.#passive(), 'switchover')],
      [`an order on ${name}: stand down`, () => this.#order(name, 'stand-down')],
      [
        `an order on ${name}: promote`,
        () => node.order({ kind: 'promote', by, reason: 'dead', overrides: [], skipStep: false }),
      ],
      [
        'both are ordered to take over at once, over every guard',
        () => {
          for (const one of names)
            nodes[one].order({ kind: 'promote', by, reason: 'it is dead', overrides: everything, skipStep: false });
        },
      ],
      [`an order on ${name}: cancel`, () => node.order({ kind: 'cancel', by, reason: 'leave it' })],
      [`what is not saved on ${name} is given up`, () => Object.assign(machine, { unsaved: false })],
      ['the admin repairs everything and presses what is to be pressed', () => this.repair()],
    ];
    const [what, act] = r.pick(all);
    this.#s.happen(what, act);
  }

  #passive(): Name {
    return this.#s.nodes.a.role === 'passive' ? 'a' : 'b';
  }

  #order(name: Name, kind: 'switchover' | 'failback' | 'stand-down'): void {
    const ask = { by, reason: 'I want it', overrides: [] };
    this.#s.nodes[name].order(kind === 'stand-down' ? { kind, ...ask } : { kind, ...ask });
  }

  #pbx(name: Name, pbx: 'off' | 'hung'): void {
    if (this.#s.world.machines[name].pbx !== 'off') this.#s.world.machines[name].pbx = pbx;
  }

  #powerOff(name: Name, forMs: number, engineAfterMs: number): void {
    this.#s.nodes[name].powerOff();
    this.#s.time.at(this.#s.time.now + forMs, () =>
      this.#s.happen(`${name} has power again`, () => this.#s.nodes[name].powerOn(engineAfterMs)),
    );
  }

  #killed(node: PairNode, forMs: number): void {
    node.kill();
    this.#s.time.at(this.#s.time.now + forMs, () =>
      this.#s.happen(`the engine of ${node.name} is started`, () => node.boot()),
    );
  }

  /** The world is whole again, and a person looks after what stands halted, and after a pair of which nobody serves. */
  repair(): void {
    const { world, nodes } = this.#s;
    world.path = { a: true, b: true };
    world.shelf.away = false;
    world.chances = { startFails: 0, scriptFails: 0, restoreFails: 0 };
    for (const name of names) {
      const node = nodes[name];
      Object.assign(world.machines[name], { location: true, outside: true });
      node.cuts = 0;
      node.powerOn(1 * seconds);
      node.boot();
      if (world.machines[name].pbx === 'hung') world.machines[name].pbx = 'off';
      // A PBX that died on the active node is started again by its admin.
      if (
        node.role === 'active' &&
        !node.engine?.runner.isOpen &&
        names.filter((n) => nodes[n].role === 'active').length === 1
      )
        world.machines[name].pbx = 'up';
    }
    for (const name of names) {
      const node = nodes[name];
      if (node.phase === 'halted')
        node.order({
          kind: this.#s.random.chance(0.5) ? 'promote' : 'cancel',
          by,
          reason: 'go on',
          overrides: [],
          skipStep: false,
        } as never);
    }
    const nobody = names.every((name) => nodes[name].role === 'passive' && nodes[name].phase !== 'halted');
    if (nobody) {
      const overrides = ['seen-healthy', 'proven-down', 'no-contradiction', 'cool-down', 'references'] as const;
      const why = overrides.map((guard) => ({ guard, reason: 'nobody serves' }));
      nodes.a.order({ kind: 'promote', by, reason: 'nobody serves', overrides: why, skipStep: false });
    }
  }
}
