/** Which backups there are, as they were read the last time: a location may be slow or away, and a screen does not wait for it. */
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Location } from '../location.ts';
import { type Backup, listBackups } from '../shelf.ts';

export interface ListingParts {
  clock: Clock;
  /** a location of its own, or null where none is configured; closed after each look */
  open: () => { location: Location; pair: string } | null;
  onChange: () => void;
  /** read anew, or not: then the rows are those of before */
  onRead: (read: boolean) => void;
}

export class Listing {
  readonly #p: ListingParts;
  readonly #end = new AbortController();
  #reading: Promise<{ read: boolean }> | null = null;
  /** newest first */
  rows: readonly Backup[] = [];
  /** wall clock; null: not yet */
  listedAt: number | null = null;
  trouble: { sentence: string; todo: string } | null = null;

  constructor(parts: ListingParts) {
    this.#p = parts;
  }

  get listing(): boolean {
    return this.#reading !== null;
  }

  /** Reads anew; a second call joins the first. Never rejects. */
  refresh(): Promise<{ read: boolean }> {
    if (this.#end.signal.aborted) return Promise.resolve({ read: false });
    this.#reading ??= this.#read().then((read) => {
      this.#reading = null;
      this.#p.onRead(read);
      this.#p.onChange();
      return { read };
    });
    this.#p.onChange();
    return this.#reading;
  }

  /** Another location: nothing of it is known yet. */
  forget(): void {
    this.rows = [];
    this.listedAt = null;
    this.trouble = null;
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#reading;
  }

  async #read(): Promise<boolean> {
    let location: Location | null = null;
    try {
      const opened = this.#p.open();
      if (opened === null) return false;
      location = opened.location;
      this.rows = await listBackups(opened, this.#end.signal);
      this.listedAt = this.#p.clock.wall();
      this.trouble = null;
      return true;
    } catch (error) {
      const todo = error instanceof EstepeError ? error.todo : 'look at the location, then read the list again';
      if (!this.#end.signal.aborted) this.trouble = { sentence: sentenceOf(error), todo };
      return false;
    } finally {
      await location?.close();
    }
  }
}
