/**
 * One button's order on its way: busy while it is, so that a double click sends once; what went wrong, as a sentence.
 */
import type { BackupAnswer } from '../../src-main/contract/backups.ts';
import type { OrderAnswer } from '../../src-main/contract/contract.ts';
import { type Client, type Feed, OrderFailed } from './feed.svelte.ts';
import { m } from './paraglide/messages.js';
import { guardWord } from './words.ts';

/** Why nothing came of an order: in the reader's language, and what the engine itself said (English; may be empty). */
export interface ProblemWords {
  words: string;
  said: string;
}

/** A problem younger than this may belong to the very change that is happening. */
const freshMs = 5_000;

export class Order {
  busy = $state(false);
  problem = $state.raw<ProblemWords | null>(null);
  readonly #feed: Feed;
  #problemAt = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** The state went on: what went wrong long before it is no longer about what is shown. */
  stateChanged(): void {
    if (performance.now() - this.#problemAt > freshMs) this.problem = null;
  }

  #failed(problem: ProblemWords): void {
    this.problem = problem;
    this.#problemAt = performance.now();
  }

  /** Sends unless one is under way. The answer, or null when nothing came of it; `problem` then says why. */
  async send<T>(call: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.problem = null;
    try {
      return await this.#feed.order(call);
    } catch (error) {
      this.#failed(problemOf(error));
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** The same for orders that the engine may refuse: true when it was accepted. */
  async give(call: (client: Client, signal: AbortSignal) => Promise<BackupAnswer | OrderAnswer>): Promise<boolean> {
    const answer = await this.send(call);
    if (answer === null) return false;
    if (!answer.accepted) this.#failed(refusalOf(answer));
    return answer.accepted;
  }
}

function refusalOf(answer: BackupAnswer | OrderAnswer): ProblemWords {
  const refusedBy = 'refusedBy' in answer ? answer.refusedBy : [];
  const guards = refusedBy.map((name) => guardWord[name]()).join(', ');
  const words = guards === '' ? m.refused() : `${m.refused()} (${guards})`;
  return { words, said: answer.reason };
}

/** Why a call came to nothing. */
export function problemOf(error: unknown): ProblemWords {
  if (!(error instanceof OrderFailed)) return { words: m.no_answer(), said: '' };
  if (error.kind === 'not-sent') return { words: m.not_sent(), said: '' };
  if (error.kind === 'no-answer') return { words: m.no_answer(), said: '' };
  return { words: m.failed(), said: `${error.message}${error.todo === '' ? '' : ` (${error.todo})`}` };
}
