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
import { answersSip, told } from './evidence.ts';
import {
  epochs,
  minutes,
  type NodeHere,
  ordered,
  type PairHere,
  putUpPair,
  read,
  saysWell,
  write,
} from './planned-pair.ts';

const program = fileURLToPath(new URL('./dying-serve.ts', import.meta.url));

/**
 * Where it dies: its effect not begun yet, its effect done but not written down, all of it written down. What stands on disk before an
 * intent is what stood there after the result before it.
 */
const around = (id: StepId): string[] => [
  ...(id === 'ready' ? ['after begin'] : []),
  `after intent ${id}`,
  ...(id === 'claim' ? inClaim : []),
  `before result ${id}`,
  `after result ${id}`,
  ...(id === 'flip-standing' ? ['after status done'] : []),
];
const inClaim = ['before epoch noted', 'after epoch noted'];

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
  // Told by one of the two lives, or by both.
  const events = await to.engine.events();
  const begun = events.findLastIndex(({ rule }) => rule === 'runbook.begun');
  expect(told(events.slice(begun))).toContain('promoted');
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
  const { runbook } = await engine.snapshot();
  const events = (await engine.events()).filter(({ evidence }) => evidence.runbook === runbook?.id);
  const cutOff = events.filter(({ reason }) => /cut off by the end of Estepe/.test(reason)).map(({ rule }) => rule);
  const doubt = inDoubtAt(boundary);
  expect(cutOff).toEqual(doubt === null ? [] : [`step.${doubt}`]);
}

/** A change from one node to the other, whose engine dies at that boundary and starts again. */
async function changes(here: PairHere, kind: PlannedKind, to: NodeHere, boundary: string, epoch: number) {
  const from = to === here.active ? here.passive : here.active;
  write(from, 'calls', `until the final backup of ${epoch}`);
  write(from, 'memory', `written while it was stopped for ${epoch}`);
  await to.engine.stop();
  await to.start({ program, env: { DIE_AT: boundary } });
  await ready(to);
  await dies(kind, to);
  expect(to.site.lines('boundaries').at(-1)).toBe(boundary);

  await to.start();
  await expectChanged(here, kind, to, from, epoch);
  await expectDoubt(to, boundary);
  expect(read(to, 'calls')).toBe(`until the final backup of ${epoch}`);
  expect(read(to, 'at-the-end')).toBe(`written while it was stopped for ${epoch}`);
}

/** The boundary at which most can go wrong: the effect is done, and nobody has written it down. */
const inTheMiddle = (id: StepId): string[] => [`before result ${id}`, ...(id === 'claim' ? ['after epoch noted'] : [])];
const few = 4;
const steps = plannedStepIds({ whenIdle: false });
const grouped = Array.from({ length: Math.ceil(steps.length / few) }, (_, i) => steps.slice(i * few, (i + 1) * few));
/** All of them take ten minutes (`npm run test:crash`); every build does one, of the claim two, of each step. */
const rows: [string, string[]][] =
  process.env.ESTEPE_EVERY_BOUNDARY === '1'
    ? steps.map((id) => [`around each boundary of ${id}`, around(id)])
    : grouped.map((ids) => [`with the effect done and not written down: ${ids.join(', ')}`, ids.flatMap(inTheMiddle)]);

describeWithPeers('F1 kill -9 in a planned change of roles', ['kamailio'], () => {
  // To and fro, so that a pair serves for several boundaries.
  it.concurrent.for(rows)('F1 killed %s', { timeout: 10 * minutes }, async ([, where], { onTestFinished: later }) => {
    const here = await putUpPair(later, { heartbeat: patient });
    for (const [i, boundary] of where.entries())
      await changes(here, 'switchover', i % 2 === 0 ? here.passive : here.active, boundary, i + 1);
  });

  it.concurrent(
    'F1 failback killed while its claim is in doubt, and while the other node stands down',
    async ({ onTestFinished: later }) => {
      const here = await putUpPair(later, { heartbeat: patient });
      await changes(here, 'switchover', here.passive, 'after status done', 1);
      await changes(here, 'failback', here.active, 'before result claim', 2);
      await changes(here, 'switchover', here.passive, 'after status done', 3);
      const { active, passive } = here;
      await ready(active);
      // The stop script of the other node's PBX kills the engine that asked for it.
      writeFileSync(here.killer.whileStopping, String(active.engine.pid));
      await dies('failback', active);
      await active.start();
      await expectChanged(here, 'failback', active, passive, 4);
    },
    10 * minutes,
  );
});
