import { describe, expect, it } from 'vitest';
import type { StepId } from '../../../src-main/contract/words.ts';
import { Runner } from '../../../src-main/runbook/runner.ts';
import { done, failure, type Step, type StepEnd } from '../../../src-main/runbook/step.ts';
import { bench, failing, ids, journaled, onDisk, start } from './runner-bench.ts';
import { countedTokens, lasting, StagedProc, stepOf } from './workbench.ts';

describe('a runbook', () => {
  it('goes through its steps in order and ends done', async () => {
    const { run, history, ran } = bench();
    await run();
    expect(ran).toEqual(['guards 1', 'before-script 1', 'start-services 1', 'flip-standing 1']);
    expect(journaled(history)).toEqual(ids.map((id) => `${id} 1 done`));
    expect(onDisk(history)).toBe('done: every step is done');
    expect(history.openRunbook()).toBeNull();
  });

  it('an intent is on disk before its effect, the result after it and not before (invariant 4)', async () => {
    const seen: string[][] = [];
    const look = (): StepEnd => {
      seen.push(journaled(history));
      return done('seen');
    };
    const { run, history } = bench(stepOf('guards', look), stepOf('before-script', look));
    await run();
    expect(seen).toEqual([['guards 1 in doubt'], ['guards 1 done', 'before-script 1 in doubt']]);
  });

  it('only one is open: a second is not begun, and says why', async () => {
    const { runner, work, ran, history } = bench(stepOf('guards', () => new Promise<StepEnd>(() => {})));
    runner.begin({ ...start, steps: ids });
    await work.settle();
    const second = new Runner({
      whyNotDown: async () => null,
      clock: work.clock,
      store: history,
      random: countedTokens(),
      proc: new StagedProc(work),
      stepsFor: () => [],
      onChange: () => {},
    });
    second.begin({ ...start, steps: ids });
    expect(second.facts()).toMatchObject({ id: 0, status: 'halted', reason: expect.stringContaining('has not ended') });
    expect(ran).toEqual(['guards 1']);
  });

  it('tells what the running step says, the newest of it', async () => {
    const { runner, work } = bench(
      stepOf('guards', (c) => {
        c.onOutput('x'.repeat(20_000));
        c.onOutput('the end');
        return new Promise<StepEnd>(() => {});
      }),
    );
    runner.begin({ ...start, steps: ids });
    await work.settle();
    expect(runner.live).toMatchObject({ step: 'guards', attempt: 1, output: expect.stringMatching(/xthe end$/) });
    expect(runner.live?.output).toHaveLength(16_384);
  });
});

describe('a step that fails', () => {
  const again = { ...failure('ended with 1'), again: true };

  it.each([
    ['once, and asks for another try', failing(1, again), 2, ['failed', 'done'], 'done: every step is done'],
    [
      'as often as there are tries',
      failing(9, again),
      2,
      ['failed', 'failed', 'failed'],
      'halted: Step before-script: ended with 1',
    ],
    ['for good', failing(1, failure('ended with 2')), 2, ['failed'], 'halted: Step before-script: ended with 2'],
    ['and asks, but has no further try', failing(1, again), 0, ['failed'], 'halted: Step before-script: ended with 1'],
  ])('%s', async (_, run, retries, outcomes, end) => {
    const b = bench(stepOf('before-script', run, { retries }));
    await b.run();
    expect(journaled(b.history).filter((e) => e.startsWith('before'))).toEqual(
      outcomes.map((o, n) => `before-script ${n + 1} ${o}`),
    );
    expect(onDisk(b.history)).toBe(end);
  });

  it('is tried again after a pause', async () => {
    const b = bench(stepOf('before-script', failing(1, again), { retries: 1 }));
    await b.run();
    const [, first, second] = b.history.lastRunbook()?.entries ?? [];
    expect((second?.intentAt ?? 0) - (first?.resultAt ?? 0)).toBe(2_000);
  });

  it('where failing is allowed, is passed over', async () => {
    const b = bench(stepOf('before-script', () => failure('no matter'), { onFail: 'continue' }));
    await b.run();
    expect(journaled(b.history)).toEqual([
      'guards 1 done',
      'before-script 1 failed',
      'start-services 1 done',
      'flip-standing 1 done',
    ]);
    expect(onDisk(b.history)).toMatch(/^done/);
  });

  it('by an exception, is one that failed, with its words', async () => {
    const b = bench(stepOf('before-script', () => Promise.reject(new Error('the socket is gone'))));
    await b.run();
    expect(onDisk(b.history)).toBe('halted: Step before-script: the socket is gone');
  });

  it('and takes the runbook back, is no halt', async () => {
    const b = bench(stepOf('guards', () => ({ ...failure('it answers again'), takeBack: true })));
    await b.run();
    expect(onDisk(b.history)).toBe('cancelled: it answers again');
    expect(b.ran).toEqual(['guards 1']);
  });

  it('and takes it back past the point of no return, stops first what was started', async () => {
    const b = bench(stepOf('flip-standing', () => ({ ...failure('epoch 9 was claimed'), takeBack: true })));
    await b.run();
    expect(b.ran.slice(-2)).toEqual(['flip-standing 1', 'stop-services 1']);
    expect(onDisk(b.history)).toBe('cancelled: epoch 9 was claimed');
  });
});

describe('a step that takes too long', () => {
  it('is told to stop, and fails with both: that it was late, and what it said', async () => {
    const b = bench();
    b.all.set('before-script', stepOf('before-script', lasting(b.work, 90_000), { timeoutMs: 60_000 }));
    await b.run();
    expect(onDisk(b.history)).toBe('halted: Step before-script: did not end within 1 min: was told to stop');
    expect(b.work.time.now).toBe(60_000);
  });

  it('and does not stop when told, is left behind; what it answers later counts for nothing', async () => {
    const b = bench();
    const deaf = (): Promise<StepEnd> =>
      new Promise((go) => void b.work.clock.after(100_000, () => go(done('after all'))));
    b.all.set('before-script', stepOf('before-script', deaf, { timeoutMs: 60_000 }));
    await b.run();
    expect(onDisk(b.history)).toBe(
      'halted: Step before-script: did not end within 1 min: did not end within 1 min and did not stop when told',
    );
    expect(b.work.time.now).toBe(75_000);
    await b.work.pass(60_000);
    expect(journaled(b.history)).toEqual(['guards 1 done', 'before-script 1 failed']);
    expect(onDisk(b.history)).toMatch(/^halted/);
  });

  it('but ends well when told, is done', async () => {
    const b = bench();
    const tidy: Step['run'] = (c) =>
      new Promise((go) => c.signal.addEventListener('abort', () => go(done('had just finished'))));
    b.all.set('before-script', stepOf('before-script', tidy, { timeoutMs: 60_000 }));
    await b.run();
    expect(onDisk(b.history)).toMatch(/^done/);
  });
});

describe('cancelling', () => {
  const waits = (b: ReturnType<typeof bench>, id: StepId, change: Partial<Step> = {}): void =>
    void b.all.set(id, stepOf(id, lasting(b.work, 30_000), change));

  it('before the point of no return: the step is told to stop and the runbook taken back', async () => {
    const b = bench();
    waits(b, 'before-script');
    b.runner.begin({ ...start, steps: ids });
    await b.work.pass(1_000);
    b.runner.cancel('console cancelled it');
    b.runner.cancel('and again');
    expect(b.runner.facts()).toMatchObject({ status: 'running', cancelling: true, committed: false });
    await b.settled();
    expect(onDisk(b.history)).toBe('cancelled: console cancelled it');
    expect(b.ran).toEqual(['guards 1', 'before-script 1']);
  });

  it('after it: halts, says that services may be running, and leaves it to a person', async () => {
    const b = bench();
    waits(b, 'start-services', { pointOfNoReturn: true });
    b.runner.begin({ ...start, steps: ids });
    await b.work.pass(1_000);
    expect(b.runner.facts()).toMatchObject({ committed: true });
    b.runner.cancel('console cancelled it');
    await b.settled();
    expect(onDisk(b.history)).toBe('halted: console cancelled it; services may be running here already');
  });

  it('in the pause before another try', async () => {
    const b = bench(stepOf('before-script', () => ({ ...failure('no'), again: true }), { retries: 5 }));
    b.runner.begin({ ...start, steps: ids });
    await b.work.pass(1_000);
    b.runner.cancel('enough');
    await b.settled();
    expect(journaled(b.history).filter((e) => e.startsWith('before'))).toHaveLength(1);
    expect(onDisk(b.history)).toBe('cancelled: enough');
  });

  it('a step that ended well in that very moment is journaled as done, and the runbook is taken back all the same', async () => {
    const b = bench();
    waits(b, 'before-script');
    b.all.set(
      'before-script',
      stepOf('before-script', (c) => new Promise((go) => c.signal.addEventListener('abort', () => go(done('just'))))),
    );
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.runner.cancel('late');
    await b.settled();
    expect(journaled(b.history)).toEqual(['guards 1 done', 'before-script 1 done']);
    expect(onDisk(b.history)).toBe('cancelled: late');
  });

  it('F1 is not undone by dying before it came to its end', async () => {
    const b = bench(stepOf('before-script', () => new Promise<StepEnd>(() => {})));
    b.runner.begin({ ...start, steps: ids });
    await b.work.settle();
    b.runner.cancel('console cancelled it');
    const next = await b.reborn();
    await b.settled(next);
    expect(onDisk(b.history)).toBe('cancelled: console cancelled it');
    expect(b.ran).toEqual(['guards 1', 'before-script 1']);
  });
});
