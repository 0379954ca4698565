/** Runs the doctor's looks side by side, each within its bound. Never rejects, never hangs; knows nothing of what they look at. */
import type { DoctorArea, DoctorCheck } from '../../contract/doctor.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { Clock } from '../../engine/ports.ts';
import { within } from '../../peer/within.ts';
import { begun, check } from './check.ts';

export interface Look {
  area: DoctorArea;
  /** as it stands in a sentence: `the location` */
  what: string;
  withinMs: number;
  run(signal: AbortSignal): Promise<readonly DoctorCheck[]>;
}

export interface Examining {
  clock: Clock;
  signal: AbortSignal;
  /** a look has ended */
  onEnd(look: Look): void;
}

/** A look that does not end, or fails, is a check that says so. */
export async function examine(looks: readonly Look[], { clock, signal, onEnd }: Examining): Promise<DoctorCheck[]> {
  const found = await Promise.all(
    looks.map(async (look) => {
      try {
        return await within(clock, look.withinMs, signal, (own) => look.run(own));
      } catch (error) {
        const todo =
          error instanceof EstepeError && error.code !== 'location' ? error.todo : 'Look again, and see the log.';
        const say = check(look.area, `looked.${look.what.replaceAll(/[^a-z]+/gi, '-')}`);
        return [say.warning(`${begun(look.what)} could not be looked at.`, sentenceOf(error), begun(todo))];
      } finally {
        onEnd(look);
      }
    }),
  );
  return found.flat();
}
