/** The same tests run against this node itself while it is the active one: what its word says of its health. */

import { summarize } from '../engine/judge.ts';
import type { Policy, Round } from '../engine/observation.ts';
import type { Clock, Net } from '../engine/ports.ts';
import { Monitor, type Watched } from '../heartbeat/monitor.ts';

/** A round older than this says nothing of now. */
const staleMs = (policy: Policy): number => 2 * policy.intervalMs + 10_000;

export class SelfTests {
  readonly #clock: Clock;
  readonly #monitor: Monitor;
  #policy: Policy;
  #round: Round | null = null;
  #on = false;

  constructor(parts: { clock: Clock; net: Net }, watched: Watched, policy: Policy, onRound: () => void) {
    this.#clock = parts.clock;
    this.#policy = policy;
    this.#monitor = new Monitor(parts, { ...watched, references: [] }, policy.intervalMs, (round) => {
      this.#round = round;
      onRound();
    });
  }

  /** The active node tests itself; the other one's services are off. */
  run(on: boolean): void {
    if (on === this.#on) return;
    this.#on = on;
    this.#round = null;
    if (on) this.#monitor.start();
    else this.#monitor.stop();
  }

  reconfigure(watched: Watched, policy: Policy): void {
    this.#policy = policy;
    this.#round = null;
    this.#monitor.setEvery(policy.intervalMs);
    this.#monitor.watch({ ...watched, references: [] });
  }

  /** The newest round, unless it is too old to speak of now. */
  round(): Round | null {
    const round = this.#round;
    return round !== null && this.#clock.now() - round.endedAt <= staleMs(this.#policy) ? round : null;
  }

  /** Whether it serves by the pair's own rule; null: not known. */
  healthy(): boolean | null {
    const round = this.round();
    if (round === null) return null;
    const { result } = summarize(round, this.#policy);
    return result === 'inconclusive' ? null : result === 'ok';
  }

  close(): void {
    this.run(false);
  }
}
