/** The step that claims the epoch, and what a later step asks of it: whether somebody has claimed a higher one since. */
import { type Claims, type Clock, claimLostKey, type Store } from '../engine/ports.ts';
import { ownerOf } from '../peer/keeper.ts';
import { halfOf, isOwnEpoch, nextEpoch, nextOwnEpoch } from './epoch-numbers.ts';
import { epochSeen } from './epoch-seen.ts';
import { overridesOf } from './proof-asked.ts';
import { done, failure, type Step, type StepContext, type StepEnd } from './step.ts';

export interface ClaimParts {
  claims: Claims;
  store: Store;
  clock: Clock;
  /** this node's name in claims; unique in the pair */
  node: string;
  plan: () => { claim: 'required' | 'best-effort'; oldAddress: string; newAddress: string };
}

/** Who claims what is looked at first (8 s), then two keepers may be asked twice, 15 s each (peer/shared-claims.ts). */
const claimTimeoutMs = 90_000;

/**
 * Nobody else was seen to own it, but it could not be claimed where the other node would see that. By itself nothing goes on then;
 * a person is asked, who may override `claim-keeper`.
 */
function unclaimed(epoch: number, why: string, c: StepContext): StepEnd {
  const end = failure(
    `epoch ${epoch} could not be claimed: ${why}. The other node could not see that this one takes over`,
  );
  return { ...end, again: true, takeBack: c.runbook.origin !== 'person' };
}

export function claimStep({ claims, store, clock, node, plan }: ClaimParts): Step {
  return {
    ...{ id: 'claim', title: 'Claim the epoch', detail: '', timeoutMs: claimTimeoutMs, retries: 2, onFail: 'halt' },
    ...{ pointOfNoReturn: false, repeatOnResume: false },
    run: async (c) => {
      const { claim: policy, oldAddress, newAddress } = plan();
      const half = halfOf(newAddress, oldAddress);
      const known = Math.max(
        await claims.highest(),
        store.highestEpoch(),
        store.standing()?.epoch ?? 0,
        epochSeen(store),
      );
      const owner = ownerOf(node, c.runbook);
      // Noted before the claim: a resumed runbook claims the same epoch as the same owner again.
      const go = (epoch: number, alone: boolean) => {
        c.goUnder(epoch);
        store.remember('lastClaim', clock.wall());
        return claims.claim(epoch, owner, { alone, signal: c.signal });
      };
      let epoch = c.epoch ?? nextEpoch(known);
      const begunAlone = isOwnEpoch(epoch, half);
      let answer = await go(epoch, begunAlone);
      const overridden = overridesOf(c.runbook).some(({ guard }) => guard === 'claim-keeper');
      const mayStandAlone = policy === 'best-effort' || overridden;
      if (!answer.won && answer.unshared !== null && mayStandAlone && !c.signal.aborted) {
        // The other node may be claiming that very epoch now where this one cannot see it.
        epoch = nextOwnEpoch(Math.max(known, epoch), half);
        answer = await go(epoch, true);
      }
      if (answer.won) {
        const { unshared } = answer;
        return done(`epoch ${epoch} is ours${unshared === null ? '' : `, on this node alone: ${unshared}`}`);
      }
      if (answer.unshared !== null) return unclaimed(epoch, answer.unshared, c);
      store.remember(claimLostKey, c.runbook.id);
      return { ...failure(`epoch ${epoch} was claimed by ${answer.owner}: another node takes over`), takeBack: true };
    },
  };
}

/** Claimed since by another node: that one is, or will be, the active. What was started here is stopped again. */
export async function outbid(claims: Claims, epoch: number): Promise<StepEnd | null> {
  const foreign = await claims.foreign();
  if (foreign < epoch) return null;
  return { ...failure(`epoch ${foreign} was claimed meanwhile: another node takes over`), takeBack: true };
}
