/**
 * The claims of epochs: with every keeper first, in the local store behind them, so that nothing is called ours that another node
 * owns. Keepers are asked in one order on both nodes: whoever wins with the first goes on to the next.
 */
import { sentenceOf } from '../contract/errors.ts';
import type { Claims, Clock, SharedAnswer, Store } from '../engine/ports.ts';
import { isOwner, type Keeper } from './keeper.ts';
import { within } from './within.ts';

/** One keeper's time to answer, ms. */
const claimMs = 15_000;
const lookMs = 8_000;

export interface SharedClaimsParts {
  clock: Clock;
  store: Store;
  /** this node's name in claims */
  node: string;
  keepers: () => readonly Keeper[];
  /** what was seen last, for where nobody can be asked now */
  seen: () => { highest: number; foreign: number };
}

export class SharedClaims implements Claims {
  readonly #p: SharedClaimsParts;

  constructor(parts: SharedClaimsParts) {
    this.#p = parts;
  }

  async claim(epoch: number, owner: string, how: { alone: boolean; signal: AbortSignal }): Promise<SharedAnswer> {
    const { clock, store, keepers } = this.#p;
    const missing: string[] = [];
    let all: readonly Keeper[] = [];
    try {
      all = keepers();
    } catch (error) {
      // a secret that is missing
      const why = sentenceOf(error).replace(/\.$/, '');
      if (!how.alone) return { won: false, owner: '', unshared: why };
      missing.push(why);
    }
    for (const keeper of all) {
      try {
        const answer = await within(clock, claimMs, how.signal, (signal) => keeper.claim(epoch, owner, signal));
        if (!answer.won) return { ...answer, unshared: null };
      } catch (error) {
        const why = sentenceOf(error).replace(/\.$/, '');
        if (!how.alone) return { won: false, owner: '', unshared: why };
        missing.push(why);
      }
    }
    const here = store.claimEpoch(epoch, owner, clock.wall());
    return { ...here, unshared: missing.length > 0 ? missing.join('; ') : null };
  }

  async highest(): Promise<number> {
    const shown = await this.#look();
    return Math.max(this.#p.store.highestEpoch(), this.#p.seen().highest, shown.highest);
  }

  async foreign(): Promise<number> {
    const shown = await this.#look();
    // What was seen before may have been given back since: it counts only where not everybody answers now.
    return shown.whole ? shown.foreign : Math.max(this.#p.seen().foreign, shown.foreign);
  }

  /** What the keepers show now; one that cannot be asked shows nothing, and it is not the whole. */
  async #look(): Promise<{ highest: number; foreign: number; whole: boolean }> {
    let whole = true;
    const never = new AbortController().signal;
    const ask = async (keeper: Keeper) => {
      try {
        return await within(this.#p.clock, lookMs, never, (signal) => keeper.claims(signal));
      } catch {
        whole = false;
        return [];
      }
    };
    let keepers: readonly Keeper[] = [];
    try {
      keepers = this.#p.keepers();
    } catch {
      // said by the witness
      whole = false;
    }
    const claims = (await Promise.all(keepers.map(ask))).flat();
    return { ...reckon(claims, this.#p), whole };
  }
}

/** What claims come to for one node. */
export function reckon(
  claims: readonly { epoch: number; owner: string; withdrawn: boolean }[],
  { node, store }: Pick<SharedClaimsParts, 'node' | 'store'>,
): { highest: number; foreign: number } {
  let [highest, foreign] = [0, 0];
  for (const { epoch, owner, withdrawn } of claims) {
    highest = Math.max(highest, epoch);
    if (withdrawn || isOwner(node, owner) || store.ownerOf(epoch) === owner) continue;
    foreign = Math.max(foreign, epoch);
  }
  return { highest, foreign };
}
