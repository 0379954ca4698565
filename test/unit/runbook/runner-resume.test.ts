import { describe, expect, it } from 'vitest';
import { done, failure, type StepEnd } from '../../../src-main/runbook/step.ts';
import { bench, failing, ids, journaled, onDisk, start } from './runner-bench.ts';
import { lasting, refuseWriting, stepOf } from './workbench.ts';

describe('halted', () => {
  it('goes on with the step that failed, not with those that are done', async () => {
    const b = bench(stepOf('start-services', failing(1, failure('no licence')), { pointOfNoReturn: true }));
    await b.run();
    expect(onDisk(b.history)).toBe('halted: Step start-services: no licence');
    b.runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await b.settled();
    expect(b.ran).toEqual(['guards 1', 'before-script 1', 'start-services 1', 'start-services 2', 'flip-standing 1']);
    expect(onDisk(b.history)).toBe('done: every step is done');
  });

  it('goes on without the step, which the journal says', async () => {
    const b = bench(stepOf('before-script', () => failure('no'), { onFail: 'ask' }));
    await b.run();
    expect(b.runner.facts()).toMatchObject({ status: 'halted', skippable: true });
    b.runner.resume({ skipStep: true, by: 'console', overrides: [] });
    await b.settled();
    expect(journaled(b.history)).toEqual([
      'guards 1 done',
      'before-script 1 failed',
      'before-script 2 skipped',
      // it stood still: what justified it is seen again
      'guards 2 done',
      'start-services 1 done',
      'flip-standing 1 done',
    ]);
    expect(b.history.lastRunbook()?.entries[2]?.result?.sentence).toBe('left out by console');
  });

  it('given up before the point of no return: cancelled, nothing is stopped that was not started', async () => {
    const b = bench(stepOf('before-script', () => failure('no')));
    await b.run();
    b.runner.abandon('console gave it up');
    await b.settled();
    expect(onDisk(b.history)).toBe('cancelled: console gave it up');
    expect(b.ran).not.toContain('stop-services 1');
  });

  it('given up after it: what it started is stopped first', async () => {
    const b = bench(stepOf('flip-standing', () => failure('no')));
    await b.run();
    b.runner.abandon('console gave it up');
    await b.settled();
    expect(b.ran.slice(-2)).toEqual(['flip-standing 1', 'stop-services 1']);
    expect(onDisk(b.history)).toBe('cancelled: console gave it up');
  });

  it('given up, and it cannot be stopped: halted with the reason, and may be given up again', async () => {
    const b = bench(
      stepOf('flip-standing', () => failure('no')),
      stepOf('stop-services', failing(1, failure('`stop` ended with 1'))),
    );
    await b.run();
    b.runner.abandon('console gave it up');
    await b.settled();
    expect(onDisk(b.history)).toMatch(/^halted: .*`stop` ended with 1$/);
    b.runner.abandon('console gave it up again');
    await b.settled();
    expect(onDisk(b.history)).toBe('cancelled: console gave it up again');
  });

  it('F1 given up and cut off while stopping: the next life stops, and does not take over after all', async () => {
    const b = bench(stepOf('flip-standing', () => failure('no')));
    const stops = { hang: true };
    b.all.set(
      'stop-services',
      stepOf('stop-services', () => (stops.hang ? new Promise<StepEnd>(() => {}) : done('stopped'))),
    );
    await b.run();
    b.runner.abandon('console gave it up');
    await b.work.settle();
    stops.hang = false;
    const next = await b.reborn();
    await b.settled(next);
    expect(b.ran.slice(-2)).toEqual(['stop-services 1', 'stop-services 2 in doubt']);
    expect(onDisk(b.history)).toBe('cancelled: console gave it up');
  });

  it('F1 a standing that may have been flipped before the cut is flipped back, though a later attempt failed', async () => {
    const b = bench(stepOf('flip-standing', () => new Promise<StepEnd>(() => {})));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.all.set(
      'flip-standing',
      stepOf('flip-standing', () => ({ ...failure('epoch 9 was claimed'), takeBack: true })),
    );
    await b.settled(await b.reborn());
    expect(b.ran.slice(-3)).toEqual(['flip-standing 2 in doubt', 'stop-services 1', 'flip-standing 3']);
    expect(onDisk(b.history)).toBe('cancelled: epoch 9 was claimed');
  });

  it('stays so over a restart: only a person goes on', async () => {
    const b = bench(stepOf('before-script', () => failure('no')));
    await b.run();
    const next = await b.reborn();
    await b.work.pass(600_000);
    expect(next.facts()).toMatchObject({ status: 'halted', reason: 'Step before-script: no' });
    expect(b.ran).toEqual(['guards 1', 'before-script 1']);
  });
});

describe('F1 resumed after kill -9', () => {
  const hanging = (): Promise<StepEnd> => new Promise<StepEnd>(() => {});

  it('before the point of no return: leftovers end first, the guards are asked again, then the step in doubt is repeated', async () => {
    const b = bench(stepOf('before-script', hanging));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.proc.leftovers.set('t2', 3);
    b.all.set(
      'before-script',
      stepOf('before-script', () => done('this time')),
    );
    const next = await b.reborn();
    await b.settled(next);
    expect(b.ran).toEqual([
      'guards 1',
      'before-script 1',
      'guards 2',
      'before-script 2 in doubt',
      'start-services 1',
      'flip-standing 1',
    ]);
    expect(b.proc.leftovers.size).toBe(0);
    expect(b.history.events({ limit: 50 }).map((e) => e.reason)).toContain(
      '3 processes of the earlier attempt of before-script ended',
    );
    expect(onDisk(b.history)).toMatch(/^done/);
  });

  it('before it, and the guards no longer hold: taken back', async () => {
    const b = bench(stepOf('before-script', hanging));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.all.set(
      'guards',
      stepOf('guards', () => ({ ...failure('it answers again'), takeBack: true }), { repeatOnResume: true }),
    );
    await b.settled(await b.reborn());
    expect(onDisk(b.history)).toBe('cancelled: it answers again');
    expect(b.ran).toEqual(['guards 1', 'before-script 1', 'guards 2']);
  });

  it('after it: goes on and asks no guards', async () => {
    const b = bench(stepOf('start-services', hanging, { pointOfNoReturn: true }));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.all.set(
      'start-services',
      stepOf('start-services', () => done('they run already'), { pointOfNoReturn: true }),
    );
    await b.settled(await b.reborn());
    expect(b.ran).toEqual([
      'guards 1',
      'before-script 1',
      'start-services 1',
      'start-services 2 in doubt',
      'flip-standing 1',
    ]);
  });

  it('between two steps: nothing that is done is repeated but the guards', async () => {
    const b = bench();
    // The intent of the next step is refused, as if the power went just then.
    const heal = refuseWriting(b.history, 'UPDATE ON journal');
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    heal();
    expect(b.ran).toEqual(['guards 1']);
    await b.settled(await b.reborn());
    expect(b.ran).toEqual(['guards 1', 'guards 2 in doubt', 'before-script 1', 'start-services 1', 'flip-standing 1']);
  });

  it('an orderly end in the middle leaves it open: the step is told to stop, and is repeated by the next life', async () => {
    const b = bench();
    b.all.set('before-script', stepOf('before-script', lasting(b.work, 30_000)));
    b.runner.begin({ ...start, steps: ids });
    await b.work.pass(1_000);
    await b.runner.stop();
    expect(onDisk(b.history)).toBe('running');
    expect(journaled(b.history)).toEqual(['guards 1 done', 'before-script 1 failed']);
    await b.settled(await b.reborn());
    expect(journaled(b.history).slice(2)).toEqual([
      'guards 2 done',
      'before-script 2 done',
      'start-services 1 done',
      'flip-standing 1 done',
    ]);
  });

  it('again and again: each life adds an attempt, and it ends', async () => {
    const b = bench(stepOf('start-services', hanging, { pointOfNoReturn: true }));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    for (let n = 0; n < 5; n += 1) await b.reborn();
    b.all.set(
      'start-services',
      stepOf('start-services', () => done('started'), { pointOfNoReturn: true }),
    );
    await b.settled(await b.reborn());
    expect(
      journaled(b.history)
        .filter((e) => e.startsWith('start'))
        .map((e) => e.split(' ').slice(1).join(' ')),
    ).toEqual([...[1, 2, 3, 4, 5, 6].map((n) => `${n} in doubt`), '7 done']);
  });
});

describe('a gap in the watch', () => {
  it('C1 before the point of no return the guards are asked again; after it they are not', async () => {
    const b = bench();
    b.all.set('before-script', stepOf('before-script', lasting(b.work, 30_000)));
    b.all.set('start-services', stepOf('start-services', lasting(b.work, 30_000), { pointOfNoReturn: true }));
    b.runner.begin({ ...start, steps: ids });
    await b.work.pass(1_000);
    b.runner.askAnew();
    await b.work.pass(40_000);
    b.runner.askAnew();
    await b.settled();
    expect(b.ran).toEqual(['guards 1', 'before-script 1', 'guards 2', 'start-services 1', 'flip-standing 1']);
  });
});
