/** Whether the PBX's services run here, asked now and then by the site's own query commands. Looks; decides nothing. */
import type { Cancel, Clock, Proc, Random } from '../engine/ports.ts';
import type { NodeWord } from '../peer/word.ts';
import type { Site } from './engine.ts';

export interface ServiceLookParts {
  clock: Clock;
  proc: Proc;
  random: Random;
  site(): Site;
}

/** A dozen processes, on Windows slow ones, for what seldom changes and nothing is decided by. */
const leastEveryMs = 300_000;
/** Processes that are started beside the first round of tests make its answers late; by then it has ended. */
const firstAfterMs = 5_000;
/** A query answers at once; one that takes longer says nothing. */
const queryTimeoutMs = 10_000;

export class ServiceLook {
  readonly #parts: ServiceLookParts;
  #state: NodeWord['services'] = 'unknown';
  #cancel: Cancel = () => {};
  #running: AbortController | null = null;
  #looking = false;

  constructor(parts: ServiceLookParts) {
    this.#parts = parts;
  }

  /** As of the last look. */
  get state(): NodeWord['services'] {
    return this.#state;
  }

  /** Looks once the first round of tests is over, and again and again. Called again it does nothing. */
  start(): void {
    if (this.#running !== null) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    this.#cancel = this.#parts.clock.after(firstAfterMs, () => void this.#round(signal));
  }

  /** Something changed that they follow: looks now, unless it is just looking. */
  again(): void {
    if (this.#running === null || this.#looking) return;
    this.#cancel();
    void this.#round(this.#running.signal);
  }

  stop(): void {
    this.#cancel();
    this.#running?.abort();
    this.#running = null;
    this.#state = 'unknown';
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, site } = this.#parts;
    const begun = clock.now();
    this.#looking = true;
    const state = await this.#look(signal);
    this.#looking = false;
    if (signal.aborted) return;
    this.#state = state;
    const left = Math.max(leastEveryMs, site().policy.intervalMs) - (clock.now() - begun);
    this.#cancel = clock.after(Math.max(0, left), () => void this.#round(signal));
  }

  /** All of them run, or none does; anything in between is nothing to go by. */
  async #look(signal: AbortSignal): Promise<NodeWord['services']> {
    const { proc, random, site } = this.#parts;
    const { services, scriptsFolder: cwd, fqdn, newAddress } = site().plan;
    const env = { ESTEPE_FQDN: fqdn, ESTEPE_NEW_ADDRESS: newAddress };
    let [running, stopped] = [0, 0];
    for (const argv of services.query) {
      const runToken = random.hex(8);
      const { end } = await proc.run({ argv, cwd, env, timeoutMs: queryTimeoutMs, runToken, signal });
      if (end.how !== 'exit') return 'unknown';
      if (end.code === 0) running += 1;
      else stopped += 1;
    }
    if (running > 0) return stopped > 0 ? 'unknown' : 'running';
    return stopped > 0 ? 'stopped' : 'unknown';
  }
}
