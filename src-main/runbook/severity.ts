/** How grave it is to come into a phase, as history shows it; those that are not named are no matter of concern. */
import type { Phase, Severity } from '../contract/words.ts';

export const graveOf: Partial<Record<Phase, Severity>> = {
  suspecting: 'warning',
  isolated: 'alert',
  conflicting: 'alert',
  awaiting: 'alert',
  promoting: 'alert',
  halted: 'alert',
  active: 'alert',
  'standing-down': 'alert',
};
