/** Words of the peer link (contract/peer.ts) in the reader's language. */
import type { PairRefusal, PeerGood, PeerLinkState } from '../../src-main/contract/peer.ts';
import { m } from './paraglide/messages.js';

export const peerWord: Record<PeerLinkState, () => string> = {
  off: m.peer_off,
  unpaired: m.peer_unpaired,
  pairing: m.peer_pairing,
  up: m.peer_up,
  down: m.peer_down,
};

export const peerShape: Record<PeerLinkState, 'disc' | 'ring' | 'turn' | 'triangle'> = {
  off: 'ring',
  unpaired: 'ring',
  pairing: 'turn',
  up: 'disc',
  down: 'triangle',
};

/** What is not protected without the link. */
export const peerGoodWord: Record<PeerGood, () => string> = {
  'stand-down': m.peer_good_stand_down,
  'health-from-inside': m.peer_good_health,
  standing: m.peer_good_standing,
  parity: m.peer_good_parity,
  'backup-news': m.peer_good_backups,
};

/** Why a typed code paired nothing. */
export const pairWhyWord: Record<PairRefusal, () => string> = {
  unreadable: m.pair_why_unreadable,
  wrong: m.pair_why_wrong,
  'not-open': m.pair_why_not_open,
  'other-pair': m.pair_why_other_pair,
  'not-reached': m.pair_why_not_reached,
  other: m.pair_refused,
};
