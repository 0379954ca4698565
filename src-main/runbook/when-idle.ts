/** Waits until the other node's PBX has no call left (`switchover --when-idle`). */
import type { CallsSeen } from '../contract/parity.ts';
import type { Clock } from '../engine/ports.ts';
import { pause } from './pause.ts';
import type { StepContext } from './step.ts';

const everyMs = 10_000;
export const idleWithinMs = 12 * 3600_000;
/** Answers in a row that say nothing, before it is given up: an engine that starts anew, or a busy one. */
const mostSilent = 6;

export const idleDetail = `asked every ${everyMs / 1000} s, for up to ${idleWithinMs / 3600_000} h`;

/** Null once no call is active, else why it is waited no longer. Tells what changes. Never rejects. */
export async function whyNotIdle(
  { clock, calls }: { clock: Clock; calls: (signal: AbortSignal) => Promise<CallsSeen> },
  { signal, onOutput }: Pick<StepContext, 'signal' | 'onOutput'>,
): Promise<string | null> {
  const until = clock.now() + idleWithinMs;
  let silent = 0;
  let last = '';
  while (!signal.aborted) {
    const { count, sentence } = await calls(signal);
    if (count === 0) return null;
    silent = count === null ? silent + 1 : 0;
    if (silent > mostSilent) return sentence;
    if (clock.now() >= until) return `within ${idleWithinMs / 3600_000} h the calls never ended: ${sentence}`;
    if (sentence !== last) onOutput(`${sentence}\n`);
    last = sentence;
    await pause(clock, everyMs, signal);
  }
  return 'it was cut off';
}
