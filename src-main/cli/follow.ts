/**
 * Follows the runbook that an order set off, over the engine's feed, until it ends. Survives a lost connection: the
 * engine may be started again in the middle of a promotion and resumes it.
 */
import { EstepeError } from '../contract/errors.ts';
import type { RunbookView, Snapshot } from '../contract/snapshot.ts';
import { afterFrame } from '../contract/view.ts';
import { callFailure, type Engine, findEngine, silent } from './engine-client.ts';

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

const lostForMs = 30_000;
/** a running engine says something every 5 s; a frozen one keeps the connection open and says nothing */
const silentForMs = 15_000;
/** after the last step, how long the engine may take to say that it is active */
const settleWithinMs = 10_000;

export function before(snapshot: Snapshot): Before {
  return { runbook: snapshot.runbook?.id ?? 0, attempts: attemptsOf(snapshot.runbook) };
}

/**
 * @param show called with every state of the runbook, in order
 * @throws EstepeError `no-engine` when the engine stays away for 30 s; the promotion itself goes on or resumes there
 */
export async function followRunbook(
  dataFolder: string,
  since: Before,
  show: (runbook: RunbookView, snapshot: Snapshot) => void,
): Promise<Followed> {
  let lostAt: number | null = null;
  for (;;) {
    let engine: Engine | null = null;
    try {
      // Found anew each time: a restarted engine has another port and token.
      engine = findEngine(dataFolder);
      const end = await followOnce(dataFolder, engine, since, (runbook, snapshot) => {
        lostAt = null;
        show(runbook, snapshot);
      });
      if (end !== null) return end;
    } catch (error) {
      const known = callFailure(error, dataFolder, engine?.url ?? '');
      lostAt ??= performance.now();
      if (performance.now() - lostAt > lostForMs) {
        throw new EstepeError(
          'no-engine',
          `The engine was lost while the promotion ran: ${known.message}`,
          'The promotion goes on there, or resumes when the engine starts: `estepe serve`, then `estepe status`.',
          {},
          error,
        );
      }
      await new Promise((next) => setTimeout(next, 300));
    }
  }
}

/** Null: the feed ended in order without the runbook having ended. Throws `no-engine` when nothing is heard for 15 s. */
async function followOnce(
  dataFolder: string,
  engine: Engine,
  since: Before,
  show: (runbook: RunbookView, snapshot: Snapshot) => void,
): Promise<Followed | null> {
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(silent(dataFolder, engine.url, silentForMs)), silentForMs);
  try {
    const feed = await engine.client.feed(undefined, { signal: stop.signal });
    let held: Snapshot | null = null;
    let doneAt: number | null = null;
    for await (const frame of feed) {
      limit.refresh();
      held = afterFrame(held, frame);
      if (held === null) continue;
      const runbook = held.runbook !== null && isOurs(held.runbook, since) ? held.runbook : null;
      if (runbook !== null) show(runbook, held);
      if (isUnderWay(runbook, held)) continue;
      doneAt ??= performance.now();
      const settled = runbook?.status !== 'done' || held.core.phase === 'active';
      if (settled || performance.now() - doneAt > settleWithinMs) return { runbook, snapshot: held };
    }
    return null;
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(limit);
    stop.abort();
  }
}

/** The order was accepted: where there is no runbook of it and nothing is under way, nothing could be begun. */
function isUnderWay(runbook: RunbookView | null, { core }: Snapshot): boolean {
  if (runbook !== null) return runbook.status === 'running';
  return core.phase === 'promoting' || core.phase === 'standing-down';
}

/** A newer one, or the same one going on after it had halted. */
function isOurs(runbook: RunbookView, since: Before): boolean {
  if (runbook.id > since.runbook) return true;
  return runbook.id === since.runbook && (runbook.status === 'running' || attemptsOf(runbook) > since.attempts);
}

function attemptsOf(runbook: RunbookView | null): number {
  return (runbook?.steps ?? []).reduce((sum, step) => sum + step.attempt, 0);
}
