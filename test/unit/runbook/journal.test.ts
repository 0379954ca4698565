import { describe, expect, it } from 'vitest';
import type { StepId } from '../../../src-main/contract/words.ts';
import { Runner } from '../../../src-main/runbook/runner.ts';
import { done, type Step } from '../../../src-main/runbook/step.ts';
import { Clockwork } from '../clockwork.ts';
import { newHistory } from '../history/workbench.ts';
import { countedTokens, refuseWriting, StagedProc, stepOf } from './workbench.ts';

const start = {
  kind: 'promotion',
  origin: 'person',
  by: 'console',
  because: 'it is dead',
  overrides: [],
  epoch: null,
  dryRun: false,
} as const;
const ids: readonly StepId[] = ['guards', 'start-services'];

/** Two steps over a real journal that can be made unwritable. */
function bench(change: Partial<Step> = {}) {
  const work = new Clockwork();
  const history = newHistory();
  const ran: string[] = [];
  const effect = { during: (): void => {} };
  const step = (id: StepId): Step =>
    stepOf(
      id,
      (c) => {
        ran.push(`${id} ${c.attempt}${c.inDoubt ? ' in doubt' : ''}`);
        effect.during();
        return done('done');
      },
      change,
    );
  const parts = {
    clock: work.clock,
    store: history,
    random: countedTokens(),
    proc: new StagedProc(work),
    onChange: () => {},
  };
  const runner = new Runner({ ...parts, whyNotDown: async () => null, stepsFor: () => ids.map(step) });
  return { work, history, ran, effect, runner, begin: () => runner.begin({ ...start, steps: ids }) };
}

describe('a journal that cannot be written (D6, invariant 4)', () => {
  it('at the begin: nothing is done, it counts as halted with the reason; going on begins it', async () => {
    const { work, history, ran, runner, begin } = bench();
    const heal = refuseWriting(history, 'INSERT ON runbook');
    begin();
    await work.settle();
    expect(ran).toEqual([]);
    expect(runner.facts()).toMatchObject({
      id: 0,
      status: 'halted',
      committed: false,
      reason: expect.stringMatching(/^it cannot be journaled .*; nothing was done$/),
    });
    runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await work.settle();
    expect(runner.facts()).toMatchObject({ status: 'halted' });
    heal();
    runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await work.until('the end', () => runner.facts()?.status === 'done');
    expect(ran).toEqual(['guards 1', 'start-services 1']);
  });

  it('at the begin, and it is given up: cancelled, and nothing was done', async () => {
    const { history, ran, runner, begin } = bench();
    refuseWriting(history, 'INSERT ON runbook');
    begin();
    runner.abandon('console gave it up');
    expect(runner.facts()).toMatchObject({ status: 'cancelled', reason: 'console gave it up' });
    expect([ran, history.lastRunbook()]).toEqual([[], null]);
  });

  it('at an intent: the effect does not happen, it stands still and says so; going on does it once', async () => {
    const { work, history, ran, runner, begin, effect } = bench();
    let heal = (): void => {};
    effect.during = () => {
      if (ran.length === 1) heal = refuseWriting(history, 'INSERT ON journal');
    };
    begin();
    await work.settle();
    expect(ran).toEqual(['guards 1']);
    expect(runner.facts()).toMatchObject({
      status: 'halted',
      reason: expect.stringMatching(/^the journal cannot be written .*; nothing more was done$/),
    });
    expect(history.openRunbook()?.status).toBe('running');
    heal();
    runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await work.until('the end', () => runner.facts()?.status === 'done');
    expect(ran).toEqual(['guards 1', 'start-services 1']);
  });

  it('at a result: it stands still; when it can be written again the step counts as done and is not repeated', async () => {
    const { work, history, ran, runner, begin, effect } = bench();
    let heal = (): void => {};
    effect.during = () => {
      if (ran.length === 1) heal = refuseWriting(history, 'UPDATE ON journal');
    };
    begin();
    await work.settle();
    expect(runner.facts()).toMatchObject({
      status: 'halted',
      reason: expect.stringContaining('the journal cannot be written'),
    });
    heal();
    runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await work.until('the end', () => runner.facts()?.status === 'done');
    expect(ran).toEqual(['guards 1', 'start-services 1']);
    expect(history.lastRunbook()?.entries.map((e) => e.result?.outcome)).toEqual(['done', 'done']);
  });

  it('at its very end: every step stands in the journal, and going on only ends it', async () => {
    const { work, history, ran, runner, begin, effect } = bench();
    let heal = (): void => {};
    effect.during = () => {
      if (ran.length === 2) heal = refuseWriting(history, 'UPDATE ON runbook');
    };
    begin();
    await work.settle();
    expect(runner.facts()).toMatchObject({ status: 'halted' });
    heal();
    runner.resume({ skipStep: false, by: 'console', overrides: [] });
    await work.until('the end', () => runner.facts()?.status === 'done');
    expect(ran).toHaveLength(2);
  });

  it('while a person goes on or gives up: the runbook is left as it is, and they are told', async () => {
    const { work, history, runner, begin, effect } = bench();
    effect.during = () => {
      throw new Error('no');
    };
    begin();
    await work.until('the halt', () => runner.facts()?.status === 'halted');
    const heal = refuseWriting(history, 'UPDATE ON runbook');
    for (const ask of [
      () => runner.resume({ skipStep: false, by: 'console', overrides: [] }),
      () => runner.abandon('enough'),
    ]) {
      ask();
      await work.settle();
      expect(runner.facts()).toMatchObject({ status: 'halted', reason: expect.stringContaining('cannot be written') });
      expect(history.openRunbook()?.status).toBe('halted');
    }
    heal();
    runner.abandon('enough');
    await work.until('the end', () => runner.facts()?.status === 'cancelled');
  });
});
