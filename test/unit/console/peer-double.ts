/** The peer link for screens and clients under test: not configured, and its desk. */
import type { PairDesk } from '../../../src-main/contract/desk.ts';
import { type PeerView, peerGoods } from '../../../src-main/contract/peer.ts';

export const peerOff: PeerView = {
  configured: false,
  paired: false,
  state: 'off',
  listening: null,
  address: null,
  lastHeardAt: null,
  trouble: null,
  pairing: null,
  unprotected: [...peerGoods],
};

/** Configured, and no other node known. */
export const peerUnpaired: PeerView = {
  ...peerOff,
  configured: true,
  state: 'unpaired',
  listening: '192.0.2.2:7443',
  address: '192.0.2.1:7443',
};

export const peerUp = (now: number): PeerView => ({
  ...peerUnpaired,
  paired: true,
  state: 'up',
  lastHeardAt: now - 4_000,
  unprotected: [],
});

export const doubledCode = '7K2M-9QXD-4HTB-0WNE-5RVC';

/** Orders are recorded; the code above is the right one. */
export function pairDesk(
  asked: { call: string; ask: unknown }[],
  held: () => PeerView,
  change: (peer: PeerView) => void,
): PairDesk {
  return {
    open(ask) {
      asked.push({ call: 'pair.open', ask });
      const until = Date.now() + 600_000;
      change({ ...held(), state: 'pairing', pairing: { state: 'open', until, triesLeft: 5 } });
      return { code: doubledCode, until };
    },
    async join(ask) {
      asked.push({ call: 'pair.join', ask });
      if (ask.code !== doubledCode) return { accepted: false, sentence: 'This is not the code.', why: 'wrong' };
      change(peerUp(Date.now()));
      return { accepted: true, sentence: 'Paired with the node on 192.0.2.1.', why: null };
    },
    status: () => ({ ...held(), ownFingerprint: 'AB:CD', otherFingerprint: null, otherPlace: null, pairedAt: null }),
    remove(ask) {
      asked.push({ call: 'pair.remove', ask });
      const was = held().paired;
      change(peerUnpaired);
      return { was };
    },
  };
}
