/** The order to end the process that an engine runs in, so that an update can be installed. */
import type { Desk } from '../contract/desk.ts';
import { EstepeError } from '../contract/errors.ts';

/**
 * @param onStop ends the process; absent: more than the engine runs in it
 * @param note told who ordered it, in a sentence
 */
export function stopOrder(onStop: ((by: string) => void) | undefined, note: (sentence: string) => void): Desk['stop'] {
  return ({ by, reason }) => {
    if (onStop === undefined) {
      const what = 'This engine runs inside another program (the window, the lab) and ends with that one alone.';
      throw new EstepeError('refused', what, 'quit that program');
    }
    note(`${by} stops the engine${reason === '' ? '' : `: ${reason}`}`);
    // after the answer
    setImmediate(onStop, by);
    return { pid: process.pid };
  };
}
