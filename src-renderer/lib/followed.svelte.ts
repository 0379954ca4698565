/** Long work as a page follows it: asked after often while something is under way, else now and then, since it may be begun elsewhere. */
import type { Client, Feed } from './feed.svelte.ts';

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
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;

  constructor(feed: Feed, how: Following<T>) {
    this.#feed = feed;
    this.#how = how;
  }

  /** Asks now and again until the answer is called. */
  follow(): () => void {
    this.#open = true;
    void this.#ask();
    return () => {
      this.#open = false;
      clearTimeout(this.#timer);
    };
  }

  /** Asks at once: something was begun here. */
  hurry(): void {
    clearTimeout(this.#timer);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { ask, isRunning, runningMs, idleMs } = this.#how;
    try {
      this.view = await this.#feed.order(ask);
    } catch {
      // a lost engine is told by the frame; what was seen stays
    }
    if (!this.#open) return;
    clearTimeout(this.#timer);
    const busy = this.view !== null && isRunning(this.view);
    this.#timer = setTimeout(() => void this.#ask(), busy ? runningMs : idleMs);
  }
}
