/**
 * One button's order on its way: busy while it is, so that a double click sends once; what went wrong, as a sentence.
 */
import type { OrderAnswer } from '../../src-main/contract/contract.ts';
import { type Client, type Feed, OrderFailed } from './feed.svelte.ts';
import { m } from './paraglide/messages.js';
import { guardWord } from './words.ts';

export class Order {
  busy = $state(false);
  /** the sentence to show, or null */
  problem = $state<string | null>(null);
  readonly #feed: Feed;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** Sends unless one is under way. The answer, or null when nothing came of it; `problem` then says why. */
  async send<T>(call: (client: Client, signal: AbortSignal) => Promise<T>): Promise<T | null> {
    if (this.busy) return null;
    this.busy = true;
    this.problem = null;
    try {
      return await this.#feed.order(call);
    } catch (error) {
      this.problem = problemOf(error);
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** The same for orders that the engine may refuse: true when it was accepted. */
  async give(call: (client: Client, signal: AbortSignal) => Promise<OrderAnswer>): Promise<boolean> {
    const answer = await this.send(call);
    if (answer === null) return false;
    if (!answer.accepted) this.problem = refusalOf(answer);
    return answer.accepted;
  }
}

function refusalOf(answer: OrderAnswer): string {
  const names = answer.refusedBy.map((name) => guardWord[name]()).join(', ');
  return [`${m.refused()}: ${answer.reason}`, names === '' ? '' : m.confirm_blocked({ guards: names })]
    .filter((part) => part !== '')
    .join(' · ');
}

function problemOf(error: unknown): string {
  if (!(error instanceof OrderFailed)) return m.no_answer();
  if (error.kind === 'not-sent') return m.not_sent();
  if (error.kind === 'no-answer') return m.no_answer();
  return `${m.failed()}: ${error.message}${error.todo === '' ? '' : ` (${error.todo})`}`;
}
