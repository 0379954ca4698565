/**
 * What a running runbook asks of the core before it goes on: do the guards still hold, does the other node serve after all?
 * Waits until there is something to judge by; decides nothing of its own.
 */
import { guardsOf, holdingBack, refusing } from '../engine/guards.ts';
import type { CoreState, Observation } from '../engine/observation.ts';
import { plannedGuards } from '../engine/planned-guards.ts';
import type { Clock, RunbookRecord } from '../engine/ports.ts';

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
      const against = isPersons(runbook) ? refusing(minded, overridesOf(runbook)) : holdingBack(minded);
      const told = against.length === 0 ? minded : against;
      return { ok: against.length === 0, sentence: told.map((g) => `${g.name}: ${g.evidence}`).join('; ') };
    }
    // A person who ordered it over an unclear verdict gave that override by name.
    if (isPersons(runbook) && overrodeProof(runbook) && verdict !== null) {
      const against = refusing(guards, overridesOf(runbook));
      if (against.length === 0) return { ok: true, sentence: 'ordered over the guard proven-down' };
    }
    await asked.next(signal);
  }
}

/** How long the guards of a planned change of roles may take to hold: after a start nothing was heard of the other node yet. */
const readyMs = 60_000;

/** The guards of a planned change of roles, asked until they hold, at most for a minute. */
export async function plannedHold(
  clock: Clock,
  asked: Asked,
  runbook: RunbookRecord,
  signal: AbortSignal,
): Promise<{ ok: boolean; sentence: string }> {
  const kind = runbook.kind === 'failback' ? 'failback' : 'switchover';
  const until = clock.now() + readyMs;
  for (;;) {
    if (asked.ended() || signal.aborted) return { ok: false, sentence: 'stopped while asking the guards' };
    // How long the other node was seen healthy was asked when it began: a start anew forgets it.
    const guards = plannedGuards(kind, asked.state(), asked.observation()).filter(({ name }) => name !== 'stable-for');
    const against = refusing(guards, overridesOf(runbook));
    const told = (against.length > 0 ? against : guards).map((g) => `${g.name}: ${g.evidence}`).join('; ');
    if (against.length === 0) return { ok: true, sentence: told };
    if (clock.now() >= until) return { ok: false, sentence: told };
    await asked.next(signal);
  }
}

/** How long a promotion past its point of no return looks for proof before a person is asked. */
const lookMs = 10 * 60_000;

/**
 * Past the point of no return and blind for a while: what keeps this node from going live beside the other one, in a sentence;
 * null once that is proven down, or where a person overrode `proven-down`. An isolation or a word may pass: it is waited for.
 */
export async function whyNotDown(
  clock: Clock,
  asked: Asked,
  runbook: RunbookRecord,
  signal: AbortSignal,
): Promise<string | null> {
  if (overrodeProof(runbook)) return null;
  const limit = new AbortController();
  const stop = clock.after(lookMs, () => limit.abort());
  const either = new AbortController();
  for (const one of [signal, limit.signal]) one.addEventListener('abort', () => either.abort(), { once: true });
  try {
    for (;;) {
      const { verdict, round } = asked.state();
      const evidence = round?.evidence ?? 'no complete round yet';
      if (verdict === 'down') return null;
      if (verdict === 'healthy')
        return `the other node serves again (${evidence}); going on would make two active ones`;
      if (asked.ended() || signal.aborted) return 'stopped while looking for proof';
      if (limit.signal.aborted)
        return `${unproven[verdict ?? 'none']} (${evidence}); going on might make two active ones`;
      await asked.next(either.signal);
    }
  } finally {
    stop();
  }
}

const unproven = {
  none: 'no round of tests was completed',
  suspect: 'it is not proven that the other node is down',
  isolated: 'neither the other node nor any reference answers: this node may be cut off, and the other one serving',
  conflicting: 'the tests fail, but the other node says itself that it serves',
} as const;

/** All that a person overrode, at the beginning and on going on. */
export const overridesOf = ({ overrides, goneOn = [] }: RunbookRecord): RunbookRecord['overrides'] => [
  ...overrides,
  ...goneOn,
];
const isPersons = ({ origin, goneOn }: RunbookRecord): boolean => origin === 'person' || goneOn !== undefined;
const overrodeProof = (runbook: RunbookRecord): boolean =>
  overridesOf(runbook).some((one) => one.guard === 'proven-down');
