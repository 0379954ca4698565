/**
 * The build-time proof over the rule table: every combination of facts that can occur is matched by exactly one rule, every
 * phase can be reached, every phase can be left, and every rule can fire. Enumerates the whole product, samples nothing.
 */
import { type Phase, phases } from '../contract/words.ts';
import { domains, type Facts, ordersIn } from './facts.ts';
import { matches, type Rule } from './rules/rule.ts';

export interface TableReport {
  combinations: number;
  /** empty when the table is sound; else one sentence a fault */
  faults: string[];
}

/** Phases in which an engine can begin: see station. */
const beginnings: readonly Phase[] = [
  'starting',
  'serving',
  'promoting',
  'halted',
  'active',
  'standing-down',
  'stood-down',
];

/** The whole product of the facts, phase by phase. */
function allFacts(): Facts[] {
  return domains.phase.flatMap((phase) =>
    ordersIn(phase).flatMap((order) =>
      domains.verdict.flatMap((verdict) =>
        domains.go.flatMap((go) =>
          domains.runbook.flatMap((runbook) =>
            domains.kind.flatMap((kind) =>
              domains.epoch.map((epoch): Facts => ({ phase, order, verdict, go, runbook, kind, epoch })),
            ),
          ),
        ),
      ),
    ),
  );
}

/** Checks a table; the product's own is `rules`. */
export function checkTable(table: readonly Rule[]): TableReport {
  const fired = new Set<string>();
  const leadsTo = new Map<Phase, Set<Phase>>(phases.map((p) => [p, new Set()]));
  const combinations = allFacts();
  const faults = combinations.flatMap((facts) => {
    const fitting = table.filter((rule) => matches(rule, facts));
    for (const rule of fitting) {
      fired.add(rule.id);
      if (rule.next !== 'same') leadsTo.get(facts.phase)?.add(rule.next);
    }
    const names = fitting.map((r) => r.id).join(', ') || 'none';
    return fitting.length === 1 ? [] : [`${fitting.length} rules match ${JSON.stringify(facts)} (${names})`];
  });
  faults.push(...table.filter((r) => !fired.has(r.id)).map((r) => `rule ${r.id} can never fire`));
  const ids = table.map((r) => r.id);
  faults.push(...ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `rule id ${id} stands twice`));
  faults.push(...phaseFaults(leadsTo));
  return { combinations: combinations.length, faults };
}

function phaseFaults(leadsTo: ReadonlyMap<Phase, ReadonlySet<Phase>>): string[] {
  const reached = new Set<Phase>(beginnings);
  for (const phase of reached) for (const next of leadsTo.get(phase) ?? []) reached.add(next);
  const unreached = phases.filter((p) => !reached.has(p)).map((p) => `phase ${p} is never reached`);
  const stuck = phases
    .filter((p) => [...(leadsTo.get(p) ?? [])].every((next) => next === p))
    .map((p) => `phase ${p} is a dead end`);
  return [...unreached, ...stuck];
}
