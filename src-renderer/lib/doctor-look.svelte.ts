/** The doctor as a page follows it: what it found last, and the look under way, asked after while the page is open. */
import type { DoctorView } from '../../src-main/contract/doctor.ts';
import type { Feed } from './feed.svelte.ts';

/** Often while it looks; else somebody may have begun one elsewhere. */
const runningMs = 700;
const idleMs = 5_000;

export class DoctorLook {
  /** null: not heard yet */
  view = $state.raw<DoctorView | null>(null);
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

  /** Asks at once: a look was begun here. */
  hurry(): void {
    clearTimeout(this.#timer);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      this.view = await this.#feed.order((client, signal) => client.doctor.view(undefined, { signal }));
    } catch {
      // a lost engine is told by the frame; what was found stays
    }
    if (!this.#open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), this.view?.running ? runningMs : idleMs);
  }
}
