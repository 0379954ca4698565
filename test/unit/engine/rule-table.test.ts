import { describe, expect, it } from 'vitest';
import { type Phase, phases } from '../../../src-main/contract/words.ts';
import { checkTable } from '../../../src-main/engine/check.ts';
import { domains, ordersIn } from '../../../src-main/engine/facts.ts';
import type { Rule } from '../../../src-main/engine/rules/rule.ts';
import { rules } from '../../../src-main/engine/rules/table.ts';

/** The rows that lead to a phase lead elsewhere. */
const rerouted = (from: (rule: Rule) => boolean, next: Rule['next']): Rule[] =>
  rules.map((rule) => (from(rule) ? { ...rule, next } : rule));
const rule = (id: string): Rule => {
  const found = rules.find((r) => r.id === id);
  if (!found) throw new Error(`there is no rule ${id}`);
  return found;
};

describe('the rule table', () => {
  it('matches every combination of facts by exactly one rule, reaches and leaves every phase, uses every rule', () => {
    const { faults, combinations } = checkTable(rules);
    expect(faults).toEqual([]);
    const { verdict, go, runbook, kind, epoch } = domains;
    const each = verdict.length * go.length * runbook.length * kind.length * epoch.length;
    expect(combinations).toBe(each * phases.reduce((sum, phase) => sum + ordersIn(phase).length, 0));
    expect(combinations).toBeGreaterThan(15_000);
  });

  it('has ids that say where they stand: a phase or a group, a point, what happened', () => {
    expect(rules.filter(({ id }) => !/^[a-z-]+\.[a-z-]+$/.test(id))).toEqual([]);
  });
});

describe('the check of the rule table bites', () => {
  it.each(rules.map(({ id }) => id))('where the row %s is missing', (id) => {
    const { faults } = checkTable(rules.filter((r) => r.id !== id));
    expect(faults).toContainEqual(expect.stringMatching(/^0 rules match \{"phase":"[a-z-]+",.*\(none\)$/));
  });

  it('where a row stands twice', () => {
    const { faults } = checkTable([...rules, rule('watching.healthy')]);
    expect(faults).toContain('rule id watching.healthy stands twice');
    expect(faults).toContainEqual(expect.stringMatching(/^2 rules match .*\(watching\.healthy, watching\.healthy\)$/));
  });

  it('where a second row fits a part of what another one fits', () => {
    const narrower: Rule = {
      ...rule('suspecting.counting'),
      id: 'suspecting.narrower',
      when: { order: ['none'], verdict: ['suspect'], go: ['quiet'] },
    };
    const { faults } = checkTable([...rules, narrower]);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every((f) => f.includes('(suspecting.counting, suspecting.narrower)'))).toBe(true);
  });

  it.each<[Phase, string[]]>([
    ['stood-down', ['stood-down.watching', 'order.promote']],
    ['standing-down', ['standing-down.']],
    ['halted', ['halted.']],
    ['active', ['serving.outranked', 'order.stand-down']],
  ])('where %s is a dead end', (phase, ids) => {
    const leadsOut = (r: Rule) => r.phases.includes(phase) && ids.some((id) => r.id.startsWith(id));
    const { faults } = checkTable(rerouted(leadsOut, 'same'));
    expect(faults).toContain(`phase ${phase} is a dead end`);
  });

  it.each<Phase>(['conflicting', 'isolated', 'awaiting', 'suspecting', 'watching'])(
    'where %s is never reached',
    (p) => {
      const { faults } = checkTable(rerouted((r) => r.next === p, p === 'isolated' ? 'conflicting' : 'isolated'));
      expect(faults).toContain(`phase ${p} is never reached`);
    },
  );

  it('where a rule can never fire', () => {
    const idle: Rule = { ...rule('awaiting.held'), id: 'watching.held', phases: ['watching'] };
    expect(checkTable([...rules, idle]).faults).toEqual(['rule watching.held can never fire']);
  });
});
