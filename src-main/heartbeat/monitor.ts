/**
 * The cadence of the tests: one round every interval, faster while confirming, never two at once, no drift. Knows nothing
 * of what a round means.
 */
import type { Round } from '../engine/observation.ts';
import type { Beat, Cancel, Clock, Net, ReferenceSpec, Target, TestSpec } from '../engine/ports.ts';

export interface Watched {
  target: Target;
  tests: readonly TestSpec[];
  references: readonly ReferenceSpec[];
}

/**
 * Rounds start on a grid of `every` milliseconds counted from the last change of cadence. A round that outlasts its slot
 * makes the monitor leave out slots, never overlap them.
 */
/** The beats of a round with those marked that are a bare accept and no more. */
export const weighed = (tests: readonly TestSpec[], beats: readonly Beat[]): Beat[] =>
  beats.map((beat, i) => (tests[i]?.kind === 'tunnel' ? { ...beat, weak: true } : beat));

export class Monitor {
  readonly #clock: Clock;
  readonly #net: Net;
  readonly #onRound: (round: Round, wall: number) => void;
  #watched: Watched;
  #everyMs: number;
  #anchor = 0;
  #seq = 0;
  #running: AbortController | null = null;
  #lastStart: number | null = null;
  #cancelTimer: Cancel | null = null;
  #on = false;

  constructor(
    ports: { clock: Clock; net: Net },
    watched: Watched,
    everyMs: number,
    onRound: (round: Round, wall: number) => void,
  ) {
    this.#clock = ports.clock;
    this.#net = ports.net;
    this.#watched = watched;
    this.#everyMs = everyMs;
    this.#onRound = onRound;
  }

  /** The first round starts at once. */
  start(): void {
    if (this.#on) return;
    this.#on = true;
    this.#anchor = this.#clock.now();
    this.#begin();
  }

  /** Ends the round under way without a result. */
  stop(): void {
    this.#on = false;
    this.#cancelTimer?.();
    this.#running?.abort();
    this.#running = null;
  }

  /** Changes the interval; the next round starts one new interval after the last one started. */
  setEvery(everyMs: number): void {
    if (everyMs === this.#everyMs) return;
    this.#everyMs = everyMs;
    if (!this.#on) return;
    this.#anchor = this.#lastStart ?? this.#clock.now();
    if (!this.#running) this.#schedule();
  }

  /** New tests or a new target: a round under way is dropped, the next one starts at once. */
  watch(watched: Watched): void {
    this.#watched = watched;
    this.#running?.abort();
    this.#running = null;
    if (!this.#on) return;
    this.#anchor = this.#clock.now();
    this.#begin();
  }

  #schedule(): void {
    this.#cancelTimer?.();
    const now = this.#clock.now();
    const slots = Math.max(1, Math.ceil((now - this.#anchor) / this.#everyMs));
    const last = this.#lastStart ?? Number.NEGATIVE_INFINITY;
    let at = this.#anchor + slots * this.#everyMs;
    if (at <= last) at += this.#everyMs;
    this.#cancelTimer = this.#clock.after(Math.max(0, at - now), () => this.#begin());
  }

  #begin(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const control = new AbortController();
    this.#running = control;
    const startedAt = this.#clock.now();
    const wall = this.#clock.wall();
    this.#lastStart = startedAt;
    const { tests, references, target } = this.#watched;
    const beats = Promise.all(tests.map((t) => this.#net.probe(t, target, control.signal)));
    const told = Promise.all(references.map((r) => this.#net.reference(r, control.signal)));
    void Promise.all([beats, told]).then(([b, r]) => {
      if (this.#running !== control) return;
      this.#running = null;
      this.#seq += 1;
      const round: Round = {
        seq: this.#seq,
        startedAt,
        endedAt: this.#clock.now(),
        beats: weighed(tests, b),
        references: r,
      };
      try {
        this.#onRound(round, wall);
      } finally {
        // Whatever becomes of this round, the watch goes on.
        if (this.#on && !this.#running) this.#schedule();
      }
    });
  }
}
