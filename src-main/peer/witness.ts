/**
 * The pair's witness: the location of the backups, which both nodes reach. Every interval this node writes its own word there, reads the
 * other's, and looks which epochs are claimed with every keeper. What it owes to the keepers is put right: a claim made while they were
 * away, one that was taken back. Must not know what follows from all that.
 */
import { sentenceOf } from '../contract/errors.ts';
import { inWords } from '../engine/duration.ts';
import type { Cancel, ClaimsSeen, Clock, Store } from '../engine/ports.ts';
import type { Board } from './board.ts';
import { isOwner, type Keeper, ownerOf } from './keeper.ts';
import { reckon } from './shared-claims.ts';
import { within } from './within.ts';
import { type NodeWord, parseWord, type Reader, writeWord } from './word.ts';

export interface WitnessParts {
  clock: Clock;
  store: Store;
  /** this node's name in claims */
  node: string;
  /** whether there is anybody to keep claims */
  isConfigured: () => boolean;
  /** null: no location is configured; throws EstepeError where it cannot be opened */
  board: () => Board | null;
  /** the location first, then the others; throws EstepeError where one cannot be opened */
  keepers: () => readonly Keeper[];
  /** name of the pair's own folder in the location */
  folder: () => string;
  reader: () => Reader;
  /** the other node's address in the pair */
  otherPlace: () => string;
  ownWord: () => NodeWord;
  /** a word of the other node that was read there, new or not */
  hear: (word: NodeWord) => void;
  /** what was read there is no longer listened to */
  forget: () => void;
  everyMs: () => number;
  /** where this node stands; null epoch: no runbook of ours may still go live under one */
  around: () => { role: 'active' | 'passive'; epoch: number; openEpoch: number | null; isOpen: boolean };
  /** something that was seen is news */
  onNews: () => void;
  note: (rule: string, severity: 'info' | 'warning', sentence: string) => void;
}

/** One look takes no longer, ms: a hanging share must not keep the next one from being tried. */
const lookMs = 25_000;
/** While something is being proven, ms. */
const hurriedMs = 5_000;

/** Of an address, what every location takes in a name. */
const placeWord = (place: string): string => place.replace(/[^A-Za-z0-9.]/g, '_');
export const wordName = (folder: string, place: string): string => `${folder}/word-${placeWord(place)}.json`;

export class Witness {
  readonly #p: WitnessParts;
  #timer: Cancel = () => {};
  #running = false;
  #on = false;
  #hurried = false;
  #closing = new AbortController();
  #startedAt = Number.NEGATIVE_INFINITY;
  /** monotonic time of the last look at which every keeper answered */
  #goodAt: number | null = null;
  #why: string | null = null;
  #failingSince: number | null = null;
  #seen = { highest: 0, foreign: 0 };
  #unreadable: string | null = null;

  constructor(parts: WitnessParts) {
    this.#p = parts;
  }

  /** Highest epochs as the keepers showed them last. */
  get seen(): { highest: number; foreign: number } {
    return this.#seen;
  }

  /** Monotonic time of the last look at which every keeper answered; null: there was none. */
  get goodAt(): number | null {
    return this.#goodAt;
  }

  /** Why the other node's word there cannot be used; null: it can, or there is none. */
  get unreadable(): string | null {
    return this.#unreadable;
  }

  claims(): ClaimsSeen {
    const { foreign } = this.#seen;
    const { clock, isConfigured } = this.#p;
    if (!isConfigured()) {
      return { state: 'alone', evidence: 'no location is configured: a claim stands on this node alone', foreign };
    }
    if (this.#why !== null) {
      const since = this.#failingSince === null ? '' : `, since ${inWords(clock.now() - this.#failingSince)}`;
      return { state: 'unreachable', evidence: `${this.#why.replace(/\.$/, '')}${since}`, foreign };
    }
    if (this.#goodAt === null) return { state: 'unreachable', evidence: 'was not asked yet', foreign };
    const evidence = `answered ${inWords(Math.max(0, clock.now() - this.#goodAt))} ago`;
    return { state: 'reachable', evidence, foreign };
  }

  start(): void {
    if (this.#on) return;
    this.#on = true;
    void this.#look();
  }

  /** Something is being proven: it is looked at once, and more often. */
  hurry(hurried: boolean): void {
    if (hurried === this.#hurried) return;
    this.#hurried = hurried;
    if (hurried) this.#schedule();
  }

  /** Another location or another pair: what was seen there is forgotten. */
  reconfigured(): void {
    this.#goodAt = null;
    this.#why = null;
    this.#failingSince = null;
    this.#unreadable = null;
    this.#seen = { highest: 0, foreign: 0 };
    this.#p.forget();
    if (this.#on && !this.#running) void this.#look();
  }

  close(): void {
    this.#on = false;
    this.#timer();
    this.#closing.abort();
  }

  #schedule(): void {
    this.#timer();
    if (!this.#on || this.#running) return;
    const every = this.#hurried ? Math.min(hurriedMs, this.#p.everyMs()) : this.#p.everyMs();
    const wait = Math.max(0, this.#startedAt + every - this.#p.clock.now());
    this.#timer = this.#p.clock.after(wait, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (!this.#on || this.#running) return;
    this.#running = true;
    this.#timer();
    const { clock } = this.#p;
    this.#startedAt = clock.now();
    try {
      // Where words cannot be written, claims can still be read: a higher epoch must be seen whatever else fails.
      const words = await this.#words().then(
        () => null,
        (error: unknown) => ({ error }),
      );
      await this.#claims();
      if (words !== null) throw words.error;
      this.#goodAt = clock.now();
      if (this.#failingSince !== null)
        this.#p.note(
          'witness.back',
          'info',
          `the location answers again, after ${inWords(clock.now() - this.#failingSince)}`,
        );
      this.#failingSince = null;
      this.#why = null;
    } catch (error) {
      if (!this.#on) return;
      const first = this.#failingSince === null;
      this.#failingSince ??= this.#startedAt;
      this.#why = sentenceOf(error);
      if (first) this.#p.note('witness.away', 'warning', `words and claims cannot be exchanged: ${this.#why}`);
    } finally {
      this.#running = false;
      this.#schedule();
      if (this.#on) this.#p.onNews();
    }
  }

  #ask<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return within(this.#p.clock, lookMs, this.#closing.signal, ask);
  }

  async #words(): Promise<void> {
    const { board: open, folder, reader, otherPlace, ownWord, hear } = this.#p;
    const board = open();
    if (board === null) return;
    const { place } = reader();
    await this.#ask((signal) => board.put(wordName(folder(), place), writeWord(ownWord()), signal));
    const text = await this.#ask((signal) => board.get(wordName(folder(), otherPlace()), signal));
    this.#unreadable = null;
    if (text === null) return;
    const read = parseWord(text, reader());
    if ('why' in read) this.#unreadable = `the word of ${otherPlace()} in ${board.title} cannot be used: ${read.why}`;
    else hear(read.word);
  }

  async #claims(): Promise<void> {
    const shown = { highest: 0, foreign: 0 };
    for (const keeper of this.#p.keepers()) {
      const claims = await this.#ask((signal) => keeper.claims(signal));
      const { highest, foreign } = reckon(claims, this.#p);
      shown.highest = Math.max(shown.highest, highest);
      shown.foreign = Math.max(shown.foreign, foreign);
      await this.#putRight(keeper, claims);
    }
    this.#seen = shown;
  }

  /** What this node owes to a keeper: the epoch under which it is active, and its word on those it does not go live under. */
  async #putRight(keeper: Keeper, claims: Awaited<ReturnType<Keeper['claims']>>): Promise<void> {
    const { node, store, note } = this.#p;
    const { role, epoch, openEpoch, isOpen } = this.#p.around();
    const owner = store.ownerOf(epoch);
    if (role === 'active' && owner !== null && !claims.some((claim) => claim.epoch === epoch)) {
      const answer = await this.#ask((signal) => keeper.claim(epoch, owner, signal));
      const sentence = answer.won
        ? `epoch ${epoch}, claimed while ${keeper.title} was away, stands there now, too`
        : `epoch ${epoch} was claimed by ${answer.owner} in ${keeper.title} while this node could not`;
      note('claim.afterwards', answer.won ? 'info' : 'warning', sentence);
    }
    if (isOpen) return;
    const notGoneLiveUnder = claims.filter(
      ({ epoch: claimed, owner: by, withdrawn }) =>
        !withdrawn && claimed > epoch && claimed !== openEpoch && isOwner(node, by),
    );
    // as at almost every look: the journal need not be read
    if (notGoneLiveUnder.length === 0) return;
    const last = store.lastRunbook();
    for (const { epoch: claimed, owner: by } of notGoneLiveUnder) {
      // One that this history knows nothing of was made by an earlier installation: that is a person's to decide.
      // One whose answer was lost on the way stands there without this history knowing more than which runbook asked for it.
      const takenBack = last?.status === 'cancelled' && by === ownerOf(node, last);
      if (store.ownerOf(claimed) !== by && !takenBack) continue;
      await this.#ask((signal) => keeper.withdraw(claimed, by, signal));
      note(
        'claim.withdrawn',
        'info',
        `epoch ${claimed} is given back in ${keeper.title}: its promotion was taken back`,
      );
    }
  }
}
