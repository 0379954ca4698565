/** How the storeroom is heard: rows in history, and what people are told. Decides neither. */
import type { Severity } from '../../contract/words.ts';
import type { StoreroomParts } from './parts.ts';

export class Voice {
  readonly #p: Pick<StoreroomParts, 'store' | 'clock' | 'around' | 'clean' | 'tell'>;

  constructor(parts: Pick<StoreroomParts, 'store' | 'clock' | 'around' | 'clean' | 'tell'>) {
    this.#p = parts;
  }

  note(
    kind: 'engine' | 'order' | 'alert',
    severity: Severity,
    rule: string,
    reason: string,
    evidence: Record<string, unknown> = {},
  ): void {
    const { store, clock, around } = this.#p;
    store.event({ at: clock.wall(), kind, severity, rule, reason, ...around.moment(), evidence });
  }

  /** To people, and to history. */
  tell(rule: string, severity: Severity, text: string, evidence: Record<string, unknown> = {}): void {
    this.note('alert', severity, rule, text, evidence);
    this.#p.tell({ key: rule, severity, text: this.#p.clean(text) });
  }
}
