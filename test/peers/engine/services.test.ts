/** E5: the PBX here does not come up. The promotion halts with the evidence, and goes on when a person has repaired it. */
import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { EventView } from '../../../src-main/contract/snapshot.ts';
import type { StepId } from '../../../src-main/contract/words.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers, programPath } from '../fixtures/require-peer.ts';
import { ordinaryAnswer, writeSipp } from '../fixtures/sipp.ts';
import { answersSip, decisions, expectTakenOver, told } from './evidence.ts';
import { putUp, type Stage } from './one-pbx.ts';
import { endProcessesOf, makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

/** The active dies; the takeover must halt at that step, with that evidence, told once. */
async function haltsAt({ engine, active }: Stage, step: StepId, evidence: RegExp): Promise<EventView[]> {
  await active.kill();
  const { runbook, core } = await engine.phase('halted');
  expect(runbook).toMatchObject({ status: 'halted', epoch: 1 });
  expect(runbook?.steps.find(({ id }) => id === step)).toMatchObject({ state: 'failed', attempt: 1 });
  expect(runbook?.reason).toMatch(evidence);
  expect(core.sentence).toContain('The runbook stopped');
  await engine.rounds(2);
  const events = await engine.events();
  const [halted, ...more] = decisions(events, 'promoting.halted');
  expect(more).toEqual([]);
  expect(halted?.reason).toMatch(evidence);
  expect(told(events)).toEqual(['halted.1']);
  return events;
}

/** A person tries again after the repair. */
async function goesOn({ engine, passive, port }: Stage, step: StepId): Promise<void> {
  const answer = await engine.promote({ reason: 'repaired' });
  expect(answer).toMatchObject({ accepted: true, rule: 'halted.resumed' });
  const events = await expectTakenOver(engine, {
    rule: 'suspecting.down-automatic',
    reason: /3 of 3 rounds in a row failed/,
    told: ['halted.1', 'promoted'],
  });
  expect(decisions(events, 'halted.resumed')[0]?.reason).toBe('the test tries the failed step again: repaired');
  const { runbook } = await engine.snapshot();
  expect(runbook?.steps.find(({ id }) => id === step)).toMatchObject({ state: 'done', attempt: 2 });
  expect(await answersSip(passive, port)).toBe(true);
}

describeWithPeers('E5 the PBX here does not come up', ['kamailio', 'sipp'], () => {
  it.concurrent('E5 a service does not start: halted with what it said; repaired and tried again: active', async ({
    onTestFinished: later,
  }) => {
    const stage = await putUp(later, {
      services: ({ pbx, site }) => ({
        start: [
          ['/bin/sh', '-c', `[ -e ${site.path('licence')} ] || { echo "no licence here"; exit 3; }`],
          ...pbx.services.start,
        ],
      }),
    });
    const { engine, site, pbx } = stage;
    await haltsAt(stage, 'start-services', /^(the runbook halted: )?Start the services: `\/bin\/sh .* ended with 3$/);
    const { runbook } = await engine.snapshot();
    expect(runbook?.steps.find(({ id }) => id === 'start-services')?.output).toBe('no licence here\n');
    expect(runbook?.steps.find(({ id }) => id === 'prove-alive')?.state).toBe('waiting');
    expect(pbx.pids()).toEqual([]);
    writeFileSync(site.path('licence'), '');
    await goesOn(stage, 'start-services');
  });

  it.concurrent('E5 it starts and dies: one answer is not enough; started by hand and tried again: active', async ({
    onTestFinished: later,
  }) => {
    const folder = newFolder('dies');
    later(async () => {
      await endProcessesOf(folder);
      rmSync(folder, { recursive: true, force: true });
    });
    const stage = await putUp(later, {
      services: ({ passive, port }) => {
        // answers one OPTIONS, and ends
        const answers = [ordinaryAnswer('200 OK')];
        const [program, ...words] = writeSipp(folder, { address: passive, port, transport: 'udp', answers });
        const line = [programPath(program), ...words, '-m', '1'].join(' ');
        const start = [['/bin/sh', '-c', `cd ${folder} && setsid ${line} >out 2>&1 &`]];
        return { start, query: [], proveWithin: '3s' };
      },
    });
    await haltsAt(
      stage,
      'prove-alive',
      /Prove that the PBX answers here: not proven alive within 3 s \(sip: ECONNREFUSED/,
    );
    const { runbook } = await stage.engine.snapshot();
    expect(runbook?.steps.find(({ id }) => id === 'prove-alive')?.onFail).toBe('ask');
    stage.pbx.startByHand();
    await goesOn(stage, 'prove-alive');
  });

  it.concurrent('E5 it starts, but SIP stays silent: halted with the silence as evidence; replaced by hand: active', async ({
    onTestFinished: later,
  }) => {
    let mute: StandbyPbx | null = null;
    const stage = await putUp(later, {
      services: ({ passive, port }) => {
        const silent = makeStandbyPbx({ sip: { address: passive, udpPort: port, reply: 'none' } });
        later(() => silent.end());
        mute = silent;
        return { ...silent.services, proveWithin: '3s' };
      },
    });
    await haltsAt(stage, 'prove-alive', /not proven alive within 3 s \(sip: no answer within 400 ms/);
    const silent = mute as StandbyPbx | null;
    expect(silent?.pids()).not.toEqual([]);
    await silent?.end();
    stage.pbx.startByHand();
    await goesOn(stage, 'prove-alive');
  });
});
