/** F3: the machine is started again, or Estepe is upgraded, in the middle of a promotion. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { startEngine } from './engine-process.ts';
import { answersSip, expectNothingLost, told } from './evidence.ts';
import { putUp } from './one-pbx.ts';
import type { Site } from './site.ts';
import { endProcessesOf } from './standby-pbx.ts';

/** The first time it waits for ever, having said so. */
const waitsOnce = (name: string): string =>
  [
    'd="$(dirname "$0")/.."',
    `echo ${name} >>"$d/ran"`,
    `if [ -e "$d/wait" ]; then rm "$d/wait"; touch "$d/waits"; sleep 600; exit 1; fi`,
  ].join('\n');
const waits = (site: Site) => () => existsSync(site.path('waits'));

describeWithPeers('F3 a promotion that is met by a start of its machine', ['kamailio'], () => {
  it('F3 the machine starts again while the after-script runs: the PBX that was started is gone, and is started again', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, pbx, site, passive, port } = await putUp(later, {
      scripts: { 'after.sh': waitsOnce('after') },
      promotion: { scripts: { after: 'after.sh' } },
    });
    writeFileSync(site.path('wait'), '');
    await active.kill();
    await until('the after-script to run', waits(site));
    expect(await answersSip(passive, port)).toBe(true);
    // All of the machine is gone at once.
    await engine.kill();
    await endProcessesOf(pbx.folder);
    await endProcessesOf(site.path('scripts'));
    expect(await answersSip(passive, port)).toBe(false);

    const next = await startEngine(site);
    later(() => next.stop());
    const { runbook } = await next.phase('active');
    expect(runbook).toMatchObject({ id: 1, status: 'done', epoch: 1 });
    await until('the PBX to answer', () => answersSip(passive, port));
    const events = await next.events();
    expectNothingLost(events);
    expect(told(events)).toContain('promoted');
    expect(site.lines('ran')).toEqual(['after', 'after']);
  });

  it('F3 Estepe is upgraded while the before-script runs: ended in order, the next one goes on under the same epoch', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, site, passive, port } = await putUp(later, {
      scripts: { 'before.sh': waitsOnce('before') },
      promotion: { scripts: { before: 'before.sh' } },
    });
    writeFileSync(site.path('wait'), '');
    await active.kill();
    await until('the before-script to run', waits(site));
    await engine.stop();
    expect(readFileSync(site.path('logs', 'estepe.log'), 'utf8')).toMatch(
      /stopping: SIGTERM\n[\s\S]*Estepe has stopped\n$/,
    );
    const next = await startEngine(site);
    later(() => next.stop());
    const { runbook } = await next.phase('active');
    expect(runbook).toMatchObject({ id: 1, status: 'done', epoch: 1 });
    expect(await answersSip(passive, port)).toBe(true);
    expectNothingLost(await next.events());
    expect(site.lines('ran')).toEqual(['before', 'before']);
  });
});
