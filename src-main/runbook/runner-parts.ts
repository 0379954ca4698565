/** What the runner is given of the world around it. Types only. */
import type { Clock, Proc, Random, RunbookRecord, Store } from '../engine/ports.ts';
import type { Step } from './step.ts';

export interface RunnerParts {
  clock: Clock;
  store: Store;
  random: Random;
  proc: Proc;
  /** the steps of this runbook by the configuration as it is now, in order */
  stepsFor: (record: Pick<RunbookRecord, 'kind' | 'steps' | 'dryRun'>) => readonly Step[];
  /** Waits for a proof that the other node is down: null, or why there is none. A person's override stands for it. */
  whyNotDown: (record: RunbookRecord, signal: AbortSignal) => Promise<string | null>;
  /** a risk that people must hear of, written in history already; must not throw */
  tell?: (message: { key: string; severity: 'alert'; text: string }) => void;
  /** something a screen or a rule may care about changed */
  onChange: () => void;
}
