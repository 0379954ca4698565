/**
 * Simulated time: a heap of events. The world's own events live beside those of the engine's current life; a crash drops
 * the latter. The wall clock is the monotonic one plus an offset that can be stepped.
 */
import type { Cancel, Clock, Gap } from '../../src-main/engine/ports.ts';

interface Timer {
  at: number;
  order: number;
  call: (() => void) | null;
  /** life of the engine it belongs to; 0: the world's */
  life: number;
}

export class SimTime {
  now = 0;
  /** 2026-03-01, a Sunday: the clocks change at the end of the month */
  wallOffset = Date.UTC(2026, 2, 1);
  #heap: Timer[] = [];
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

  /** Time of the next event that still stands; null when none does. */
  next(): number | null {
    this.#sweep();
    return this.#heap[0]?.at ?? null;
  }

  /** Runs the next event. */
  step(): void {
    this.#sweep();
    const timer = this.#pop();
    if (!timer) return;
    this.now = Math.max(this.now, timer.at);
    const { call } = timer;
    timer.call = null;
    call?.();
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

  /** Moves an event; for the calm stretches that are passed over. */
  move(timer: Timer, at: number): void {
    const { call, life } = timer;
    timer.call = null;
    if (call) {
      const moved: Timer = { at, order: timer.order, call, life };
      this.#push(moved);
    }
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
    if (heap.length === 0 || top === last) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (!this.#before(heap[child] as Timer, last)) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

/** The clock of one life of the engine. After its end nothing is called any more. */
export class SimClock implements Clock {
  readonly #time: SimTime;
  readonly #life: number;
  readonly #alive: () => boolean;
  #onGap: ((gap: Gap) => void) | null = null;
  #gaps = 0;
  /** while the process is stalled, its timers wait until then */
  stalledUntil = 0;

  constructor(time: SimTime, life: number, alive: () => boolean) {
    this.#time = time;
    this.#life = life;
    this.#alive = alive;
  }

  now(): number {
    return this.#time.now;
  }

  wall(): number {
    return this.#time.wall();
  }

  after(ms: number, call: () => void): Cancel {
    const timer = this.#time.at(this.#time.now + ms, () => this.#run(call), this.#life);
    return () => {
      timer.call = null;
    };
  }

  onGap(call: (gap: Gap) => void): Cancel {
    this.#onGap = call;
    return () => {
      this.#onGap = null;
    };
  }

  /** The real clock notices a gap at the end of it, before other timers run. */
  gap(ms: number, kind: Gap['kind']): void {
    if (!this.#alive()) return;
    this.#gaps += 1;
    this.#onGap?.({ id: this.#gaps, at: this.#time.now, ms, kind });
  }

  #run(call: () => void): void {
    if (!this.#alive()) return;
    if (this.#time.now < this.stalledUntil) {
      this.#time.at(this.stalledUntil, () => this.#run(call), this.#life);
      return;
    }
    call();
  }
}
