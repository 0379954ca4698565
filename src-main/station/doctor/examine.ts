/** Runs the doctor's looks side by side, each within its bound. Never rejects, never hangs; knows nothing of what they look at. */
import type { DoctorArea } from '../../contract/doctor.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { Clock } from '../../engine/ports.ts';
import { within } from '../../peer/within.ts';
import { begun, check, type Found } from './check.ts';

export interface Look<A extends string = DoctorArea> {
  area: A;
  /** as it stands in a sentence: `the location` */
  what: string;
  withinMs: number;
  /** a promotion stands on it: a drill asks it, too */
  promotion?: true;
  run(signal: AbortSignal): Promise<readonly Found<A>[]>;
}

export interface Examining<A extends string> {
  clock: Clock;
  signal: AbortSignal;
  /** a look has ended */
  onEnd(look: Look<A>): void;
}

/** A look that does not end, or fails, is a check that says so. */
export async function examine<A extends string>(
  looks: readonly Look<A>[],
  { clock, signal, onEnd }: Examining<A>,
): Promise<Found<A>[]> {
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
