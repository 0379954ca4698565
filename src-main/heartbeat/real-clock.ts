/**
 * The `Clock` port of a real machine, and the watch over our own presence: it notices stretches in which this process saw
 * nothing, so that nothing is counted across them.
 */
import { uptime } from 'node:os';
import type { Cancel, Clock, Gap } from '../engine/ports.ts';

/** What the machine's clocks say at one instant, milliseconds. */
export interface Readings {
  /** CLOCK_MONOTONIC; stands still during suspend on Linux (on Windows it runs on) */
  mono: number;
  /** time since boot, suspend included (CLOCK_BOOTTIME, /proc/uptime, GetTickCount64) */
  boot: number;
  /** since 1970; people and time servers may set it */
  wall: number;
}

/** Longer than this between two ticks is a gap. */
const gapMs = 2000;
const tickMs = 1000;
/** Node runs a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * What happened between two ticks, or null when nothing did. Three clocks, because each misses something:
 * a stopped or starved process shows on the monotonic clock; suspend does not (on Linux it stands still then) and shows
 * as boot time running ahead of it; a VM resumed from a snapshot has all three where they were, and shows only when the time
 * service sets the wall clock forward. A wall clock set back is no gap: nothing was missed.
 */
export function gapBetween(before: Readings, now: Readings): Pick<Gap, 'ms' | 'kind'> | null {
  const mono = now.mono - before.mono;
  const boot = now.boot - before.boot;
  const wall = now.wall - before.wall;
  if (boot - mono > gapMs) return { kind: 'sleep', ms: boot };
  if (mono > gapMs) return { kind: 'stall', ms: mono };
  if (wall - mono > gapMs) return { kind: 'wall-jump', ms: wall };
  return null;
}

export class RealClock implements Clock {
  readonly #listeners = new Set<(gap: Gap) => void>();
  readonly #ticker: NodeJS.Timeout;
  #last: Readings = read();
  #gaps = 0;

  constructor() {
    this.#ticker = setInterval(() => this.#look(), tickMs);
    // the watch alone keeps no process alive
    this.#ticker.unref();
  }

  /**
   * Monotonic milliseconds. Looks for a gap first: after a stop, what was due meanwhile runs before the next tick, and
   * must not be judged as if nothing had happened. So `onGap` listeners may be called from within.
   */
  now(): number {
    const now = performance.now();
    if (now - this.#last.mono > gapMs) this.#look();
    return now;
  }

  wall(): number {
    return Date.now();
  }

  /** Calls back after `ms` of monotonic time, be it years; a gap in between is told before the call. */
  after(ms: number, call: () => void): Cancel {
    let timer: NodeJS.Timeout | undefined;
    const wait = (left: number): void => {
      const part = Math.min(Math.max(left, 0), longestTimer);
      timer = setTimeout(() => {
        this.#look();
        // the gap's listeners may have cancelled this very timer
        if (timer === undefined) return;
        if (left > part) wait(left - part);
        else call();
      }, part);
    };
    wait(ms);
    return () => {
      clearTimeout(timer);
      timer = undefined;
    };
  }

  onGap(call: (gap: Gap) => void): Cancel {
    this.#listeners.add(call);
    return () => {
      this.#listeners.delete(call);
    };
  }

  /** Ends the watch. */
  close(): void {
    clearInterval(this.#ticker);
    this.#listeners.clear();
  }

  #look(): void {
    const before = this.#last;
    const now = read();
    this.#last = now;
    const found = gapBetween(before, now);
    if (found === null) return;
    this.#gaps += 1;
    const gap: Gap = { id: this.#gaps, at: now.mono, ms: Math.round(found.ms), kind: found.kind };
    for (const call of [...this.#listeners]) call(gap);
  }
}

function read(): Readings {
  return { mono: performance.now(), boot: uptime() * 1000, wall: Date.now() };
}
