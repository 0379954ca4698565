/** An effect within its bounds: its time-out, and the signal that asks it to end. Knows nothing of journals. */
import { sentenceOf } from '../contract/errors.ts';
import { inWords } from '../engine/duration.ts';
import type { Cancel, Clock } from '../engine/ports.ts';
import { failure, type StepEnd } from './step.ts';

/** A timer that is later than this was held up by a stall of ours. */
const stallMs = 500;
/** An effect that minds its signal ends well within this; one that doesn't is left behind and counted as failed. */
const abortGraceMs = 15_000;

/**
 * Runs an effect. Never rejects, and never takes longer than its time-out and the grace after it.
 * @param control aborted by the caller to ask for an early end, and by the time-out
 */
export async function bounded(
  clock: Clock,
  timeoutMs: number,
  control: AbortController,
  run: () => Promise<StepEnd>,
): Promise<StepEnd> {
  const late = `did not end within ${inWords(timeoutMs)}`;
  let timedOut = false;
  const work = run().catch((error: unknown) => failure(sentenceOf(error)));
  const timers: Cancel[] = [];
  const limit = new Promise<StepEnd>((stop) => {
    const leave = (): void => stop(failure(`${late} and did not stop when told`));
    const hard = (): void => void timers.push(clock.after(abortGraceMs, leave));
    if (control.signal.aborted) hard();
    else control.signal.addEventListener('abort', hard, { once: true });
    const end = (): void => {
      timedOut = true;
      control.abort();
    };
    const due = clock.now() + timeoutMs;
    timers.push(
      clock.after(timeoutMs, () => {
        // Called late, this process stood still: what ended meanwhile is heard first.
        if (clock.now() - due < stallMs) end();
        else timers.push(clock.after(stallMs, end));
      }),
    );
  });
  const end = await Promise.race([work, limit]);
  for (const cancel of timers) cancel();
  return timedOut && end.outcome === 'failed' ? { ...end, sentence: `${late}: ${end.sentence}` } : end;
}
