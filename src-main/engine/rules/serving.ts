/** Rules of the node that serves: under its epoch, outranked, standing down. */
import { none, proof, type Rule, runbookReason, tell } from './rule.ts';

export const serving: Rule[] = [
  {
    id: 'active.serving',
    phases: ['active'],
    when: { order: none, epoch: ['mine'], verdict: ['none', 'suspect', 'down', 'isolated', 'conflicting'] },
    next: 'same',
    reason: (c) => `this node is active under epoch ${c.o.standing.epoch}`,
  },
  {
    id: 'active.other-answers',
    notable: true,
    phases: ['active'],
    when: { order: none, epoch: ['mine'], verdict: ['healthy'] },
    next: 'same',
    effects: tell(
      'other-answers',
      'alert',
      (c) =>
        `Both nodes answer: the old active is back (${proof(c)}) while this one is active under epoch ${c.o.standing.epoch}. Switch the old one off.`,
    ),
    reason: (c) => `the old active answers (${proof(c)}) while this node is active under epoch ${c.o.standing.epoch}`,
  },
  {
    id: 'serving.mine',
    phases: ['serving'],
    when: { order: none, epoch: ['mine'] },
    next: 'same',
    reason: (c) => `this node serves under epoch ${c.o.standing.epoch}`,
  },
  {
    id: 'serving.outranked',
    phases: ['active', 'serving'],
    when: { order: none, epoch: ['higher'] },
    next: 'standing-down',
    effects: (c) => [
      {
        do: 'stand-down',
        origin: 'automatic',
        by: 'Estepe',
        epoch: c.o.highestEpoch,
        because: `epoch ${c.o.highestEpoch} was claimed elsewhere`,
        overrides: [],
      },
      {
        do: 'tell',
        key: 'outranked',
        severity: 'alert',
        text: `Another node is active under epoch ${c.o.highestEpoch}; this one stands down.`,
      },
    ],
    reason: (c) => `epoch ${c.o.highestEpoch} is higher than ours (${c.o.standing.epoch}): standing down`,
  },
  {
    id: 'standing-down.running',
    phases: ['standing-down'],
    when: { order: none, runbook: ['none', 'running', 'revocable'] },
    next: 'same',
    reason: () => 'stopping the services',
  },
  {
    id: 'standing-down.done',
    phases: ['standing-down'],
    when: { order: none, runbook: ['done', 'cancelled'] },
    next: 'stood-down',
    reason: () => 'the services are stopped; this node is no longer active',
  },
  {
    id: 'standing-down.halted',
    phases: ['standing-down'],
    when: { order: none, runbook: ['halted'] },
    next: 'halted',
    effects: (c) => [
      {
        do: 'tell',
        key: `halted.${c.o.runbook?.id}`,
        severity: 'alert',
        text: `Standing down stopped: ${runbookReason(c)}. Two nodes may be active.`,
      },
    ],
    reason: (c) => `standing down halted: ${runbookReason(c)}`,
  },
  {
    id: 'stood-down.resting',
    phases: ['stood-down'],
    when: { order: none, verdict: ['none', 'suspect', 'down', 'isolated', 'conflicting'] },
    next: 'same',
    reason: () => 'this node stood down; the other one was not seen healthy yet',
  },
  {
    id: 'stood-down.watching',
    phases: ['stood-down'],
    when: { order: none, verdict: ['healthy'] },
    next: 'watching',
    reason: (c) => `the other node serves (${proof(c)}); this one is its spare now`,
  },
];
