/**
 * The steps of a planned change of roles (switchover, failback) that a promotion does not have: the other node lives and is asked. It
 * makes a final backup, which is restored here while it still serves; then the epoch is claimed, it stands down, and what it wrote in
 * between comes across, too. What follows is a promotion's.
 */
import type { CallsSeen } from '../contract/parity.ts';
import type { StepId } from '../contract/words.ts';
import type { BackupAnswer, Clock, Net, Peer, RunbookRecord, Store } from '../engine/ports.ts';
import { proveSilent, type SilencePlan } from './fence/silence.ts';
import { lastEntry, mayHaveHappened } from './journal-view.ts';
import { done, failure, type Step, type StepContext, type StepEnd } from './step.ts';
import { idleDetail, idleWithinMs, whyNotIdle } from './when-idle.ts';

/** Its steps in order; `whenIdle`: the claim waits until no call is active on the other node. */
export const plannedStepIds = ({ whenIdle }: { whenIdle: boolean }): readonly StepId[] => [
  'ready',
  'final-backup',
  'restore-final',
  ...(whenIdle ? (['wait-idle'] as const) : []),
  'claim',
  'stand-down-other',
  'last-changes',
  'start-services',
  'prove-alive',
  'switch-dns',
  'after-script',
  'flip-standing',
];

/** What the pair does for a planned change of roles. */
export interface PairAtWork {
  peer: Pick<Peer, 'askBackup' | 'askStandDown' | 'calls'>;
  /** Restores that backup here, also while a runbook is open. Never rejects; ends by `signal`. */
  restore(name: string, signal: AbortSignal): Promise<{ ok: boolean; sentence: string }>;
}

export interface PlannedParts {
  clock: Clock;
  net: Net;
  store: Pick<Store, 'remember' | 'recall'>;
  /** none: there is no peer link, and the guards refuse */
  pair?: PairAtWork;
  askReady: (runbook: RunbookRecord, signal: AbortSignal) => Promise<{ ok: boolean; sentence: string }>;
  settled: (signal: AbortSignal) => Promise<void>;
}

/** Name of the fact: which backup was the final one. Kept, since a resumed runbook goes on behind it. */
const finalKey = 'finalBackup';
interface FinalBackup {
  runbook: number;
  name: string;
}

const backupMs = 12 * 3600_000;
const restoreMs = 12 * 3600_000;
/** A net below the link's own bound of two minutes. */
const standDownMs = 130_000;

/** Past the claim there is no way back by itself: a link that was lost, or an engine there that starts anew, is waited for. */
const retries = 8;

const plain = { detail: '', retries: 0, onFail: 'halt', pointOfNoReturn: false, repeatOnResume: false } as const;
const noLink = 'there is no peer link here';

/** Before the point of no return nothing has changed for the pair: what fails is taken back. */
const takenBack = (sentence: string): StepEnd => ({ ...failure(sentence), takeBack: true });

/** Its steps by their ids, but for those that it shares with a promotion. */
export const plannedSteps = (parts: PlannedParts, silence: SilencePlan) => ({
  ready: () => readyStep(parts),
  'final-backup': () => finalBackupStep(parts),
  'restore-final': () => restoreFinalStep(parts),
  'wait-idle': () => waitIdleStep(parts),
  'stand-down-other': () => standDownOtherStep(parts, silence),
  'last-changes': () => lastChangesStep(parts),
});

function readyStep(parts: PlannedParts): Step {
  return {
    ...plain,
    id: 'ready',
    title: 'Ask whether everything is ready',
    timeoutMs: 10 * 60_000,
    repeatOnResume: true,
    run: async (c) => {
      await parts.settled(c.signal);
      const { ok, sentence } = await parts.askReady(c.runbook, c.signal);
      if (!ok) return takenBack(sentence);
      // Hours before it matters: whoever cannot tell must not be waited for at night.
      const calls = c.runbook.steps.includes('wait-idle') ? await callsOf(parts.pair, c.signal) : null;
      return calls?.count === null ? takenBack(calls.sentence) : done(sentence);
    },
  };
}

function finalBackupStep({ pair, store }: PlannedParts): Step {
  return {
    ...plain,
    id: 'final-backup',
    title: 'Have the other node make a final backup',
    timeoutMs: backupMs,
    run: async (c) => {
      const answer = await backupOf(pair, null, c);
      if (answer.outcome !== 'made') return takenBack(answer.sentence);
      if (!answer.verified) return takenBack(`the backup ${answer.name} is not verified: ${answer.sentence}`);
      store.remember(finalKey, { runbook: c.runbook.id, name: answer.name } satisfies FinalBackup);
      return done(answer.sentence);
    },
  };
}

function restoreFinalStep({ pair, store }: PlannedParts): Step {
  return {
    ...plain,
    id: 'restore-final',
    title: 'Restore it here and verify it',
    timeoutMs: restoreMs,
    run: async (c) => {
      const name = finalOf(store, c.runbook);
      if (!pair || name === null) return takenBack('which backup was the final one is not known any more');
      const { ok, sentence } = await pair.restore(name, c.signal);
      return ok ? done(sentence) : takenBack(sentence);
    },
  };
}

/** So that nobody is cut off in mid-sentence. What holds hours later is not what held at the beginning: the guards are asked again. */
function waitIdleStep(parts: PlannedParts): Step {
  return {
    ...plain,
    id: 'wait-idle',
    title: 'Wait until no call is active on the other node',
    detail: idleDetail,
    timeoutMs: idleWithinMs + 10 * 60_000,
    repeatOnResume: true,
    run: async (c) => {
      const why = await whyNotIdle({ clock: parts.clock, calls: (signal) => callsOf(parts.pair, signal) }, c);
      if (why !== null) return takenBack(why);
      const { ok, sentence } = await parts.askReady(c.runbook, c.signal);
      return ok ? done('no call is active on the other node') : takenBack(sentence);
    },
  };
}

const callsOf = async (pair: PairAtWork | undefined, signal: AbortSignal): Promise<CallsSeen> =>
  pair ? pair.peer.calls(signal) : { count: null, sentence: noLink };

/**
 * The claim of a planned change is its point of no return: the other node stands down by itself as soon as it sees a higher epoch,
 * asked or not. One that was not won is taken back all the same.
 */
export function plannedClaim(claim: Step): Step {
  return {
    ...claim,
    detail: 'from here on the other node stands down',
    pointOfNoReturn: true,
    remains: (record) => onceClaimed(record, 'given-up'),
    ifHalted: (record) => onceClaimed(record, 'halted'),
    run: async (c) => {
      const end = await claim.run(c);
      return end.outcome === 'failed' && end.again !== true ? { ...end, takeBack: true } : end;
    },
  };
}

/** Which node serves once the claim was made, and which command brings which one up. Empty where no claim was made. */
function onceClaimed(record: RunbookRecord, now: 'halted' | 'given-up'): string {
  if (!mayHaveHappened(record, 'claim')) return '';
  const stoodDown = lastEntry(record, 'stand-down-other')?.result?.outcome === 'done';
  const promote = '`estepe promote --because …`';
  if (now === 'given-up')
    return stoodDown
      ? `neither node serves now, since the other one has stood down: ${promote} there brings that one back, here this one`
      : `the claim of epoch ${record.epoch} is withdrawn, and the other node serves on unless it saw it before and stood down: where neither serves (\`estepe status\` on both), ${promote} on the one that shall serve brings it up`;
  const seen = `the other node stands down by itself as soon as it sees the claim of epoch ${record.epoch}`;
  const started = lastEntry(record, 'start-services') !== null;
  const here = started ? 'services may be running here' : 'nothing was started here, so neither serves';
  return `${stoodDown ? `the other node has stood down, and ${here}` : seen}. \`estepe promote\` here goes on; to have the other node serve again, \`estepe cancel\` here, then ${promote} there`;
}

function standDownOtherStep({ pair, clock, net }: PlannedParts, silence: SilencePlan): Step {
  const slowest = Math.max(0, ...silence.tests.map((test) => test.timeoutMs));
  return {
    ...plain,
    id: 'stand-down-other',
    title: 'Have the other node stand down',
    timeoutMs: standDownMs + silence.withinMs + (silence.rounds + 1) * (slowest + silence.pauseMs) + 30_000,
    // Whoever has pulled its plug may go on without its answer.
    onFail: 'ask',
    retries,
    run: async (c) => {
      if (!pair || c.epoch === null) return failure(pair ? 'no epoch was claimed' : noLink);
      const { outcome, sentence, outbid } = await pair.peer.askStandDown(c.epoch, c.runbook.because, c.signal);
      if (outcome !== 'stood-down') {
        const end = failure(`the other node did not stand down: ${sentence}`);
        // It never will for this epoch, and it was not touched: going on would be no use. Ordered again, a higher one is claimed.
        if (outbid) return { ...end, takeBack: true };
        return { ...end, again: outcome === 'unreachable' && !c.signal.aborted };
      }
      const seen = await proveSilent({ clock, net }, silence, c.signal);
      const told = `${sentence}; ${seen.sentence}`;
      return seen.how === 'serves' || seen.how === 'cancelled' ? failure(told) : done(told);
    },
  };
}

/** Between the final backup and its standing down the other node served: what it wrote then is brought across. */
function lastChangesStep({ pair, store }: PlannedParts): Step {
  return {
    ...plain,
    id: 'last-changes',
    title: 'Bring across what was written since the final backup',
    timeoutMs: backupMs + restoreMs,
    onFail: 'ask',
    retries,
    run: async (c) => {
      const final = finalOf(store, c.runbook);
      const lost = `what the other node wrote after ${final ?? 'the final backup'} is not here`;
      const answer = await backupOf(pair, c.epoch, c);
      if (!pair || answer.outcome !== 'made') {
        const again = answer.outcome === 'unreachable' && pair !== undefined && !c.signal.aborted;
        return { ...failure(`${lost}: ${answer.sentence}`), again };
      }
      if (!answer.verified) return failure(`${lost}: the backup ${answer.name} is not verified`);
      if (answer.name === final) return done(`nothing was written since: ${answer.sentence}`);
      const { ok, sentence } = await pair.restore(answer.name, c.signal);
      return ok ? done(sentence) : failure(`${lost}: ${sentence}`);
    },
  };
}

async function backupOf(pair: PairAtWork | undefined, epoch: number | null, c: StepContext): Promise<BackupAnswer> {
  if (!pair) return { outcome: 'unreachable', sentence: noLink };
  let last = '';
  return pair.peer.askBackup({ epoch, because: c.runbook.because }, c.signal, (sentence) => {
    if (sentence !== last) c.onOutput(`${sentence}\n`);
    last = sentence;
  });
}

function finalOf(store: PlannedParts['store'], runbook: RunbookRecord): string | null {
  const kept = store.recall(finalKey) as FinalBackup | null | undefined;
  return kept && kept.runbook === runbook.id ? kept.name : null;
}
