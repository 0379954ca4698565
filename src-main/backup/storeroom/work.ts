/** The one piece of work under way, as it goes: phase, bytes, setbacks, cancellation. Must not know how it is done. */
import type { BackupKind, BackupWorkView } from '../../contract/backups.ts';
import { durationWords } from '../../contract/view.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Setback } from '../patience.ts';

/** Progress between two phases is shown at most so often, ms. */
const showEveryMs = 200;

/** How a work ended well. */
export interface Achieved {
  name: string;
  /** whole, with its full stop */
  sentence: string;
  /** what did not work beside it */
  troubles: { sentence: string; todo: string }[];
  evidence: Record<string, unknown>;
  /** there was nothing to do: proves nothing of what failed before */
  already: boolean;
  /** of a backup that is verified now: wall clock when its data was current */
  verified: number | null;
}

/** Who or what ended it early. */
export type Cause = 'person' | 'runbook' | 'role' | 'engine';

export const causeWords: Record<Cause, string> = {
  person: 'by a person',
  runbook: 'because of a runbook',
  role: 'by its new role',
  engine: 'by its end',
};

export interface WorkParts {
  kind: BackupKind;
  /** null: the newest */
  name: string | null;
  by: string;
  /** a runbook of the pair waits for it */
  commissioned: boolean;
  clock: Clock;
  onChange: () => void;
}

export class Work {
  readonly kind: BackupKind;
  readonly by: string;
  readonly asked: string | null;
  /** of the backup it is about, as soon as that is known */
  name: string | null;
  cause: Cause | null = null;
  readonly commissioned: boolean;
  /** how it ended; null: not yet */
  end: { achieved: Achieved } | { error: unknown } | null = null;
  /** when all of it is over; never rejects */
  done: Promise<void> = Promise.resolve();
  readonly #control = new AbortController();
  readonly #p: WorkParts;
  readonly #startedAt: number;
  #phase = '';
  #bytes = 0;
  #total: number | null = null;
  #setback = '';
  #shownAt = Number.NEGATIVE_INFINITY;

  constructor(parts: WorkParts) {
    this.kind = parts.kind;
    this.by = parts.by;
    this.commissioned = parts.commissioned;
    this.asked = parts.name;
    this.name = parts.name;
    this.#p = parts;
    this.#startedAt = parts.clock.wall();
    this.#phase = parts.kind === 'backup' ? 'source' : 'list';
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  cancel(cause: Cause): void {
    if (this.cause !== null) return;
    this.cause = cause;
    this.#control.abort();
    this.#p.onChange();
  }

  progress({ phase, bytes, total }: { phase: string; bytes: number; total: number | null }): void {
    const turned = phase !== this.#phase || this.#setback !== '';
    this.#phase = phase;
    this.#bytes = bytes;
    this.#total = total;
    this.#setback = '';
    const now = this.#p.clock.now();
    if (!turned && now - this.#shownAt < showEveryMs) return;
    this.#shownAt = now;
    this.#p.onChange();
  }

  setback({ attempt, error, pauseMs }: Setback): void {
    this.#setback = `attempt ${attempt} failed, the next one in ${durationWords(pauseMs)}: ${error.message}`;
    this.#p.onChange();
  }

  view(clean: (text: string) => string): BackupWorkView {
    return {
      kind: this.kind,
      name: this.name,
      by: this.by,
      startedAt: Math.round(this.#startedAt),
      phase: this.#phase,
      bytes: this.#bytes,
      total: this.#total,
      setback: clean(this.#setback),
      cancelling: this.cause !== null,
    };
  }
}
