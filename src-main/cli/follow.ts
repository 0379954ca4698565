/** Follows the runbook that an order set off until it ends. */
import type { RunbookView, Snapshot } from '../contract/snapshot.ts';
import { followFeed } from './follow-feed.ts';

/** What was there before the order, to tell the order's own runbook from an older one. */
export interface Before {
  runbook: number;
  attempts: number;
}

export interface Followed {
  /** null: nothing could be begun, the snapshot's core says why */
  runbook: RunbookView | null;
  snapshot: Snapshot;
}

/** after the last step, how long the engine may take to say that it is active */
const settleWithinMs = 10_000;

export function before(snapshot: Snapshot): Before {
  return { runbook: snapshot.runbook?.id ?? 0, attempts: attemptsOf(snapshot.runbook) };
}

/**
 * @param show called with every state of the runbook, in order
 * @throws EstepeError `no-engine` when the engine stays away for 30 s; the promotion itself goes on or resumes there
 */
export function followRunbook(
  dataFolder: string,
  since: Before,
  show: (runbook: RunbookView, snapshot: Snapshot) => void,
): Promise<Followed> {
  let doneAt: number | null = null;
  const seen = (snapshot: Snapshot): Followed | null => {
    const runbook = snapshot.runbook !== null && isOurs(snapshot.runbook, since) ? snapshot.runbook : null;
    if (runbook !== null) show(runbook, snapshot);
    if (isUnderWay(runbook, snapshot)) return null;
    doneAt ??= performance.now();
    const settled = runbook?.status !== 'done' || isEndOf(runbook, snapshot);
    return settled || performance.now() - doneAt > settleWithinMs ? { runbook, snapshot } : null;
  };
  return followFeed(dataFolder, seen, {
    what: 'The engine was lost while the promotion ran',
    todo: 'The promotion goes on there, or resumes when the engine starts: `estepe serve`, then `estepe status`.',
  });
}

/** The order was accepted: where there is no runbook of it and nothing is under way, nothing could be begun. */
function isUnderWay(runbook: RunbookView | null, { core }: Snapshot): boolean {
  if (runbook !== null) return runbook.status === 'running';
  return core.phase === 'promoting' || core.phase === 'standing-down';
}

/** Whether this node is what such a runbook, once done, makes of it. */
export function isEndOf({ kind }: RunbookView, { core: { phase } }: Snapshot): boolean {
  if (kind !== 'stand-down') return phase === 'active';
  return phase !== 'active' && phase !== 'serving' && phase !== 'standing-down';
}

/** A newer one, or the same one going on after it had halted. */
function isOurs(runbook: RunbookView, since: Before): boolean {
  if (runbook.id > since.runbook) return true;
  return runbook.id === since.runbook && (runbook.status === 'running' || attemptsOf(runbook) > since.attempts);
}

function attemptsOf(runbook: RunbookView | null): number {
  return (runbook?.steps ?? []).reduce((sum, step) => sum + step.attempt, 0);
}
