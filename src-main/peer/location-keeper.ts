/**
 * Claims in the location of the backups: `estepe-PAIR/epoch-7`, made exclusively, a folder on everything that has folders. What is taken
 * back gets `epoch-7-withdrawn` beside it: an epoch is claimed at most once, so nothing is ever removed.
 */
import { EstepeError } from '../contract/errors.ts';
import type { ClaimAnswer } from '../engine/ports.ts';
import type { Board } from './board.ts';
import { type Claimed, type Keeper, type KeptFor, readClaim, writeClaim } from './keeper.ts';

const pattern = /^epoch-([1-9][0-9]{0,14})(-withdrawn)?$/;

export class LocationKeeper implements Keeper {
  readonly #board: Board;
  readonly #folder: string;
  readonly #for: KeptFor;
  /** a claim never changes: read once */
  readonly #owners = new Map<number, string>();
  #proven = false;

  /** @param folder name of the pair's own folder in the location */
  constructor(board: Board, folder: string, keptFor: KeptFor) {
    this.#board = board;
    this.#folder = folder;
    this.#for = keptFor;
  }

  get title(): string {
    return this.#board.title;
  }

  async claim(epoch: number, owner: string, signal: AbortSignal): Promise<ClaimAnswer> {
    const won = await this.#board.createExclusive(this.#name(epoch), writeClaim(this.#for, epoch, owner), signal);
    return won ? { won, owner } : { won, owner: await this.#ownerOf(epoch, signal) };
  }

  async claims(signal: AbortSignal): Promise<Claimed[]> {
    await this.#prove(signal);
    const names = await this.#board.list(`${this.#folder}/epoch-`, signal);
    const withdrawn = new Set<number>();
    const epochs: number[] = [];
    for (const name of names) {
      const [, epoch, taken] = pattern.exec(name.slice(this.#folder.length + 1)) ?? [];
      if (epoch === undefined) continue;
      if (taken === undefined) epochs.push(Number(epoch));
      else withdrawn.add(Number(epoch));
    }
    const all: Claimed[] = [];
    for (const epoch of epochs) {
      const owner = this.#owners.get(epoch) ?? (await this.#ownerOf(epoch, signal));
      all.push({ epoch, owner, withdrawn: withdrawn.has(epoch) });
    }
    return all;
  }

  async withdraw(epoch: number, owner: string, signal: AbortSignal): Promise<void> {
    await this.#board.createExclusive(`${this.#name(epoch)}-withdrawn`, writeClaim(this.#for, epoch, owner), signal);
  }

  /** Once: that an endpoint knows no exclusive creation must be seen now, and not by the first takeover. */
  async #prove(signal: AbortSignal): Promise<void> {
    if (this.#proven) return;
    await this.#board.createExclusive(`${this.#folder}/claims-are-kept`, `${this.#for.pair}\n`, signal);
    this.#proven = true;
  }

  #name(epoch: number): string {
    return `${this.#folder}/epoch-${epoch}`;
  }

  async #ownerOf(epoch: number, signal: AbortSignal): Promise<string> {
    const known = this.#owners.get(epoch);
    if (known !== undefined) return known;
    const text = await this.#board.get(this.#name(epoch), signal);
    const read = text === null ? { why: 'it went away' } : readClaim(text, this.#for, epoch);
    if ('why' in read) {
      throw new EstepeError(
        'location',
        `${this.#board.title}: ${this.#name(epoch)} says nothing of this pair's epochs: ${read.why}.`,
        'give this pair a folder of its own in `backup.location`',
      );
    }
    this.#owners.set(epoch, read.owner);
    return read.owner;
  }
}
