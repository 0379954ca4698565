/** What a run of many seeds comes to: the sums, and how they read. */
import { inWords } from '../../src-main/engine/duration.ts';
import type { SeedReport } from './seed.ts';
import { add, emptyTally, type Tally } from './tally.ts';

export interface Failure {
  seed: number;
  violations: string[];
  /** the command line that shows how it came to this */
  replay: string;
}

export interface Report {
  firstSeed: number;
  seeds: number;
  daysEach: number;
  simulatedDays: number;
  elapsedMs: number;
  cpuMs: number;
  daysPerSecond: number;
  daysPerCpuSecond: number;
  promotions: Omit<Tally, 'violations' | 'worstDetectMs'>;
  worstDetectMs: number;
  worstDetectSeed: number | null;
  rounds: number;
  roundsPassedOver: number;
  events: number;
  failures: Failure[];
}

export class Sums {
  seeds = 0;
  readonly #tally = emptyTally();
  readonly #failures: Failure[] = [];
  readonly #replay: (seed: number) => string;
  #days = 0;
  #rounds = 0;
  #passedOver = 0;
  #events = 0;
  #worstSeed: number | null = null;

  constructor(replay: (seed: number) => string) {
    this.#replay = replay;
  }

  add(one: SeedReport): void {
    const { seed, tally } = one;
    this.seeds += 1;
    this.#days += one.days;
    this.#rounds += one.rounds;
    this.#passedOver += one.passedOver;
    this.#events += one.events;
    if (tally.worstDetectMs > this.#tally.worstDetectMs) this.#worstSeed = seed;
    if (tally.violations.length > 0)
      this.#failures.push({ seed, violations: tally.violations, replay: this.#replay(seed) });
    add(this.#tally, tally);
  }

  report(of: { firstSeed: number; daysEach: number; elapsedMs: number; cpuMs: number }): Report {
    const { violations: _said, worstDetectMs, ...promotions } = this.#tally;
    const rate = (ms: number): number => (ms > 0 ? Math.round(this.#days / (ms / 1000)) : 0);
    return {
      firstSeed: of.firstSeed,
      seeds: this.seeds,
      daysEach: of.daysEach,
      simulatedDays: this.#days,
      elapsedMs: Math.round(of.elapsedMs),
      cpuMs: Math.round(of.cpuMs),
      daysPerSecond: rate(of.elapsedMs),
      daysPerCpuSecond: rate(of.cpuMs),
      promotions,
      worstDetectMs: Math.round(worstDetectMs),
      worstDetectSeed: this.#worstSeed,
      rounds: this.#rounds,
      roundsPassedOver: this.#passedOver,
      events: this.#events,
      failures: this.#failures,
    };
  }
}

const mostFailures = 10;
const mostViolations = 5;
const counted = (n: number, what: string): string => `${many(n)} ${what}${n === 1 ? '' : 's'}`;
const many = (n: number): string => n.toLocaleString('en');

/** Lines for a person. */
export function inLines(r: Report): string[] {
  const p = r.promotions;
  const lines = [
    `${counted(r.seeds, 'seed')} from ${r.firstSeed} on, ${many(r.simulatedDays)} simulated days in ${inWords(r.elapsedMs)}: ` +
      `${many(r.daysPerSecond)} days a second on one core (${many(r.daysPerCpuSecond)} by CPU time)`,
    `by itself:       ${many(p.right)} right, ${many(p.wrong)} wrong`,
    `by a person:     ${many(p.byPerson)}`,
    `taken back:      ${many(p.takenBack)}, given up or cancelled`,
    `none can tell:   ${many(p.blind)} over a path that hid a living active, with no word of it to contradict`,
    `                 ${many(p.lossyAny)} with failWhen any, one test lost every time on a path with loss`,
    `                 ${many(p.race)} of an active (or a path to it) that came back while the last round was under way`,
    `worst detection: ${r.worstDetectSeed === null ? 'none was undisturbed' : `${inWords(r.worstDetectMs)} from the death to the takeover's begin, undisturbed (seed ${r.worstDetectSeed})`}`,
    `rounds of tests: ${many(r.rounds)} simulated one by one, ${many(r.roundsPassedOver)} passed over in calm stretches (calm.ts says why that is sound)`,
  ];
  if (r.failures.length === 0) lines.push('violations:      none');
  else
    lines.push(
      `violations:      in ${counted(r.failures.length, 'seed')}`,
      ...r.failures.slice(0, mostFailures).flatMap(inFull),
    );
  if (r.failures.length > mostFailures) lines.push(`… and ${many(r.failures.length - mostFailures)} more seeds`);
  return lines;
}

function inFull({ seed, violations, replay }: Failure): string[] {
  const more = violations.length - mostViolations;
  return [
    `seed ${seed}:`,
    ...violations.slice(0, mostViolations).map((v) => `  ${v}`),
    ...(more > 0 ? [`  … and ${more} more`] : []),
    `  ${replay}`,
  ];
}

/** One line of a trace: `day 3 04:05:06.789`, who, what. */
export function traceLine(time: number, source: string, text: string): string {
  const two = (n: number, width = 2): string => String(Math.floor(n)).padStart(width, '0');
  const clock = `${two((time / 3_600_000) % 24)}:${two((time / 60_000) % 60)}:${two((time / 1000) % 60)}.${two(time % 1000, 3)}`;
  return `day ${Math.floor(time / 86_400_000) + 1} ${clock}  ${source.padEnd(8)}  ${text}`;
}
