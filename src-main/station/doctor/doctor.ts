/** One look at all prerequisites at a time: begun by a person, followed by whoever asks, bounded, and ended with the engine. */
import { countsOf, type DoctorReport, type DoctorView, inOrder } from '../../contract/doctor.ts';
import { sentenceOf } from '../../contract/errors.ts';
import { check } from './check.ts';
import { examine, type Look } from './examine.ts';
import { looksOf } from './looks.ts';
import type { DoctorParts } from './shared.ts';

export interface ExamineOptions {
  signal: AbortSignal;
  /** no secret may be shown; what is said comes from many places */
  clean: (text: string) => string;
  onProgress?: (looks: readonly Look[], left: readonly Look[]) => void;
}

/** Looks at everything. Never rejects, and ends by the bounds of its looks, or by `signal`. */
export async function examineSite(parts: DoctorParts, options: ExamineOptions): Promise<DoctorReport> {
  const { signal, clean, onProgress = () => {} } = options;
  const { clock } = parts;
  // what is shared between looks ends with the last of them
  const ended = new AbortController();
  const onAbort = (): void => ended.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) ended.abort();
  try {
    const looks = looksOf(parts, ended.signal);
    const left = new Set(looks);
    onProgress(looks, looks);
    const checks = await examine(looks, {
      ...{ clock, signal: ended.signal },
      onEnd: (look) => {
        left.delete(look);
        onProgress(looks, [...left]);
      },
    });
    return reportOf(
      parts,
      checks.map((one) => ({
        ...one,
        sentence: clean(one.sentence),
        evidence: clean(one.evidence),
        todo: clean(one.todo),
      })),
    );
  } catch (error) {
    const failed = check('rights', 'doctor').problem(
      'The doctor itself failed.',
      clean(sentenceOf(error)),
      'See the log.',
    );
    return reportOf(parts, [failed]);
  } finally {
    ended.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

function reportOf(parts: DoctorParts, checks: DoctorReport['checks']): DoctorReport {
  return {
    at: Math.round(parts.clock.wall()),
    node: parts.site().node,
    counts: countsOf(checks),
    checks: inOrder(checks.map(withOwnId)),
  };
}

/** Two scripts, two targets may have one name: a page needs to tell them apart. */
export function withOwnId<C extends { id: string }>(one: C, i: number, all: readonly C[]): C {
  const before = all.slice(0, i).filter(({ id }) => id === one.id).length;
  return before === 0 ? one : { ...one, id: `${one.id}#${before + 1}` };
}

export class Doctor {
  readonly #parts: DoctorParts;
  readonly #clean: (text: string) => string;
  #running: DoctorView['running'] = null;
  #report: DoctorReport | null = null;
  #work: Promise<void> = Promise.resolve();
  readonly #ended = new AbortController();

  constructor(parts: DoctorParts, clean: (text: string) => string) {
    this.#parts = parts;
    this.#clean = clean;
  }

  /** Begins a look, unless one is under way: then that one is followed. */
  start(): { begun: boolean } {
    if (this.#running !== null || this.#ended.signal.aborted) return { begun: false };
    const startedAt = Math.round(this.#parts.clock.wall());
    this.#running = { startedAt, done: 0, total: 0, waitsFor: [] };
    this.#work = examineSite(this.#parts, {
      ...{ signal: this.#ended.signal, clean: this.#clean },
      onProgress: (looks, left) => {
        const waitsFor = [...new Set(left.map(({ area }) => area))];
        this.#running = { startedAt, done: looks.length - left.length, total: looks.length, waitsFor };
      },
    }).then((report) => {
      this.#running = null;
      if (!this.#ended.signal.aborted) this.#report = report;
    });
    return { begun: true };
  }

  view(): DoctorView {
    return { running: this.#running, report: this.#report };
  }

  /** Cuts off what is under way. Again does nothing. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#work;
  }
}
