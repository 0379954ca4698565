/**
 * Stands between the engine and its history: takes secrets out of whatever is written (invariant 9), tells of each event as it
 * is written, and remembers that there are new ones. The rules of the `Store` port stay those of the history.
 */
import { redact } from '../config/secrets.ts';
import type { NewEvent, Store } from '../engine/ports.ts';

export interface Witnessed {
  store: Store;
  /** grows with every event */
  events(): number;
}

/**
 * @param secrets what must never be written; asked anew each time
 * @param onEvent told of each event as written
 */
export function witnessed(
  store: Store,
  secrets: () => readonly string[],
  onEvent: (event: NewEvent) => void,
): Witnessed {
  let seen = 0;
  const clean = (text: string): string => redact(text, secrets());
  const cleanDeep = <T>(value: T): T =>
    secrets().length === 0 ? value : (JSON.parse(clean(JSON.stringify(value))) as T);
  return {
    events: () => seen,
    store: {
      ...store,
      event(given) {
        const event = { ...given, reason: clean(given.reason), evidence: cleanDeep(given.evidence) };
        const id = store.event(event);
        seen += 1;
        onEvent(event);
        return id;
      },
      result(runbook, step, attempt, result, at) {
        const { outcome, sentence, output } = result;
        store.result(runbook, step, attempt, { outcome, sentence: clean(sentence), output: clean(output) }, at);
      },
      beats(rows) {
        store.beats(
          secrets().length === 0
            ? rows
            : rows.map((row) => ({ ...row, beat: { ...row.beat, evidence: clean(row.beat.evidence) } })),
        );
      },
    },
  };
}
