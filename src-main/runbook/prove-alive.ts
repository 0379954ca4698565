/** Proof that the PBX answers on this node: the pair's own tests, run against ourselves. */
import { inWords } from '../engine/duration.ts';
import type { Beat, Clock, Net, Target, TestSpec } from '../engine/ports.ts';
import { pause } from './pause.ts';
import { done, failure, type StepEnd } from './step.ts';

const answers = (b: Beat): boolean => b.outcome === 'alive' || b.outcome === 'degraded';

export interface Proof {
  target: Target;
  tests: readonly TestSpec[];
  withinMs: number;
  /** pause between two rounds; a service that starts and dies is caught by the second */
  pauseMs: number;
}

/**
 * Every test must answer in two rounds in a row, `pauseMs` apart, within `withinMs`. A started service that stays silent
 * or dies at once (E5) is a failure with the evidence of the last round.
 */
export async function proveAlive(
  ports: { clock: Clock; net: Net },
  proof: Proof,
  signal: AbortSignal,
): Promise<StepEnd> {
  const began = ports.clock.now();
  let inRow = 0;
  let last: Beat[] = [];
  while (!signal.aborted) {
    last = await Promise.all(proof.tests.map((t) => ports.net.probe(t, proof.target, signal)));
    inRow = last.every(answers) ? inRow + 1 : 0;
    const evidence = last.map((b) => `${b.test}: ${b.evidence}`).join('; ');
    if (inRow >= 2) return done(`it answers here after ${inWords(ports.clock.now() - began)} (${evidence})`);
    if (ports.clock.now() - began >= proof.withinMs) {
      const silent = last.filter((b) => !answers(b)).map((b) => `${b.test}: ${b.evidence}`);
      return failure(`not proven alive within ${inWords(proof.withinMs)} (${silent.join('; ') || evidence})`);
    }
    await pause(ports.clock, proof.pauseMs, signal);
  }
  return failure(
    `cancelled while waiting for the services (${last.map((b) => `${b.test}: ${b.evidence}`).join('; ')})`,
  );
}
