/** Rules for what a person asks. */
import { idle } from '../facts.ts';
import type { Effect } from '../observation.ts';
import { type Context, orderWhy, proof, type Rule, refusingGuards, rounds, start } from './rule.ts';

const skips = (c: Context): boolean => c.o.order?.kind === 'promote' && c.o.order.skipStep;

function refusal(c: Context): string {
  const { order } = c.o;
  const guards = refusingGuards(c);
  const byGuards = `refused by ${guards.map((g) => `${g.name} (${g.evidence})`).join(', ')}`;
  if (c.state.phase === 'halted' && guards.length > 0) return byGuards;
  if (c.state.phase === 'halted' && skips(c))
    return 'the step it stopped at may not be left out (its onFail is not `ask`): try again, or give up';
  if (c.state.phase === 'halted' && c.o.runbook?.kind === 'stand-down')
    return 'standing down cannot be given up half-way: try again (promote)';
  if (order?.kind === 'cancel') return 'there is no takeover to cancel';
  if (order?.kind === 'stand-down')
    return guards.length > 0 ? byGuards : `only the active node stands down; this one is ${c.state.phase}`;
  if (order?.kind === 'switchover' || order?.kind === 'failback')
    return guards.length > 0
      ? byGuards
      : `a ${order.kind} begins while this node watches a healthy active; it is ${c.state.phase} now`;
  if (c.state.phase === 'promoting') return 'a promotion is already running';
  if (!idle.includes(c.state.phase)) return `this node is ${c.state.phase}; there is nothing to promote`;
  return byGuards;
}

const resume = (c: Context): Effect[] => {
  const { order } = c.o;
  const overrides = order?.kind === 'promote' ? order.overrides : [];
  return [{ do: 'resume-runbook', by: order?.by ?? '', skipStep: skips(c), overrides }];
};
const resumed = (c: Context): string =>
  `${c.o.order?.by} ${skips(c) ? 'left the failed step out' : 'tries the failed step again'}${orderWhy(c)}`;

export const orders: Rule[] = [
  {
    id: 'order.promote',
    phases: idle,
    when: { order: ['promote'] },
    next: 'promoting',
    effects: start('person', (c) => `${c.o.order?.by} ordered it${orderWhy(c)}`),
    reason: (c) => `${c.o.order?.by} ordered the promotion${orderWhy(c)}; ${rounds(c)} (${proof(c)})`,
  },
  {
    id: 'order.planned',
    phases: ['watching'],
    when: { order: ['planned'] },
    next: 'promoting',
    effects: (c) => {
      const { order } = c.o;
      if (order?.kind !== 'switchover' && order?.kind !== 'failback') return [];
      const { kind, by, overrides, whenIdle = false } = order;
      return [{ do: 'start-planned', kind, by, because: `${by} ordered it${orderWhy(c)}`, overrides, whenIdle }];
    },
    reason: (c) =>
      `${c.o.order?.by} ordered the ${c.o.order?.kind}${orderWhy(c)}; the other node answers (${proof(c)})`,
  },
  {
    id: 'order.stand-down',
    phases: ['active', 'serving'],
    when: { order: ['stand-down'] },
    next: 'standing-down',
    effects: (c) => {
      const { order } = c.o;
      if (order?.kind !== 'stand-down') return [];
      const { by, overrides } = order;
      const because = `${by} ordered it${orderWhy(c)}`;
      return [{ do: 'stand-down', origin: 'person', by, epoch: c.o.highestEpoch, because, overrides }];
    },
    reason: (c) => `${c.o.order?.by} ordered this node to stand down${orderWhy(c)}`,
  },
  {
    id: 'order.refused',
    notable: true,
    phases: [...idle, 'promoting', 'halted', 'active', 'serving', 'standing-down'],
    when: { order: ['refuse'] },
    next: 'same',
    reason: refusal,
  },
  {
    id: 'awaiting.held',
    notable: true,
    phases: ['awaiting'],
    when: { order: ['hold'] },
    next: 'same',
    change: () => ({ held: true }),
    reason: (c) =>
      `${c.o.order?.by} said not to take over${orderWhy(c)}; until the other node was healthy again only a person promotes`,
  },
  {
    id: 'promoting.cancelled-by-person',
    notable: true,
    phases: ['promoting'],
    when: { order: ['abort'] },
    next: 'same',
    change: () => ({ held: true }),
    effects: (c) => [{ do: 'cancel-runbook', because: `${c.o.order?.by} cancelled it${orderWhy(c)}` }],
    reason: (c) => `${c.o.order?.by} cancelled the promotion${orderWhy(c)}`,
  },
  {
    id: 'halted.resumed',
    phases: ['halted'],
    when: { order: ['resume'], kind: ['promotion', 'planned'] },
    next: 'promoting',
    effects: resume,
    reason: resumed,
  },
  {
    id: 'halted.stand-down-resumed',
    phases: ['halted'],
    when: { order: ['resume'], kind: ['stand-down'] },
    next: 'standing-down',
    effects: resume,
    reason: resumed,
  },
  {
    id: 'halted.abandoned',
    phases: ['halted'],
    when: { order: ['abandon'] },
    next: 'promoting',
    change: () => ({ held: true }),
    effects: (c) => [
      { do: 'abandon-runbook', by: c.o.order?.by ?? '', because: `${c.o.order?.by} gave it up${orderWhy(c)}` },
    ],
    reason: (c) =>
      `${c.o.order?.by} gave the runbook up${orderWhy(c)}; ${c.o.runbook?.committed ? 'what it started is being stopped' : 'it had started nothing'}`,
  },
];
