/** How the storeroom is heard: rows in history, and what people are told. Decides neither. */
import type { Config } from '../../config/schema.ts';
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

  /** Not run from here: a node that was gone may not be the active any more, and `after` starts what `before` stopped. */
  cutOff({ backup }: Config): void {
    if ((backup?.source.after ?? []).length === 0) return;
    const text =
      'A backup was cut off by the end of Estepe, perhaps before `backup.source.after` ran: what `before` stopped may still stand still. What to do: if it does, run those commands by hand.';
    this.tell('backup.cut-off', 'alert', text);
  }

  /** To people, and to history. */
  tell(rule: string, severity: Severity, text: string, evidence: Record<string, unknown> = {}): void {
    this.note('alert', severity, rule, text, evidence);
    this.#p.tell({ key: rule, severity, text: this.#p.clean(text) });
  }
}
