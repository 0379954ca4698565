/** A runner over a real journal, with steps that are told what to do: for the tests of what it journals, repeats and leaves. */
import type { StepId } from '../../../src-main/contract/words.ts';
import type { RunbookRecord } from '../../../src-main/engine/ports.ts';
import type { History } from '../../../src-main/history/history.ts';
import { Runner } from '../../../src-main/runbook/runner.ts';
import { done, type Step, type StepEnd } from '../../../src-main/runbook/step.ts';
import { Clockwork } from '../clockwork.ts';
import { newHistory } from '../history/workbench.ts';
import { countedTokens, StagedProc, stepOf } from './workbench.ts';

export const start = {
  kind: 'promotion',
  origin: 'automatic',
  by: 'Estepe',
  because: 'it is dead',
  overrides: [],
  epoch: null,
  dryRun: false,
} as const;
export const ids: readonly StepId[] = ['guards', 'before-script', 'start-services', 'flip-standing'];

/** A runner over a real journal, with steps that are told what to do; `live` begins a further life on the same journal. */
export function bench(...steps: Step[]) {
  const work = new Clockwork();
  const history = newHistory();
  const proc = new StagedProc(work);
  const random = countedTokens();
  const ran: string[] = [];
  const plain: Step[] = [
    stepOf('guards', () => done('they hold'), { repeatOnResume: true }),
    stepOf('before-script', () => done('said goodbye')),
    stepOf('start-services', () => done('started'), { pointOfNoReturn: true }),
    stepOf('flip-standing', () => done('active')),
    stepOf('stop-services', () => done('stopped')),
  ];
  const all = new Map([...plain, ...steps].map((s) => [s.id, s]));
  const noting = (s: Step): Step => ({
    ...s,
    run: (c) => {
      ran.push(`${s.id} ${c.attempt}${c.inDoubt ? ' in doubt' : ''}`);
      return s.run(c);
    },
  });
  // Leading back, the same step makes the node passive.
  const flipBack = stepOf('flip-standing', () => done('passive'));
  const stepsFor = ({ kind, steps }: Pick<RunbookRecord, 'kind' | 'steps'>): Step[] =>
    steps.flatMap((id) => (kind === 'stand-down' && id === flipBack.id ? flipBack : (all.get(id) ?? []))).map(noting);
  const live = (): Runner =>
    new Runner({
      clock: work.clock,
      store: history,
      random,
      proc,
      stepsFor,
      whyNotDown: async () => null,
      onChange: () => {},
    });
  const here = { work, history, proc, ran, all, live, runner: live() };
  return {
    ...here,
    /** Begins and waits for the end, or for the halt. */
    async run(steps: readonly StepId[] = ids): Promise<void> {
      here.runner.begin({ ...start, steps });
      await work.until('the end of the runbook', () => here.runner.facts()?.status !== 'running');
    },
    settled: (runner = here.runner) => work.until('an end', () => runner.facts()?.status !== 'running'),
    /** kill -9, and the next start. */
    async reborn(): Promise<Runner> {
      work.die();
      const next = live();
      next.recover();
      await work.settle();
      return next;
    },
  };
}

/** `guards 1 done`, `before-script 2 in doubt` …: the journal as it lies on disk. */
export const journaled = (history: History): string[] =>
  (history.lastRunbook()?.entries ?? []).map((e) => `${e.step} ${e.attempt} ${e.result?.outcome ?? 'in doubt'}`);
export const onDisk = (history: History): string => {
  const r = history.lastRunbook();
  return `${r?.status}${r?.reason ? `: ${r.reason}` : ''}`;
};
export const failing = (times: number, end: StepEnd): (() => StepEnd) => {
  let n = 0;
  return () => (++n <= times ? end : done('at last'));
};
