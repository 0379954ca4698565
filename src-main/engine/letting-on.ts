/**
 * Whether the PBX of the node that is active may run: after a boot only once it was seen that no other node has taken over
 * (`services.letOn: estepe`), and no longer than `selfFence.after` while nobody can be asked. Pure.
 */

/** Why the PBX is kept off. `boot`: the machine has started. `cut`: neither the location nor the other node was reached for too long. */
export type Hold = 'none' | 'boot' | 'cut';

export interface LettingOnSight {
  hold: Hold;
  /** this node is active, and no higher epoch is known */
  serves: boolean;
  /** somebody is configured who could be asked: a keeper of claims, or the other node over the peer link */
  askable: boolean;
  /** since one of them was last heard, or since this engine began */
  cutMs: number;
  /** one of them was heard since the hold began */
  heard: boolean;
  heldMs: number;
  /** how long a boot is held at most */
  withinMs: number;
  /** null: never */
  selfFenceMs: number | null;
}

/** `let-on-unseen`: nobody could be asked in time, and phones that ring are worth more than certainty. */
export type LettingOn = 'leave' | 'wait' | 'let-on' | 'let-on-unseen' | 'stop';

export function lettingOn(s: LettingOnSight): LettingOn {
  if (!s.serves) return 'leave';
  if (s.hold === 'boot') {
    if (s.heard || !s.askable) return 'let-on';
    return s.heldMs >= s.withinMs ? 'let-on-unseen' : 'wait';
  }
  if (s.hold === 'cut') return s.heard || !s.askable || s.selfFenceMs === null ? 'let-on' : 'wait';
  return s.askable && s.selfFenceMs !== null && s.cutMs >= s.selfFenceMs ? 'stop' : 'leave';
}
