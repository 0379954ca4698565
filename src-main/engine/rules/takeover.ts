/** Rules of a takeover: asking, the runbook under way, the runbook halted. */
import { inWords } from '../duration.ts';
import { countdownEndsAt } from '../facts.ts';
import { type Context, held, none, proof, type Rule, rounds, runbookReason, start, tell } from './rule.ts';

export const awaiting: Rule[] = [
  {
    id: 'awaiting.recovered',
    phases: ['awaiting'],
    when: { order: none, verdict: ['healthy'] },
    next: 'watching',
    effects: (c) => [
      {
        do: 'tell',
        key: 'recovered',
        severity: 'info',
        text: `The other node answers again (${proof(c)}). Nothing was taken over.`,
      },
    ],
    reason: (c) => `the other node answers again (${proof(c)})`,
  },
  {
    id: 'awaiting.anew',
    phases: ['awaiting'],
    when: { order: none, verdict: ['none', 'suspect'] },
    next: 'suspecting',
    reason: (c) =>
      c.facts.verdict === 'none'
        ? `this node saw nothing for ${inWords(c.o.gap?.ms ?? 0)} (${c.o.gap?.kind ?? 'no round'}); a full confirmation is observed anew`
        : `no longer proven: ${rounds(c)} (${proof(c)})`,
  },
  {
    id: 'awaiting.go',
    phases: ['awaiting'],
    when: { order: none, verdict: ['down'], go: ['self'] },
    next: 'promoting',
    effects: (c) =>
      start(c.o.policy.mode === 'automatic' ? 'automatic' : 'silence', (x) => `${rounds(x)} (${proof(x)})`)(c),
    reason: (c) =>
      c.o.policy.mode === 'automatic'
        ? `every guard holds now, mode automatic: taking over; ${rounds(c)} (${proof(c)})`
        : `nobody answered within ${inWords(c.o.policy.countdownMs)} and onSilence is promote: taking over; ${rounds(c)} (${proof(c)})`,
  },
  {
    id: 'awaiting.asking',
    phases: ['awaiting'],
    when: { order: none, verdict: ['down'], go: ['ask'] },
    next: 'same',
    effects: (c) =>
      silenceOver(c)
        ? tell(
            'awaiting.silence-held',
            'alert',
            (x) =>
              `Nobody answered within ${inWords(x.o.policy.countdownMs)}. Estepe does not take over by itself${held(x) === '' ? ': onSilence is hold' : ` as long as this holds it back: ${held(x)}`}.`,
          )(c)
        : [],
    reason: (c) => `waiting for a person; ${held(c) || `mode ${c.o.policy.mode}`} (${proof(c)})`,
  },
  {
    id: 'awaiting.overlaid',
    phases: ['awaiting'],
    when: { order: none, verdict: ['down'], go: ['quiet', 'observe'] },
    next: 'suspecting',
    // Asked again after it, people are told again: the countdown begins anew.
    change: (c) => ({ told: [...c.state.told.filter((key) => !key.startsWith('awaiting')), 'asked-before'] }),
    reason: (c) =>
      `${c.facts.go === 'quiet' ? 'maintenance was switched on' : 'observe-only was switched on'}: nobody is asked any more`,
  },
];

export const promoting: Rule[] = [
  {
    id: 'promoting.running',
    phases: ['promoting'],
    when: { order: none, runbook: ['none', 'running'] },
    next: 'same',
    reason: () => 'the runbook is running',
  },
  {
    id: 'promoting.revocable',
    phases: ['promoting'],
    when: {
      order: none,
      runbook: ['revocable'],
      kind: ['promotion', 'stand-down'],
      verdict: ['none', 'suspect', 'down'],
    },
    next: 'same',
    reason: () => 'the runbook is running; before its point of no return it stops by itself if the other node answers',
  },
  {
    id: 'promoting.recovered',
    notable: true,
    phases: ['promoting'],
    when: {
      order: none,
      runbook: ['revocable'],
      kind: ['promotion', 'stand-down'],
      verdict: ['healthy', 'isolated', 'conflicting'],
    },
    next: 'same',
    effects: (c) => [
      {
        do: 'cancel-runbook',
        because: `the verdict became ${c.facts.verdict} before the point of no return (${proof(c)})`,
      },
    ],
    reason: (c) =>
      `the verdict became ${c.facts.verdict} before the point of no return (${proof(c)}): the promotion is taken back`,
  },
  {
    id: 'promoting.planned',
    phases: ['promoting'],
    when: { order: none, runbook: ['revocable'], kind: ['planned'], verdict: ['none', 'suspect', 'healthy'] },
    next: 'same',
    reason: (c) =>
      `the ${c.o.runbook?.kind} is running; before its point of no return it stops by itself if the other node dies`,
  },
  {
    id: 'promoting.planned-lost',
    notable: true,
    phases: ['promoting'],
    when: { order: none, runbook: ['revocable'], kind: ['planned'], verdict: ['down', 'isolated', 'conflicting'] },
    next: 'same',
    effects: (c) => [
      {
        do: 'cancel-runbook',
        because: `the verdict became ${c.facts.verdict} before the point of no return (${proof(c)})`,
      },
    ],
    reason: (c) =>
      `the verdict became ${c.facts.verdict} before the point of no return (${proof(c)}): the ${c.o.runbook?.kind} is taken back, and the usual rules apply`,
  },
  {
    id: 'promoting.done',
    phases: ['promoting'],
    when: { order: none, runbook: ['done'] },
    next: 'active',
    change: () => ({ told: [], held: false }),
    effects: (c) => [
      {
        do: 'tell',
        key: 'promoted',
        severity: 'alert',
        text:
          c.facts.kind === 'planned'
            ? `This node is active now (epoch ${c.o.standing.epoch}), and the other one has stood down: the ${c.o.runbook?.kind} is done.`
            : `This node is active now (epoch ${c.o.standing.epoch}). Make sure that the old one stays off.`,
      },
    ],
    reason: (c) => `the runbook is done: active under epoch ${c.o.standing.epoch}`,
  },
  {
    id: 'promoting.halted',
    phases: ['promoting'],
    when: { order: none, runbook: ['halted'] },
    next: 'halted',
    effects: (c) => [
      {
        do: 'tell',
        key: `halted.${c.o.runbook?.id}`,
        severity: 'alert',
        text: `The ${takeover(c)} stopped: ${runbookReason(c)}. ${c.o.runbook?.skippable ? 'Try again, leave the step out, or give up.' : 'Try again, or give up.'}`,
      },
    ],
    reason: (c) => `the runbook halted: ${runbookReason(c)}`,
  },
  {
    id: 'promoting.cancelled',
    phases: ['promoting'],
    when: { order: none, runbook: ['cancelled'] },
    next: 'suspecting',
    effects: (c) => [
      {
        do: 'tell',
        key: 'cancelled',
        severity: 'warning',
        text: `The ${takeover(c)} was cancelled: ${runbookReason(c)}.`,
      },
    ],
    reason: (c) => `the runbook was cancelled: ${runbookReason(c)}`,
  },
  {
    id: 'halted.waiting',
    phases: ['halted'],
    when: { order: none },
    next: 'same',
    effects: (c) => (besideHealthy(c) ? tell(`halted.other-answers.${c.o.runbook?.id}`, 'alert', beside)(c) : []),
    reason: (c) => `a person decides: ${runbookReason(c)}`,
  },
];

const takeover = ({ facts, o }: Context): string => (facts.kind === 'planned' ? (o.runbook?.kind ?? '') : 'takeover');

/** Meanwhile the other node came back: whoever decides now has to know. */
const besideHealthy = ({ facts }: Context): boolean => facts.kind === 'promotion' && facts.verdict === 'healthy';
const beside = (c: Context): string =>
  `The other node answers again (${proof(c)}) while the takeover stands halted. Going on would make two active ones: give it up.`;

function silenceOver(c: Context): boolean {
  const ends = countdownEndsAt(c.state, c.o.policy);
  return ends !== null && c.o.at >= ends;
}
