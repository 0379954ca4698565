/**
 * When something is due by the wall clock: cron's five fields in a time zone, daylight saving included, and what a clock that is
 * set, a machine that was off and a restart do to it. Must not know what is due.
 *
 * A run that was missed is made up for once, however many were. A wall clock set back over runs does not repeat them: an occurrence
 * that comes a second time counts only when half of the usual time between two has really passed since the last run.
 */
import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import type { Cancel, Clock } from '../engine/ports.ts';

export interface Timetable {
  /** five fields */
  cron: string;
  /** IANA name */
  timeZone: string;
  /** each run is put off by less than this, ms, and by less than half of the time to the next; the same for one occurrence at any time */
  jitterMs: number;
  /** tells whose runs are spread apart: pair and node */
  seed: string;
}

/** One instant on both clocks, ms. */
export interface Moment {
  wall: number;
  mono: number;
}

/** What was dealt with. Wall clock but for `mono`. */
export interface Mark {
  /** occurrences after it count */
  from: number;
  /** those up to here were dealt with once; later than `from` where the clock was set back */
  until: number;
  /** monotonic time of the last run; may lie before this process */
  mono: number;
}

export const markAt = ({ wall, mono }: Moment): Mark => ({ from: wall, until: wall, mono });

/** A mark of an earlier life of this engine: how long ago it was is the wall clock's word, where that makes sense. */
export function markKept(until: number, now: Moment): Mark {
  return { from: Math.min(until, now.wall), until, mono: now.mono - Math.max(0, now.wall - until) };
}

/** The mark as it has to be read since the wall clock stands before it. */
export const setBack = (mark: Mark, { wall }: Moment): Mark => (wall < mark.from ? { ...mark, from: wall } : mark);

const cronOf = ({ cron, timeZone }: Pick<Timetable, 'cron' | 'timeZone'>): Cron =>
  new Cron(cron, { timezone: timeZone, paused: true });
const following = (cron: Cron, after: number): number | null => cron.nextRun(new Date(after))?.getTime() ?? null;

export interface Due {
  /** the newest occurrence that was left out since it came a second time too soon; null: none */
  leftOut: number | null;
  /** wall clock at which it is due, put off by its jitter; in the past where it was missed */
  at: number;
}

/**
 * The next run. Null: never.
 * @param mark as `setBack` has it for this moment
 */
export function nextDue(timetable: Timetable, mark: Mark, now: Moment): Due | null {
  const cron = cronOf(timetable);
  let at = following(cron, mark.from);
  let leftOut: number | null = null;
  while (at !== null) {
    const next = following(cron, at);
    const half = next === null ? Number.POSITIVE_INFINITY : (next - at) / 2;
    const sinceMs = now.mono + (at - now.wall) - mark.mono;
    if (at > mark.until || sinceMs >= half) return { leftOut, at: at + spread(timetable, at, half) };
    leftOut = at;
    at = next;
  }
  return null;
}

function spread({ jitterMs, seed }: Timetable, at: number, most: number): number {
  const width = Math.min(jitterMs, most);
  if (width <= 0) return 0;
  const share = createHash('sha256').update(`${seed} ${at}`).digest().readUInt32BE(0) / 2 ** 32;
  return Math.floor(share * width);
}

/** The occurrence at or before a wall clock time, and the one after it; without jitter. */
export function around(timetable: Pick<Timetable, 'cron' | 'timeZone'>, now: number): Around {
  const cron = cronOf(timetable);
  return { last: cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? null, next: following(cron, now) };
}

export interface Around {
  last: number | null;
  next: number | null;
}

/** The longest time between two of the next 40 runs, ms; null where there are no two. */
export function widestBetween(timetable: Pick<Timetable, 'cron' | 'timeZone'>, from: number): number | null {
  const cron = cronOf(timetable);
  let widest: number | null = null;
  let at = following(cron, from);
  for (let left = 40; left > 0 && at !== null; left -= 1) {
    const next = following(cron, at);
    if (next !== null) widest = Math.max(widest ?? 0, next - at);
    at = next;
  }
  return widest;
}

/**
 * How old restored data gets at most by two schedules that are kept to: from the backup that a restore finds to the next restore.
 * Ms; null where one is never due. Looks at the next 40 restores.
 */
export function oldestBy(
  backup: Pick<Timetable, 'cron' | 'timeZone'>,
  restore: Pick<Timetable, 'cron' | 'timeZone'>,
  from: number,
): number | null {
  const [made, restored] = [cronOf(backup), cronOf(restore)];
  let oldest: number | null = null;
  let at = following(restored, from);
  for (let left = 40; left > 0 && at !== null; left -= 1) {
    const next = following(restored, at);
    const found = made.previousRuns(1, new Date(at))[0]?.getTime();
    if (next !== null && found !== undefined) oldest = Math.max(oldest ?? 0, next - found);
    at = next;
  }
  return oldest;
}

/** The wall clock may be set at any time: it is looked at this often. */
const lookEveryMs = 30_000;
/** Due, but not taken: something else is under way. */
const againMs = 5_000;

export interface ScheduleParts {
  clock: Clock;
  /** the mark kept from the life before, wall clock; null: none */
  kept: number | null;
  /** it fell due: begun (true), or not now */
  due: () => boolean;
  /** is to be kept over a restart */
  keep: (until: number) => void;
}

/** One schedule that runs. */
export class Schedule {
  readonly #p: ScheduleParts;
  #timetable: Timetable | null = null;
  #mark: Mark;
  #known: { timetable: Timetable; mark: Mark; aheadMs: number; due: Due | null } | null = null;
  #stop: Cancel = () => {};

  constructor(parts: ScheduleParts) {
    this.#p = parts;
    const { kept } = parts;
    this.#mark = kept === null ? markAt(this.#now()) : markKept(kept, this.#now());
    // What was never seen cannot have been missed.
    if (kept === null) parts.keep(this.#mark.until);
  }

  /**
   * Runs by this from now on; null: not at all.
   * @param anew what fell due before now is none of its runs: another timetable, or the time was not this node's
   */
  set(timetable: Timetable | null, anew: boolean): void {
    this.#timetable = timetable;
    if (timetable !== null && anew) this.#dealt();
    this.look();
  }

  /** Wall clock of the next run; null: never, or it does not run. */
  nextAt(): number | null {
    if (this.#timetable === null) return null;
    const now = this.#now();
    return this.#next(this.#timetable, setBack(this.#mark, now), now)?.at ?? null;
  }

  /** Looks whether it is due, and sleeps until it has to look again. */
  look(): void {
    this.#stop();
    this.#stop = () => {};
    if (this.#timetable === null) return;
    const now = this.#now();
    this.#mark = setBack(this.#mark, now);
    const due = this.#next(this.#timetable, this.#mark, now);
    if (due === null) return;
    this.#passOver(due, now);
    let at: number | null = due.at;
    if (at <= now.wall && this.#p.due()) {
      this.#dealt();
      at = this.nextAt();
      if (at === null) return;
    }
    const leftMs = at <= now.wall ? againMs : Math.min(lookEveryMs, at - now.wall);
    this.#stop = this.#p.clock.after(leftMs, () => this.look());
  }

  /** An occurrence that came a second time and was left out is done with: set back once more, the clock must not make it due. */
  #passOver({ leftOut }: Due, now: Moment): void {
    if (leftOut !== null && leftOut <= now.wall) this.#mark = { ...this.#mark, from: leftOut };
  }

  /** Worked out anew only when something it hangs on is another: screens ask for it many times a second. */
  #next(timetable: Timetable, mark: Mark, now: Moment): Due | null {
    const aheadMs = now.wall - now.mono;
    const known = this.#known;
    const holds =
      known?.timetable === timetable &&
      known.mark.from === mark.from &&
      known.mark.until === mark.until &&
      known.mark.mono === mark.mono &&
      Math.abs(known.aheadMs - aheadMs) < 1000;
    if (known === null || !holds) {
      const due = nextDue(timetable, mark, now);
      this.#known = { timetable, mark, aheadMs, due };
      return due;
    }
    return known.due;
  }

  close(): void {
    this.#timetable = null;
    this.#stop();
  }

  #dealt(): void {
    this.#mark = markAt(this.#now());
    this.#p.keep(this.#mark.until);
  }

  #now(): Moment {
    const { clock } = this.#p;
    return { wall: clock.wall(), mono: clock.now() };
  }
}
