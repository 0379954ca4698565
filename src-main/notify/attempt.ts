/** One attempt within its time: a channel that hangs is left behind. Knows nothing of what follows. */
import { sentenceOf } from '../contract/errors.ts';
import { inWords } from '../engine/duration.ts';
import type { Clock } from '../engine/ports.ts';
import type { Channel, Letter, SendEnd } from './channel.ts';

/** A channel that minds its signal ends well within this. */
const graceMs = 5_000;

/**
 * Sends once. Never rejects, and never takes longer than `timeoutMs` and the grace after it.
 * @param outer asks for an early end
 */
export async function attempt(
  channel: Channel,
  letter: Letter,
  how: { clock: Clock; timeoutMs: number; outer: AbortSignal; reached: readonly string[] },
): Promise<SendEnd> {
  const { clock, timeoutMs, outer, reached } = how;
  const control = new AbortController();
  const late: SendEnd = {
    ...{ how: 'failed', said: `it did not end within ${inWords(timeoutMs)}`, fault: 'passing' },
    todo: `look whether ${channel.target} can be reached from here`,
  };
  const asked = channel
    .send(letter, { signal: control.signal, reached })
    .catch(
      (error: unknown): SendEnd => ({ how: 'failed', said: sentenceOf(error), todo: 'see the log', fault: 'passing' }),
    );
  const onAbort = (): void => control.abort();
  let cancel = clock.after(timeoutMs, onAbort);
  const left = new Promise<SendEnd>((leave) => {
    const begun = (): void => {
      cancel();
      cancel = clock.after(graceMs, () => leave(late));
    };
    control.signal.addEventListener('abort', begun, { once: true });
  });
  outer.addEventListener('abort', onAbort, { once: true });
  if (outer.aborted) control.abort();
  try {
    const end = await Promise.race([asked, left]);
    // It may have been taken at the last moment: what the other end says counts more than the time.
    return control.signal.aborted && end.how === 'failed' && !outer.aborted ? { ...end, ...late } : end;
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
  }
}
