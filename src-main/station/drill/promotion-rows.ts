/** What a promotion would do and need that the doctor does not ask: guards, claim, fence, plan, and how they read. Pure. */
import type { DrillRow } from '../../contract/drill.ts';
import type { GuardView } from '../../contract/snapshot.ts';
import type { Mode } from '../../contract/words.ts';
import { holdingBackThen } from '../../engine/guards.ts';
import type { ClaimsSeen } from '../../engine/ports.ts';
import type { FencePlan } from '../../runbook/fence/fence-step.ts';
import type { PbxApiEnd } from '../../runbook/fence/means.ts';
import { check } from '../doctor/check.ts';

/** They hold an automatic promotion back whatever the other node does, and a person put them there. */
const byPerson = ['no-maintenance', 'not-observe-only'];

/**
 * @param answer what the order to promote would be answered now
 * @param mode in which a person would have to promote anyhow, or not
 */
export function judgeGuards(guards: readonly GuardView[], answer: string, mode: Mode): DrillRow[] {
  // the claim has a row of its own
  const held = holdingBackThen(guards).filter(({ name }) => name !== 'claim-keeper');
  const put = guards.filter(({ name, ok }) => !ok && byPerson.includes(name));
  const rows = held.map(({ name, bindsPerson, evidence }) => {
    const say = check('promotion', `guard.${name}`);
    const todo = 'Mend what it says, or override it by its name in a promotion of your own.';
    const what = bindsPerson
      ? `If the active died now, the guard ${name} would hold a promotion back.`
      : `If the active died now, the guard ${name} would hold a promotion by itself back.`;
    return say[bindsPerson || mode === 'automatic' ? 'problem' : 'warning'](what, evidence, todo);
  });
  for (const { name, evidence } of put) {
    const say = check('promotion', `guard.${name}`);
    rows.push(say.warning('Nothing is taken over by itself now.', evidence, 'End it when it is no longer wanted.'));
  }
  if (rows.length > 0) return rows;
  const what = 'If the active died now, no guard would hold a promotion back.';
  return [check('promotion', 'guards').ok(what, `a promotion ordered now: ${answer}`)];
}

export function judgeClaim({ state, evidence }: ClaimsSeen, need: 'required' | 'best-effort'): DrillRow {
  const say = check('promotion', 'claim');
  if (state === 'reachable') return say.ok('The epoch can be claimed where the other node sees it.', evidence);
  if (state === 'alone') {
    const what = 'The epoch would be claimed on this node alone: there is no place that both nodes see.';
    return say.warning(what, evidence, 'Add a section `backup` with a location, or `promotion.claim.etcd`.');
  }
  const what = 'The epoch cannot be claimed where the other node would see it.';
  return say[need === 'required' ? 'problem' : 'warning'](what, evidence, 'Mend the location, or the way to it.');
}

/**
 * @param paired the other node can be asked to stand down, as far as is known
 * @param api null: none is configured, or nothing here speaks to it
 */
export function judgeFence(plan: FencePlan, paired: boolean, api: PbxApiEnd | null): DrillRow[] {
  const required = plan.need === 'required';
  const rows: DrillRow[] = [];
  if (api !== null) {
    const say = check('promotion', 'fence.api');
    rows.push(
      api.outcome === 'checked' || api.outcome === 'stopped'
        ? say.ok("The PBX's API of the other node would let its services be stopped.", api.sentence)
        : say[required ? 'problem' : 'warning'](
            "The PBX's API of the other node could not be used.",
            api.sentence,
            'Check the client and its secret in `promotion.fence.api`.',
          ),
    );
  }
  const say = check('promotion', 'fence');
  const means = [
    ...(paired ? ['the link'] : []),
    ...(plan.api ? ["the PBX's API"] : []),
    ...(plan.script ? [`the script ${plan.script.argv[0]}`] : []),
  ];
  if (means.length > 0) {
    rows.push(say.ok('There are means to silence the old active before this node serves.', means.join(', ')));
    return rows;
  }
  const what = 'Nothing can silence the old active: only its own silence is waited for.';
  rows.push(say.warning(what, `promotion.fence: ${plan.need}`, 'Pair the nodes, or set `promotion.fence`.'));
  return rows;
}

export function judgePlan(plan: readonly string[]): DrillRow {
  const steps = plan.map((step, i) => `${i + 1}. ${step}`).join('; ');
  return check('promotion', 'plan').ok('A promotion would take these steps; none of them was begun.', steps);
}

/** @param tests that prove the PBX alive here before DNS is switched */
export function judgeProof(tests: readonly { id: string }[], address: string): DrillRow {
  const say = check('promotion', 'proof');
  if (tests.length > 0)
    return say.ok('The PBX would be proven alive here.', `${tests.map(({ id }) => id).join(', ')} on ${address}`);
  return say.warning(
    'Nothing would prove that the PBX is alive here: no test is configured.',
    '',
    'Name tests in `heartbeat.tests`.',
  );
}
