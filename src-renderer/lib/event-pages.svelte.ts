/**
 * The events page by page, as a filter asks for them: forwards and back, the newest page kept current, all of them for a file.
 * The newest question wins: an answer to an older one is dropped.
 */
import type { EventFilter, EventQuery } from '../../src-main/contract/history.ts';
import type { EventView } from '../../src-main/contract/snapshot.ts';
import type { Feed } from './feed.svelte.ts';
import { type ProblemWords, problemOf } from './order.svelte.ts';

export const pageSize = 50;
/** as many as the contract gives at once */
const chunk = 1000;
/** A file of more is no help to anybody, and has to fit into the tab. */
export const mostSaved = 50_000;

export class EventPages {
  /** null: not heard yet */
  rows = $state.raw<readonly EventView[] | null>(null);
  older = $state(false);
  busy = $state(false);
  problem = $state.raw<ProblemWords | null>(null);
  /** events read so far for a file; null: none is being made */
  reading = $state<number | null>(null);
  readonly #feed: Feed;
  /** ids before which the pages up to the shown one begin; empty: the newest page */
  #before = $state.raw<readonly number[]>([]);
  #filter: EventFilter = {};
  #question = 0;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** 1: the newest */
  get page(): number {
    return this.#before.length + 1;
  }

  /** Another filter: from its newest page on. */
  ask(filter: EventFilter): Promise<void> {
    this.#filter = filter;
    return this.#turn([]);
  }

  /** The shown page anew. */
  refresh(): Promise<void> {
    return this.#turn(this.#before);
  }

  async toOlder(): Promise<void> {
    const last = this.rows?.at(-1);
    if (this.older && last !== undefined && !this.busy) await this.#turn([...this.#before, last.id]);
  }

  async toNewer(): Promise<void> {
    if (this.#before.length > 0 && !this.busy) await this.#turn(this.#before.slice(0, -1));
  }

  async #turn(before: readonly number[]): Promise<void> {
    const question = ++this.#question;
    this.busy = true;
    try {
      // One more than is shown tells whether there is another page.
      const rows = await this.#read(this.#filter, before.at(-1), pageSize + 1);
      if (question !== this.#question) return;
      this.rows = rows.slice(0, pageSize);
      this.older = rows.length > pageSize;
      this.#before = before;
      this.problem = null;
    } catch (error) {
      if (question === this.#question) this.problem = problemOf(error);
    } finally {
      if (question === this.#question) this.busy = false;
    }
  }

  /** All events of the filter, newest first, `mostSaved` at most; null when they could not be read. */
  async all(): Promise<{ events: EventView[]; cut: boolean; filter: EventFilter } | null> {
    if (this.reading !== null) return null;
    const filter = this.#filter;
    const events: EventView[] = [];
    this.reading = 0;
    try {
      for (;;) {
        const rows = await this.#read(filter, events.at(-1)?.id, chunk);
        events.push(...rows);
        this.reading = events.length;
        if (rows.length < chunk) return { events, cut: false, filter };
        if (events.length >= mostSaved) return { events, cut: true, filter };
      }
    } catch (error) {
      this.problem = problemOf(error);
      return null;
    } finally {
      this.reading = null;
    }
  }

  #read(filter: EventFilter, before: number | undefined, limit: number): Promise<EventView[]> {
    const query: EventQuery = { ...filter, limit, ...(before === undefined ? {} : { before }) };
    return this.#feed.order((client, signal) => client.history.events(query, { signal }));
  }
}
