/** The one sentence of the state, for somebody woken at 3 a.m.: is the spare good, and what to do. Pure. */
import type { GuardName, Severity, Verdict } from '../contract/words.ts';
import { inWords } from '../engine/duration.ts';
import { isBlind } from '../engine/judge.ts';
import type { CoreState, Policy } from '../engine/observation.ts';

export interface SentenceOf {
  state: CoreState;
  policy: Policy;
  epoch: number;
  maintenanceLeftMs: number | null;
  /** until silence decides; null where nothing is counted */
  countdownLeftMs: number | null;
  /** guards that hold back a promotion by itself */
  heldBy: readonly string[];
  /** guards that would hold one back even if the other node were proven dead */
  heldThenBy: readonly GuardName[];
  /** why the open runbook stopped; '' when it did not */
  stoppedBecause: string;
  /** a halted promotion, and the other node answers */
  besideHealthy: boolean;
  /** halted at a step that may be left out */
  skippable: boolean;
  /** what keeps the engine from watching */
  blind: string | null;
}

export interface Sentence {
  text: string;
  severity: Severity;
}

const said = (severity: Severity, text: string): Sentence => ({ severity, text });

const hindrance: Partial<Record<GuardName, string>> = {
  references: 'no reference answers',
  'claim-keeper': 'the epoch cannot be claimed where the other node sees it',
  'restored-data': 'the data restored here is not good enough',
  'cool-down': 'the last promotion is too recent',
  'standing-known': 'its role and epoch are lost and nobody confirms them',
};

/** What a proven death would come to here and now. */
function outlook({ policy, maintenanceLeftMs, heldThenBy }: SentenceOf): string {
  if (maintenanceLeftMs !== null)
    return `For another ${inWords(maintenanceLeftMs)} there is maintenance: it takes over only by your order.`;
  if (policy.observeOnly) return 'It is observe-only: it says what it would do, and does nothing.';
  if (policy.mode !== 'manual' && heldThenBy.length > 0) {
    const why = heldThenBy.map((name) => hindrance[name] ?? name).join(', and ');
    return `If the active died now, it would not take over by itself as long as ${why}.`;
  }
  if (policy.mode === 'automatic') return 'If the active died now, it would take over by itself.';
  if (policy.mode === 'manual') return 'If the active died now, it would wait for your order.';
  const then = policy.onSilence === 'promote' ? 'then take over' : 'then wait on';
  return `If the active died now, it would ask you for ${inWords(policy.countdownMs)}, ${then}.`;
}

function awaiting(of: SentenceOf): Sentence {
  const { policy, state, heldBy, countdownLeftMs } = of;
  if (state.held) return said('alert', 'The active is down. You said not to take over; promote when you want it.');
  const why = heldBy.length > 0 ? ` Not by itself as long as this holds it back: ${heldBy.join(', ')}.` : '';
  if (countdownLeftMs === null || countdownLeftMs === 0 || policy.onSilence === 'hold' || heldBy.length > 0)
    return said('alert', `The active is down. Estepe waits for you: promote, or leave it.${why}`);
  return said(
    'alert',
    `The active is down. This node takes over in ${inWords(countdownLeftMs)} unless you say otherwise.`,
  );
}

const doubtful: Partial<Record<Verdict, string>> = {
  down: 'Its tests fail, and that is proven.',
  isolated: 'No reference answers either: look at this node’s own network first.',
  conflicting: 'Its tests fail, but it says itself that it serves: look at the network between the two.',
};

/** The sentence and how grave it is. */
export function sentenceFor(of: SentenceOf): Sentence {
  const { state, epoch, blind } = of;
  if (blind !== null) return said('alert', blind);
  const reason = of.stoppedBecause === '' ? '' : `: ${of.stoppedBecause}`;
  if (isBlind(state, of.policy) && (state.phase === 'starting' || state.phase === 'suspecting'))
    return said(
      'alert',
      'The tests say nothing about the active: it may be well or dead. Look at the tests; promote only if you know that it is dead.',
    );
  switch (state.phase) {
    case 'watching':
      return state.verdict === null
        ? said('info', 'The spare has just lost sight of time and looks anew.')
        : said('info', `The active answers and the spare is watching. ${outlook(of)}`);
    case 'starting':
      return state.verdict === null || state.verdict === 'suspect'
        ? said('info', 'The spare has started and has not seen the active healthy yet.')
        : said(
            'alert',
            `The active has not answered since the spare started, so nothing happens by itself. ${doubtful[state.verdict] ?? ''} If it is dead, promote.`,
          );
    case 'suspecting':
      return said('warning', `The active fails its tests; the spare looks closer. ${outlook(of)}`);
    case 'isolated':
      return said(
        'warning',
        'This node seems cut off: neither the active nor any reference answers. It does not take over.',
      );
    case 'conflicting':
      return said('alert', 'The active fails its tests but says itself that it serves. The spare does not take over.');
    case 'awaiting':
      return awaiting(of);
    case 'promoting':
      return said('alert', 'This node is taking over; see its steps below.');
    case 'halted':
      return said(
        'alert',
        of.besideHealthy
          ? `The runbook stopped${reason}. The other node answers again: give it up, unless you know better.`
          : `The runbook stopped${reason}. Try again, ${of.skippable ? 'leave the step out, ' : ''}or give it up.`,
      );
    case 'active':
      return state.verdict === 'healthy'
        ? said('alert', `Both nodes answer. This one is active under epoch ${epoch}: switch the other one off.`)
        : said('info', `This node is active under epoch ${epoch}. Make sure that the other one stays off.`);
    case 'serving':
      return said('info', `This node is the active one, under epoch ${epoch}.`);
    case 'standing-down':
      return said('alert', 'This node is standing down: its services are being stopped.');
    case 'stood-down':
      return said('warning', 'This node has stood down and serves no calls. The other one was not seen healthy yet.');
  }
}
