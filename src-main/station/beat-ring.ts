/** The last 60 beats of each test, as the heartbeat bar shows them: from history at start, then as they come. */
import type { BeatView } from '../contract/snapshot.ts';
import { outcomeSchema } from '../contract/words.ts';
import type { Round } from '../engine/observation.ts';
import type { History } from '../history/history.ts';

const shown = 60;
const dayMs = 24 * 3600_000;

export class BeatRing {
  readonly #history: Pick<History, 'beatRows'>;
  readonly #rings = new Map<string, BeatView[]>();

  constructor(history: Pick<History, 'beatRows'>) {
    this.#history = history;
  }

  add(round: Round, wall: number): void {
    for (const beat of round.beats) {
      const ring = this.#of(beat.test, wall);
      const { outcome, ms, evidence } = beat;
      ring.push({ at: Math.round(wall), outcome, ms, evidence });
      if (ring.length > shown) ring.splice(0, ring.length - shown);
    }
  }

  /** Beats by test, oldest first. */
  all(tests: readonly string[], wall: number): ReadonlyMap<string, readonly BeatView[]> {
    return new Map(tests.map((test) => [test, this.#of(test, wall)]));
  }

  #of(test: string, wall: number): BeatView[] {
    let ring = this.#rings.get(test);
    if (!ring) {
      ring = this.#remembered(test, wall);
      this.#rings.set(test, ring);
    }
    return ring;
  }

  /** What an engine before this one saw; a history that cannot be read shows an empty bar. */
  #remembered(test: string, wall: number): BeatView[] {
    try {
      const rows = this.#history.beatRows({ test, from: wall - dayMs, to: wall, limit: shown });
      return rows.map((row) => ({ ...row, outcome: outcomeSchema.parse(row.outcome) }));
    } catch {
      return [];
    }
  }
}
