/**
 * F1: kill -9 at every boundary of a planned change of roles. The next life is the product's own `estepe serve`; the change comes to its
 * end under the same epoch: this node serves, the other one has stood down, nothing is lost, and never do two serve.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { PlannedKind, StepId } from '../../../src-main/contract/words.ts';
import { plannedStepIds } from '../../../src-main/runbook/planned.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { answersSip } from './evidence.ts';
import { epochs, minutes, type NodeHere, ordered, type PairHere, putUpPair, read, saysWell, write } from './planned-pair.ts';

const program = fileURLToPath(new URL('./dying-serve.ts', import.meta.url));

/**
 * Where it dies: its effect not begun yet, its effect done but not written down, all of it written down. What stands on disk before an
 * intent is what stood there after the result before it.
 */
const around = (id: StepId): string[] => [`after intent ${id}`, `before result ${id}`, `after result ${id}`];
const inClaim = ['before epoch noted', 'after epoch noted'];
const boundaries = [
  'after begin',
  ...plannedStepIds.flatMap((id) => (id === 'claim' ? around(id).toSpliced(1, 0, ...inClaim) : around(id))),
  'after status done',
];
/** Of the way home, which is the same runbook, those around what cannot be taken back. */
const homeBoundaries = [...around('claim'), ...around('stand-down-other'), ...around('last-changes')];

/** The step that was under way there: its intent is in the journal, its result is not. */
function inDoubtAt(boundary: string): StepId | null {
  if (inClaim.includes(boundary)) return 'claim';
  const [when, what, id] = boundary.split(' ');
  return (when === 'after' && what === 'intent') || (when === 'before' && what === 'result') ? (id as StepId) : null;
}

/** A busy machine must not look like a dead node, which takes the change back. */
const patient = { interval: '1s', confirm: { times: 3, every: '500ms' }, referenceTimeout: '900ms' };

const ready = async (from: NodeHere): Promise<void> => {
  await from.engine.phase('watching', minutes);
  await from.engine.until('the other one to say that it serves well', saysWell, minutes);
};

/** Ordered there; the engine dies of it. */
async function dies(kind: PlannedKind, at: NodeHere): Promise<void> {
  await ordered(at.engine, kind, '--no-wait');
  await until('the engine to die', () => !at.engine.lives, 2 * minutes);
}

/** The change is done, whatever happened on its way. */
async function expectChanged(here: PairHere, kind: PlannedKind, to: NodeHere, from: NodeHere, epoch: number) {
  await to.engine.until(
    'the runbook to end',
    ({ runbook }) => runbook?.kind === kind && runbook.status !== 'running',
    2 * minutes,
  );
  const { runbook } = await to.engine.snapshot();
  const said = runbook?.steps.map(({ id, state, result }) => `${id} ${state}: ${result}`).join('\n');
  expect(runbook, `${runbook?.reason}\n${said}`).toMatchObject({ kind, status: 'done', epoch });
  await to.engine.phase('active');
  const states = runbook?.steps.map(({ state }) => state).filter((state) => state !== 'done' && state !== 'skipped');
  expect(states).toEqual([]);
  await from.engine.phase('watching', minutes);
  const self = async ({ engine }: NodeHere) => (await engine.snapshot()).nodes.find((node) => node.self);
  expect(await self(to)).toMatchObject({ role: 'active', epoch });
  expect(await self(from)).toMatchObject({ role: 'passive', epoch });
  expect(from.pbx.pids()).toEqual([]);
  expect(await answersSip(to.address, here.port)).toBe(true);
  expect(here.twice()).toBe(0);
  expect(epochs(here.nas)).toEqual(Array.from({ length: epoch }, (_, i) => `epoch-${i + 1}`));
}

async function expectDoubt({ engine }: NodeHere, boundary: string): Promise<void> {
  const events = await engine.events();
  const cutOff = events.filter(({ reason }) => /cut off by the end of Estepe/.test(reason)).map(({ rule }) => rule);
  const doubt = inDoubtAt(boundary);
  expect(cutOff).toEqual(doubt === null ? [] : [`step.${doubt}`]);
}

describeWithPeers('F1 kill -9 in a planned change of roles', ['kamailio'], () => {
  it.concurrent.for(boundaries)('F1 switchover killed %s', { timeout: 6 * minutes }, async (boundary, { onTestFinished: later }) => {
    const here = await putUpPair(later, { heartbeat: patient });
    const { active, passive } = here;
    write(active, 'calls', 'until the final backup');
    write(active, 'memory', 'written while it was stopped');
    await passive.engine.stop();
    await passive.start({ program, env: { DIE_AT: boundary } });
    await ready(passive);
    await dies('switchover', passive);
    expect(passive.site.lines('boundaries').at(-1)).toBe(boundary);

    await passive.start();
    await expectChanged(here, 'switchover', passive, active, 1);
    await expectDoubt(passive, boundary);
    expect(read(passive, 'calls')).toBe('until the final backup');
    expect(read(passive, 'at-the-end')).toBe('written while it was stopped');
  });
});
