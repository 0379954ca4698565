/** Long work as a page follows it: asked after often while something is under way, else now and then, since it may be begun elsewhere. */
import type { Client, Feed } from './feed.svelte.ts';
import { type Repeated, repeatWhileShown } from './while-shown.ts';

export interface Following<T> {
  ask: (client: Client, signal: AbortSignal) => Promise<T>;
  isRunning: (view: T) => boolean;
  runningMs: number;
  idleMs: number;
}

export class Followed<T> {
  /** null: not heard yet */
  view = $state.raw<T | null>(null);
  readonly #feed: Feed;
  readonly #how: Following<T>;
  #repeated: Repeated | null = null;

  constructor(feed: Feed, how: Following<T>) {
    this.#feed = feed;
    this.#how = how;
  }

  /** Asks now and again until the answer is called; a hidden page rests. */
  follow(): () => void {
    // Read here: the effect that follows begins anew, and asks at once, when the engine is back.
    void this.#feed.link;
    const repeated = repeatWhileShown(() => this.#ask());
    this.#repeated = repeated;
    return () => repeated.end();
  }

  /** Asks at once: something was begun here. */
  hurry(): void {
    this.#repeated?.hurry();
  }

  async #ask(): Promise<number> {
    const { ask, isRunning, runningMs, idleMs } = this.#how;
    try {
      this.view = await this.#feed.order(ask);
    } catch {
      // a lost engine is told by the frame; what was seen stays
    }
    return this.view !== null && isRunning(this.view) ? runningMs : idleMs;
  }
}
