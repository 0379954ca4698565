/** Two real engines, paired over TLS, each with its PBX and its data, and a folder that both reach: roles change while both live. */
import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { epochs, minutes, ordered, pairUp, putUpPair, read, saysWell, write } from './planned-pair.ts';

describeWithPeers('switchover and failback', ['kamailio'], () => {
  it(
    'G6 switchover: final backup, restored, no data lost; failback the same, the old active verified first',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive } = await putUpPair(later);
      write(active, 'calls', 'until the final backup');
      write(active, 'memory', 'written while it was stopped');
      const over = await ordered(passive.engine, 'switchover', '--because', 'new disks');
      expect(over).toMatchObject({ exit: 0 });
      expect((await passive.engine.snapshot()).core.phase).toBe('active');
      expect(active.pbx.pids()).toEqual([]);
      expect(passive.pbx.pids().length).toBeGreaterThan(0);
      expect(read(passive, 'calls')).toBe('until the final backup');
      expect(read(passive, 'at-the-end')).toBe('written while it was stopped');
      expect(epochs(nas)).toEqual(['epoch-1']);
      await active.engine.phase('watching');

      // The way home, with what the other one wrote meanwhile.
      write(passive, 'calls', 'from the other side');
      write(passive, 'memory', 'and its last words');
      await active.engine.until('the other one to say that it serves well', saysWell);
      const back = await ordered(active.engine, 'failback', '--json');
      expect(back).toMatchObject({ exit: 0 });
      expect(JSON.parse(back.out)).toMatchObject({ promoted: true, runbook: { kind: 'failback', status: 'done' } });
      expect(read(active, 'calls')).toBe('from the other side');
      expect(read(active, 'at-the-end')).toBe('and its last words');
      expect(passive.pbx.pids()).toEqual([]);
      expect(active.pbx.pids().length).toBeGreaterThan(0);
      expect(epochs(nas)).toEqual(['epoch-1', 'epoch-2']);
      await passive.engine.phase('watching');
    },
    4 * minutes,
  );

  it(
    'G6 stopped before the point of no return, which the plan names: the pair is as it was',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive, gate } = await putUpPair(later);
      write(active, 'calls', 'here');
      const plan = await ordered(passive.engine, 'switchover', '--dry-run');
      expect(plan).toMatchObject({ exit: 0 });
      expect(plan.out).toMatch(/3\. Restore it here and verify it\n.*point of no return.*\n.*4\. Claim the epoch/);
      const pids = active.pbx.pids();
      writeFileSync(gate, '');
      expect(await ordered(passive.engine, 'switchover', '--no-wait')).toMatchObject({ exit: 0 });
      await active.engine.until('the final backup to be under way', ({ backups }) => backups.work?.kind === 'backup');
      expect((await passive.engine.cancel('not today')).accepted).toBe(true);
      await passive.engine.until('it to be taken back', ({ runbook }) => runbook?.status === 'cancelled');
      rmSync(gate);
      await passive.engine.phase('watching');
      await passive.engine.rounds(4);
      expect((await active.engine.snapshot()).core.phase).toBe('serving');
      expect(active.pbx.pids()).toEqual(pids);
      expect(passive.pbx.pids()).toEqual([]);
      expect(epochs(nas)).toEqual([]);
      // The backup itself is one like any other, and comes here as the spare's restores do.
      const { runbook } = await passive.engine.snapshot();
      expect(runbook?.steps.find(({ id }) => id === 'restore-final')).toMatchObject({ state: 'waiting' });
    },
    3 * minutes,
  );

  it(
    'G6 when no calls are active: it waits before the claim; where that cannot be told it is refused at once',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive, callsActive } = await putUpPair(later);
      const blind = await ordered(passive.engine, 'switchover', '--when-idle');
      expect(blind.exit).toBe(1);
      expect(blind.out).toMatch(/how many calls are active cannot be told there: `.*cat .*` ended with 1/);
      expect((await active.engine.snapshot()).core.phase).toBe('serving');
      await passive.engine.phase('watching');

      callsActive(2);
      write(active, 'calls', 'while somebody speaks');
      expect(await ordered(passive.engine, 'switchover', '--when-idle', '--no-wait')).toMatchObject({ exit: 0 });
      const waiting = await passive.engine.until('it to wait', ({ runbook }) =>
        runbook?.steps.some(({ id, state, output }) => id === 'wait-idle' && state === 'running' && output !== ''),
      );
      expect(waiting.runbook?.steps.find(({ id }) => id === 'wait-idle')?.output).toBe('2 calls are active\n');
      expect(epochs(nas)).toEqual([]);
      expect(active.pbx.pids().length).toBeGreaterThan(0);
      write(active, 'calls', 'until the last word');
      callsActive(0);
      await passive.engine.phase('active', 2 * minutes);
      expect(active.pbx.pids()).toEqual([]);
      expect(read(passive, 'calls')).toBe('until the last word');
      expect(epochs(nas)).toEqual(['epoch-1']);
    },
    4 * minutes,
  );

  it(
    'G6 given up after the other node stood down: it says that neither serves, and what it says brings the other one back',
    async ({ onTestFinished: later }) => {
      const { nas, active, passive, twice } = await putUpPair(later);
      write(active, 'calls', 'here');
      writeFileSync(passive.broken, '');
      const over = await ordered(passive.engine, 'switchover');
      expect(over.exit).toBe(1);
      expect(over.out).toMatch(
        /the other node has stood down, and services may be running here.*`estepe promote` here goes on.*`estepe cancel` here, then `estepe promote --because …` there/,
      );
      const givenUp = await passive.engine.cli('cancel', '--because', 'the new one does not start');
      expect(givenUp).toMatchObject({ exit: 0 });
      expect(givenUp.out).toMatch(/neither node serves now.*`estepe promote --because …` there brings that one back/);
      expect([active.pbx.pids(), passive.pbx.pids()]).toEqual([[], []]);

      const back = await active.engine.cli('promote', '--because', 'the other one does not start');
      expect(back).toMatchObject({ exit: 0 });
      expect((await active.engine.snapshot()).nodes.find(({ self }) => self)).toMatchObject({
        role: 'active',
        epoch: 2,
      });
      expect(active.pbx.pids().length).toBeGreaterThan(0);
      expect(read(active, 'calls')).toBe('here');
      await passive.engine.phase('watching');
      expect(passive.pbx.pids()).toEqual([]);
      expect(epochs(nas)).toContain('epoch-2');
      expect(twice()).toBe(0);
    },
    4 * minutes,
  );

  it(
    'G6 refused by a named guard: not paired, maintenance, not healthy for long enough',
    async ({ onTestFinished: later }) => {
      const here = await putUpPair(later, { pair: false, stable: '1h' });
      const { active, passive } = here;
      const alone = await passive.engine.cli('switchover', '--json');
      expect(alone.exit).toBe(1);
      expect((JSON.parse(alone.out) as { refusedBy: string[] }).refusedBy).toContain('peer-link');
      await pairUp(here);
      const early = await ordered(passive.engine, 'failback');
      expect(early).toMatchObject({ exit: 1, out: expect.stringContaining('stable-for') });
      // The way home does not lead to the node that starts as the passive one, nor to the one that is active already.
      expect(early.out).toMatch(/home-node.*the way home leads to the other one: order it there/);
      const there = await active.engine.cli('failback');
      expect(there).toMatchObject({ exit: 1, out: expect.stringContaining('it is serving now') });
      await passive.engine.maintenanceOn(10 * minutes);
      const during = await passive.engine.cli('switchover');
      expect(during).toMatchObject({ exit: 1, out: expect.stringContaining('no-maintenance') });
      expect((await active.engine.snapshot()).core.phase).toBe('serving');
      expect((await passive.engine.snapshot()).runbook).toBeNull();
    },
    3 * minutes,
  );
});
