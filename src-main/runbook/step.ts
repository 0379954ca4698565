/** What a step of a runbook is. Steps know their effect; the journal, retries and order belong to the runner. */
import type { OnFail, StepId } from '../contract/words.ts';
import type { RunbookRecord, StepResult } from '../engine/ports.ts';

export interface StepContext {
  runbook: RunbookRecord;
  /** null before the claim */
  epoch: number | null;
  /** 1 for the first; every further one is a repetition that the step is told of */
  attempt: number;
  dryRun: boolean;
  /** an earlier attempt was cut off by the end of this process: its effect is in doubt */
  inDoubt: boolean;
  runToken: string;
  signal: AbortSignal;
  onOutput: (chunk: string) => void;
  /** durably notes the epoch that this runbook claims, before the claim: a resumed one claims the same again */
  goUnder: (epoch: number) => void;
  /** ends what cut-off attempts of this step left running; only of use where `keepsLeftovers` */
  endLeftovers: () => Promise<void>;
}

export type StepEnd = StepResult & {
  /** failed, and worth another attempt */
  again?: boolean;
  /** failed for good, and the runbook is to be taken back rather than halted (another node owns the epoch) */
  takeBack?: boolean;
  /** a risk that people must hear of although the runbook goes on: a sentence, told once for the attempt */
  alert?: string;
};

export interface Step {
  id: StepId;
  title: string;
  /** what it comes to on this site, for the plan; empty where the title says it all */
  detail: string;
  timeoutMs: number;
  /** further attempts after one that ended with `again` */
  retries: number;
  onFail: OnFail;
  /** once its intent is journaled, the runbook is no longer taken back by itself */
  pointOfNoReturn: boolean;
  /** what stays behind when the runbook is taken back after this step was begun; empty: nothing */
  remains?: string | ((record: RunbookRecord) => string);
  /** once this step was begun, what a person has to know who finds the runbook halted; empty: nothing beyond the reason */
  ifHalted?: (record: RunbookRecord) => string;
  /**
   * What a cut-off attempt left running may be just what the step is for (a PBX that serves): a resumed runbook does not end
   * it, the step looks at it first and ends it itself. Other leftovers are ended before anything begins.
   */
  keepsLeftovers?: true;
  /** Whether what it did, once done, is still so: asked when the runbook is resumed past it. Never rejects. */
  stillHolds?(signal: AbortSignal): Promise<boolean>;
  /** it shows that this other step worked, and is repeated with it */
  proves?: StepId;
  /** repeated at the start of a resumed runbook that is before its point of no return */
  repeatOnResume: boolean;
  run(context: StepContext): Promise<StepEnd>;
}

/** How a node that serves ceases to. */
export const standDownStepIds: readonly StepId[] = ['stop-services', 'flip-standing'];

export const done = (sentence: string, output = ''): StepEnd => ({ outcome: 'done', sentence, output });
export const failure = (sentence: string, output = ''): StepEnd => ({ outcome: 'failed', sentence, output });
