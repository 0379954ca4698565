/**
 * The decision, as a table: in which phases a rule applies, on which facts, where it leads, what it sets off, and the
 * sentence of reason. Exactly one rule matches every combination of facts; check.ts proves it at build time.
 * Rows say what follows from what is observed now, never from what happened before (level-triggered).
 */
import type { Facts } from '../facts.ts';
import { orders } from './orders.ts';
import { matches, type Rule } from './rule.ts';
import { serving } from './serving.ts';
import { awaiting, promoting } from './takeover.ts';
import { doubtful, starting, suspecting, watching } from './watching.ts';

export const rules: readonly Rule[] = [
  ...orders,
  ...starting,
  ...watching,
  ...suspecting,
  ...awaiting,
  ...doubtful,
  ...promoting,
  ...serving,
];

const byFacts = new Map<string, readonly Rule[]>();

/**
 * The rules that fit these facts: one, where the table is sound. Remembered, since the simulation asks millions of times.
 */
export function rulesFor(f: Facts): readonly Rule[] {
  const key = `${f.phase}|${f.order}|${f.verdict}|${f.go}|${f.runbook}|${f.kind}|${f.epoch}`;
  let fitting = byFacts.get(key);
  if (!fitting) {
    fitting = rules.filter((rule) => matches(rule, f));
    byFacts.set(key, fitting);
  }
  return fitting;
}
