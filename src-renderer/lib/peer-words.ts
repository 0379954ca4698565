/** Words of the peer link (contract/peer.ts) in the reader's language. */
import type { PeerGood, PeerLinkState } from '../../src-main/contract/peer.ts';
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
