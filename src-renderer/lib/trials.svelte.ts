/** What is being tried before it is saved, as a page follows it: asked after while something is under way. */
import type { TrialsView } from '../../src-main/contract/settings.ts';
import type { Feed } from './feed.svelte.ts';

const runningMs = 500;
const idleMs = 10_000;

export class Trials {
  /** null: not heard yet */
  view = $state.raw<TrialsView | null>(null);
  readonly #feed: Feed;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open = false;

  constructor(feed: Feed) {
    this.#feed = feed;
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
    try {
      this.view = await this.#feed.order((client, signal) => client.config.try.view(undefined, { signal }));
    } catch {
      // a lost engine is told by the frame; what was seen stays
    }
    if (!this.#open) return;
    clearTimeout(this.#timer);
    const busy = Object.values(this.view ?? {}).some(({ running }) => running !== null);
    this.#timer = setTimeout(() => void this.#ask(), busy ? runningMs : idleMs);
  }
}
