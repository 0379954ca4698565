/** The rehearsal of a promotion: when it runs by itself, and how long a passed one counts. */
import { duration, scheduleOrOff, timeZone } from '../scalars.ts';
import { group } from './form.ts';

export const drill = group('The drill: everything of a promotion short of going live, in a sandbox.', {
  schedule: scheduleOrOff('When the passive node drills by itself; off: only when a person asks.').prefault(
    '0 4 1 * *',
  ),
  timeZone: timeZone("Time zone of the schedule. Default: the machine's.").optional(),
  maxAge: duration('promotion.mode automatic: how old the last passed drill may be.', '1d', '3650d').prefault('90d'),
});
