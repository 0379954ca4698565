/** Simulated time for unit tests: the simulator's clock, wound by hand. */
import { SimClock, SimTime } from '../simulation/sim-clock.ts';

export class Clockwork {
  readonly time = new SimTime();
  #life = 1;
  #clock = this.#clockOf(1);

  /** The clock of the life that goes on now. */
  get clock(): SimClock {
    return this.#clock;
  }

  #clockOf(life: number): SimClock {
    const noticed = (): void => {};
    return new SimClock(this.time, life, () => life === this.#life, noticed);
  }

  /** kill -9: no timer of the life before is ever called; what comes after has a clock of its own. */
  die(): void {
    this.time.drop(this.#life);
    this.#life += 1;
    this.#clock = this.#clockOf(this.#life);
  }

  /** Lets this much time pass: every timer due in it runs, and what its promises set off, in order. */
  async pass(ms: number): Promise<void> {
    const end = this.time.now + ms;
    await this.settle();
    for (let at = this.time.next(); at !== null && at <= end; at = this.time.next()) {
      this.time.step();
      await this.settle();
    }
    this.time.now = end;
  }

  /** Lets time pass until `ready`, for at most `atMostMs` of simulated time; answers how much passed. */
  async until(what: string, ready: () => boolean, atMostMs = 3_600_000): Promise<number> {
    const begun = this.time.now;
    await this.settle();
    while (!ready()) {
      const at = this.time.next();
      if (at === null || at > begun + atMostMs)
        throw new Error(`${at === null ? 'nothing is due' : 'too late'}: ${what}`);
      this.time.step();
      await this.settle();
    }
    return this.time.now - begun;
  }

  /** Every promise that can go on without time has gone on. */
  async settle(): Promise<void> {
    await new Promise((go) => setImmediate(go));
  }

  /** Somebody, or the time service, sets the wall clock. */
  stepWall(ms: number): void {
    this.time.wallOffset += ms;
  }
}
