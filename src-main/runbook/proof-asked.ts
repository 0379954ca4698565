/**
 * What a running runbook asks of the core before it goes on: do the guards still hold, does the other node serve after all?
 * Waits until there is something to judge by; decides nothing of its own.
 */
import { guardsOf, holdingBack, refusing } from '../engine/guards.ts';
import type { CoreState, Observation } from '../engine/observation.ts';
import type { RunbookRecord } from '../engine/ports.ts';

/** The core's newest look, and the wait for the next one. */
export interface Asked {
  state(): CoreState;
  observation(): Observation;
  ended(): boolean;
  next(signal: AbortSignal): Promise<void>;
}

/** The guards once more: waits until the verdict is conclusive. */
export async function guardsHold(
  asked: Asked,
  runbook: RunbookRecord,
  signal: AbortSignal,
): Promise<{ ok: boolean; sentence: string }> {
  for (;;) {
    if (asked.ended() || signal.aborted) return { ok: false, sentence: 'stopped while asking the guards' };
    const guards = guardsOf(asked.state(), asked.observation());
    const { verdict } = asked.state();
    if (verdict !== null && verdict !== 'suspect') {
      // What held when the runbook began and cannot hold again is not asked twice: its own claim begins the cool-down,
      // and a resumed engine has not seen the other node healthy itself.
      const minded = guards.filter((g) => g.name !== 'cool-down' && g.name !== 'seen-healthy');
      const against = runbook.origin === 'person' ? refusing(minded, runbook.overrides) : holdingBack(minded);
      const told = against.length === 0 ? minded : against;
      return { ok: against.length === 0, sentence: told.map((g) => `${g.name}: ${g.evidence}`).join('; ') };
    }
    // A person who ordered it over an unclear verdict gave that override by name.
    if (runbook.origin === 'person' && overrodeProof(runbook) && verdict !== null) {
      const against = refusing(guards, runbook.overrides);
      if (against.length === 0) return { ok: true, sentence: 'ordered over the guard proven-down' };
    }
    await asked.next(signal);
  }
}

/** What proves that the other node serves, once there is a round to judge by; null where a person overrode `proven-down`. */
export async function otherServes(asked: Asked, runbook: RunbookRecord, signal: AbortSignal): Promise<string | null> {
  while (asked.state().verdict === null && !asked.ended() && !signal.aborted) await asked.next(signal);
  const { verdict, round } = asked.state();
  return verdict === 'healthy' && !overrodeProof(runbook) ? (round?.evidence ?? '') : null;
}

const overrodeProof = ({ overrides }: RunbookRecord): boolean => overrides.some((one) => one.guard === 'proven-down');
