import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EventQuery, eventKinds, eventMatches } from '../../../src-main/contract/history.ts';
import { severitySchema } from '../../../src-main/contract/words.ts';
import { decision, newHistory, noon } from './workbench.ts';

const severities = severitySchema.options;
const texts = ['W1', 'Sip', 'no answer', '100%', 'a_b', "it's", '"', '\\', 'Ä', 'ä', '[', 'round'];

it('the file answers every filter as the contract says it', () => {
  const history = newHistory();
  const made = Array.from({ length: 120 }, (_, n) => ({
    ...decision,
    at: noon + ((n * 7) % 120) * 1_000,
    kind: eventKinds[n % eventKinds.length] ?? 'decision',
    severity: severities[n % severities.length] ?? 'info',
    reason: `${texts[n % texts.length]} ${n}`,
    evidence: { round: n, said: texts[(n * 5) % texts.length] },
  }));
  for (const event of made) history.event(event);
  const all = history.events({ limit: 1000 });
  expect(all).toHaveLength(made.length);
  const query = fc.record(
    {
      kind: fc.constantFrom(...eventKinds),
      severity: fc.constantFrom(...severities),
      from: fc.integer({ min: noon - 5_000, max: noon + 130_000 }),
      to: fc.integer({ min: noon - 5_000, max: noon + 130_000 }),
      text: fc.oneof(fc.constantFrom(...texts), fc.string({ maxLength: 3 })),
      before: fc.integer({ min: 1, max: 130 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(query, fc.integer({ min: 1, max: 60 }), (asked, limit) => {
      const full: EventQuery = { ...asked, limit };
      const { before = Number.MAX_SAFE_INTEGER } = asked;
      const expected = all.filter((one) => one.id < before && eventMatches(one, full)).slice(0, limit);
      expect(history.events(full)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
