/** What the storeroom is given. Types only. */
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/schema.ts';
import type { Phase, Role, Severity, Verdict } from '../../contract/words.ts';
import type { Clock, Proc, Random, Store } from '../../engine/ports.ts';
import type { Restores } from '../../history/restores.ts';
import type { Patience } from '../patience.ts';
import type { Means } from '../work-of-config.ts';

/** What the storeroom sees of the rest of the engine. */
export interface Around {
  standing(): { role: Role; epoch: number };
  /** a runbook is open: nothing begins */
  runbookOpen(): boolean;
  /** for history */
  moment(): { phase: Phase; verdict: Verdict | null };
}

export interface StoreroomParts {
  clock: Clock;
  proc: Proc;
  random: Random;
  store: Pick<Store, 'event' | 'remember' | 'recall'>;
  restores: Restores;
  folder: DataFolder;
  means: Means;
  config: () => Config;
  around: Around;
  /** takes secrets out of what is shown */
  clean: (text: string) => string;
  /** to people; once for each incident */
  tell: (message: { key: string; severity: Severity; text: string }) => void;
  /** something a screen may show changed */
  onChange: () => void;
  /** what stands restored here, or how it stands, changed */
  onData: () => void;
  /** default: usualPatience */
  patience?: Patience;
}
