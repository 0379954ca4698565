/**
 * Follows the engine's feed until what is waited for shows. Survives a lost connection: the engine may be started again in the
 * middle of it. Knows nothing of what is waited for.
 */

import { callFailure, type Engine, findEngine, silent } from '../console/engine-client.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { afterFrame } from '../contract/view.ts';

const lostForMs = 30_000;
/** a running engine says something every 5 s; a frozen one keeps the connection open and says nothing */
const silentForMs = 15_000;

/**
 * @param seen called with every state, in order; null: not yet
 * @param lost what the error says when the engine stays away for 30 s: `what` before its reason
 * @throws EstepeError `no-engine`; what `seen` throws
 */
export async function followFeed<T>(
  dataFolder: string,
  seen: (snapshot: Snapshot) => T | null,
  lost: { what: string; todo: string },
): Promise<T> {
  let lostAt: number | null = null;
  for (;;) {
    let engine: Engine | null = null;
    try {
      // Found anew each time: a restarted engine has another port and token.
      engine = findEngine(dataFolder);
      const found = await followOnce(dataFolder, engine, seen, () => {
        lostAt = null;
      });
      if (found !== null) return found;
    } catch (error) {
      if (error instanceof Verdict) throw error.cause;
      const known = callFailure(error, dataFolder, engine?.url ?? '');
      lostAt ??= performance.now();
      if (performance.now() - lostAt > lostForMs) {
        throw new EstepeError('no-engine', `${lost.what}: ${known.message}`, lost.todo, {}, error);
      }
      await new Promise((next) => setTimeout(next, 300));
    }
  }
}

/** What `seen` throws is no fault of the line. */
class Verdict extends Error {}

/** Null: the feed ended in order before it was seen. Throws `no-engine` when nothing is heard for 15 s. */
async function followOnce<T>(
  dataFolder: string,
  engine: Engine,
  seen: (snapshot: Snapshot) => T | null,
  onAlive: () => void,
): Promise<T | null> {
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(silent(dataFolder, engine.url, silentForMs)), silentForMs);
  try {
    const feed = await engine.client.feed(undefined, { signal: stop.signal });
    let held: Snapshot | null = null;
    for await (const frame of feed) {
      limit.refresh();
      // One that hangs may still greet with the whole snapshot: what follows it proves life.
      if (held !== null) onAlive();
      held = afterFrame(held, frame);
      const found = held === null ? null : judged(seen, held);
      if (found !== null) return found;
    }
    return null;
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(limit);
    stop.abort();
  }
}

function judged<T>(seen: (snapshot: Snapshot) => T | null, snapshot: Snapshot): T | null {
  try {
    return seen(snapshot);
  } catch (error) {
    throw new Verdict('', { cause: error });
  }
}
