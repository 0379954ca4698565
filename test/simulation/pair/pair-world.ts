/**
 * The world of a pair: two machines with PBX and engine, the paths between them, the location that both reach, one zone. Plain state
 * that happenings change; the simulated ports read it.
 */
import type { Seeded } from '../random.ts';
import type { SimTime } from '../sim-clock.ts';
import { Disk } from '../sim-store.ts';

export const names = ['a', 'b'] as const;
export type Name = (typeof names)[number];
export const otherOf = (name: Name): Name => (name === 'a' ? 'b' : 'a');
export const addressOf: Record<Name, string> = { a: '192.0.2.1', b: '192.0.2.2' };

/** One machine, as it truly is. */
export interface Machine {
  powered: boolean;
  /** grows with each start of the machine */
  life: number;
  pbx: 'up' | 'off' | 'hung';
  /** the PBX starts with the machine */
  startsByItself: boolean;
  /** number of the newest write that its PBX holds */
  data: number;
  /** since it stood down, it holds writes that are in no backup */
  unsaved: boolean;
  /** what it reaches */
  location: boolean;
  outside: boolean;
  disk: Disk;
}

const machine = (name: Name): Machine => ({
  powered: true,
  life: 1,
  pbx: name === 'a' ? 'up' : 'off',
  startsByItself: name === 'a',
  data: 0,
  unsaved: false,
  location: true,
  outside: true,
  disk: new Disk(),
});

/** The location: texts under names, as any kind of it keeps them. */
export class Shelf {
  readonly texts = new Map<string, string>();
  /** nobody reaches it */
  away = false;
}

export class PairWorld {
  readonly time: SimTime;
  readonly random: Seeded;
  readonly machines: Record<Name, Machine> = { a: machine('a'), b: machine('b') };
  readonly shelf = new Shelf();
  /** what one sends reaches the other */
  path: Record<Name, boolean> = { a: true, b: true };
  pointsTo: Name = 'a';
  /** newest backup in the location: the number of the newest write in it */
  backup = 0;
  writes = 0;
  chances = { startFails: 0, scriptFails: 0, restoreFails: 0 };

  constructor(time: SimTime, random: Seeded) {
    this.time = time;
    this.random = random;
  }

  /** A question of that node comes to the other machine, and its answer back. */
  joined(): boolean {
    return this.path.a && this.path.b && this.machines.a.powered && this.machines.b.powered;
  }

  reachesLocation(name: Name): boolean {
    return this.machines[name].powered && this.machines[name].location && !this.shelf.away;
  }

  serves(name: Name): boolean {
    return this.machines[name].powered && this.machines[name].pbx === 'up';
  }

  /** Callers leave something behind on every PBX that runs and that they are led to. */
  write(): void {
    const { pointsTo: name } = this;
    if (!this.serves(name)) return;
    this.writes += 1;
    this.machines[name].data = this.writes;
  }
}
