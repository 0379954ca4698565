/**
 * Proof that the old node is silent: the pair's own tests asked against its address until nothing is there in several rounds in
 * a row. Knows nothing of what was done to silence it.
 */
import type { FailWhen } from '../../contract/words.ts';
import { inWords } from '../../engine/duration.ts';
import { summarize } from '../../engine/judge.ts';
import type { Beat, Clock, Net, Target, TestSpec } from '../../engine/ports.ts';
import { weighed } from '../../heartbeat/monitor.ts';
import { pause } from '../pause.ts';

export interface SilencePlan {
  /** the old node, by its own address */
  target: Target;
  tests: readonly TestSpec[];
  /** the pair's rule, by which a node that answers in part still counts as serving or not */
  failWhen: FailWhen;
  withinMs: number;
  /** pause between two rounds */
  pauseMs: number;
  /** silent rounds in a row that prove it */
  rounds: number;
}

/**
 * `silent`: proven. `serves`: it answers as a node that serves, by the pair's own rule. `unproven`: something is still there, or
 * could not be asked after.
 */
export interface Silence {
  how: 'silent' | 'serves' | 'unproven' | 'cancelled';
  sentence: string;
}

/** Silence or a refusal by the host. A test that could not be made says nothing, and anything that answers is there. */
const isGone = (beat: Beat): boolean => beat.outcome === 'dead' && beat.there !== true;

/** Asks until it is silent, or the time is over. Never rejects; a round under way is waited for. */
export async function proveSilent(
  ports: { clock: Clock; net: Net },
  plan: SilencePlan,
  signal: AbortSignal,
): Promise<Silence> {
  const { target, tests, failWhen, rounds } = plan;
  if (tests.length === 0)
    return { how: 'unproven', sentence: 'no test is configured by which silence could be proven' };
  const began = ports.clock.now();
  let inRow = 0;
  while (!signal.aborted) {
    const asked = await Promise.all(tests.map((test) => ports.net.probe(test, target, signal)));
    if (signal.aborted) break;
    const beats = weighed(tests, asked);
    inRow = beats.every(isGone) ? inRow + 1 : 0;
    if (inRow >= rounds) {
      return { how: 'silent', sentence: `${target.address} is silent, ${rounds} rounds in a row (${said(beats)})` };
    }
    // A silent one is not let go of: the next round is the proof, or its end.
    if (inRow === 0 && ports.clock.now() - began >= plan.withinMs) return notSilent(plan, beats, failWhen);
    await pause(ports.clock, plan.pauseMs, signal);
  }
  return { how: 'cancelled', sentence: `cancelled while ${target.address} was asked whether it is silent` };
}

function notSilent({ target, withinMs }: SilencePlan, beats: readonly Beat[], failWhen: FailWhen): Silence {
  const within = `within ${inWords(withinMs)}`;
  if (summarize({ beats, references: [] }, { failWhen }).result === 'ok')
    return { how: 'serves', sentence: `${target.address} still serves ${within} (${said(beats)})` };
  const still = beats.filter((beat) => !isGone(beat));
  return {
    how: 'unproven',
    sentence: `${target.address} is not proven silent ${within} (${said(still.length > 0 ? still : beats)})`,
  };
}

const said = (beats: readonly Beat[]): string => beats.map((beat) => `${beat.test}: ${beat.evidence}`).join('; ');
