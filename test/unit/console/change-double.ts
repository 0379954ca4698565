/** Switchover, failback and standing down of the desk double: one guard holds a change of roles back, until it is overridden. */
import type { Desk } from '../../../src-main/contract/desk.ts';
import type { GuardView } from '../../../src-main/contract/snapshot.ts';

const guards: GuardView[] = [
  { name: 'peer-link', ok: true, bindsPerson: true, evidence: 'the other node was heard over the peer link 2 s ago' },
  {
    ...{ name: 'newer-data-here', ok: false, bindsPerson: true },
    evidence: 'what this node wrote while it served stands in no backup: the restore would destroy it',
  },
];

export function changeDesk(
  asked: { call: string; ask: unknown }[],
  change: (phase: 'promoting' | 'standing-down') => void,
): Pick<Desk, 'switchover' | 'standDown'> {
  const answer = { accepted: true, rule: 'order.planned', reason: 'accepted', refusedBy: [] };
  return {
    async switchover(ask) {
      asked.push({ call: 'switchover', ask });
      const accepted = ask.overrides.some(({ guard }) => guard === 'newer-data-here');
      const idle = ask.whenIdle ? ['Wait until no call is active on the other node'] : [];
      const plan = ['Have the other node make a final backup', ...idle, 'Claim the epoch', 'Start the services'];
      if (accepted && !ask.dryRun) change('promoting');
      const said = accepted
        ? answer
        : { ...answer, accepted, reason: 'refused: newer-data-here', refusedBy: ['newer-data-here' as const] };
      return { ...said, plan, pointOfNoReturn: plan.indexOf('Claim the epoch'), guards };
    },
    async standDown(ask) {
      asked.push({ call: 'standDown', ask });
      if (!ask.dryRun) change('standing-down');
      return { ...answer, plan: ['Stop the services'], guards: [] };
    },
  };
}
