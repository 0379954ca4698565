/**
 * Simulated time: a heap of events. The world's own events live beside those of the engine's current life; a crash drops
 * the latter. The wall clock is the monotonic one plus an offset that can be stepped.
 */
import type { Cancel, Clock, Gap } from '../../src-main/engine/ports.ts';

export interface Timer {
  at: number;
  order: number;
  call: (() => void) | null;
  /** life of the engine it belongs to; 0: the world's */
  readonly life: number;
}

export class SimTime {
  now = 0;
  /** 2026-03-01, a Sunday: the clocks change at the end of the month */
  wallOffset = Date.UTC(2026, 2, 1);
  readonly #heap: Timer[] = [];
  #order = 0;

  wall(): number {
    return this.now + this.wallOffset;
  }

  at(at: number, call: () => void, life = 0): Timer {
    this.#order += 1;
    const timer: Timer = { at: Math.max(at, this.now), order: this.#order, call, life };
    this.#push(timer);
    return timer;
  }

  /** A timer that has just run is to run once more; whoever can cancel it still can. */
  again(timer: Timer, at: number, call: () => void): void {
    this.#order += 1;
    timer.at = at;
    timer.order = this.#order;
    timer.call = call;
    this.#push(timer);
  }

  /** Time of the next event that still stands; null when none does. */
  next(): number | null {
    this.#sweep();
    return this.#heap[0]?.at ?? null;
  }

  /** Runs the next event; answers whose it was. */
  step(): number {
    this.#sweep();
    const timer = this.#pop();
    if (!timer) return 0;
    this.now = Math.max(this.now, timer.at);
    const { call } = timer;
    timer.call = null;
    call?.();
    return timer.life;
  }

  /** Events of one life that still stand. */
  of(life: number): Timer[] {
    return this.#heap.filter((t) => t.call !== null && t.life === life);
  }

  /** The world's next event that is not the engine's. */
  nextOfWorld(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const t of this.#heap) if (t.call !== null && t.life === 0 && t.at < at) at = t.at;
    return at;
  }

  /** Puts a standing event off; whoever can cancel it still can. */
  putOff(timer: Timer, at: number): void {
    const i = this.#heap.indexOf(timer);
    if (i < 0 || at < timer.at) return;
    timer.at = at;
    this.#sink(i, timer);
  }

  drop(life: number): void {
    for (const t of this.#heap) if (t.life === life) t.call = null;
  }

  #sweep(): void {
    while (this.#heap[0] && this.#heap[0].call === null) this.#pop();
  }

  #before(a: Timer, b: Timer): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (!this.#before(timer, heap[up] as Timer)) break;
      heap[i] = heap[up] as Timer;
      i = up;
    }
    heap[i] = timer;
  }

  #pop(): Timer | null {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last) return null;
    if (top !== last) this.#sink(0, last);
    return top;
  }

  /** Lets `timer` sink from place `i` to where it belongs. */
  #sink(from: number, timer: Timer): void {
    const heap = this.#heap;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (!this.#before(heap[child] as Timer, timer)) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = timer;
  }
}

/** The clock of one life of the engine. After its end nothing is called any more. */
export class SimClock implements Clock {
  readonly #time: SimTime;
  readonly #life: number;
  readonly #alive: () => boolean;
  readonly #noticed: () => void;
  #onGap: ((gap: Gap) => void) | null = null;
  #gaps = 0;
  #stalledUntil = 0;
  /** noticed when the stall ends, before any timer runs */
  #pending: Pick<Gap, 'ms' | 'kind'> | null = null;
  /** how long the monotonic clock stood still in all */
  frozenMs = 0;

  constructor(time: SimTime, life: number, alive: () => boolean, noticed: () => void) {
    this.#time = time;
    this.#life = life;
    this.#alive = alive;
    this.#noticed = noticed;
  }

  now(): number {
    return this.#time.now - this.frozenMs;
  }

  wall(): number {
    return this.#time.wall();
  }

  after(ms: number, call: () => void): Cancel {
    if (!this.#alive()) return () => {};
    const timer = this.at(ms, call);
    return () => {
      timer.call = null;
    };
  }

  /** An event of this life, be it a timer or something that arrives: held back while the process stands still. */
  at(ms: number, call: () => void): Timer {
    const timer: Timer = this.#time.at(this.#time.now + ms, () => this.#run(timer, call), this.#life);
    return timer;
  }

  onGap(call: (gap: Gap) => void): Cancel {
    this.#onGap = call;
    return () => {
      this.#onGap = null;
    };
  }

  get stalled(): boolean {
    return this.#time.now < this.#stalledUntil;
  }

  /** The process stands still (SIGSTOP, a starved machine); the monotonic clock runs on, timers come late. */
  stall(ms: number, kind: Gap['kind']): void {
    this.#stalledUntil = this.#time.now + ms;
    this.#pending = { ms, kind };
    this.at(ms, () => {});
  }

  /** The machine sleeps and its monotonic clock with it (Linux): timers keep what they had left. */
  sleep(ms: number): void {
    for (const timer of this.#time.of(this.#life)) this.#time.putOff(timer, timer.at + ms);
    this.frozenMs += ms;
    this.stall(ms, 'sleep');
  }

  /** Told to the engine at once; gaps of up to 2 s are none. */
  gap(ms: number, kind: Gap['kind']): void {
    if (!this.#alive()) return;
    this.#gaps += 1;
    this.#noticed();
    this.#onGap?.({ id: this.#gaps, at: this.now(), ms, kind });
  }

  #run(timer: Timer, call: () => void): void {
    if (!this.#alive()) return;
    if (this.stalled) return this.#time.again(timer, this.#stalledUntil, () => this.#run(timer, call));
    const pending = this.#pending;
    this.#pending = null;
    if (pending && pending.ms > 2_000) this.gap(pending.ms, pending.kind);
    call();
  }
}
