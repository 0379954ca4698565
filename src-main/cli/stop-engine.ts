/** Ends the engine on a data folder in order, and waits until it is gone. */
import { setTimeout as pause } from 'node:timers/promises';
import { readEndpoint } from '../config/endpoint.ts';
import { findEngine } from '../console/engine-client.ts';
import { EstepeError } from '../contract/errors.ts';
import { whoAmI } from './session.ts';

/** Over the 30 s that `estepe serve` gives what is under way. */
const goneWithinMs = 45_000;

/**
 * Where none runs nothing is done.
 * @throws EstepeError `refused` where it cannot be ended from outside, `no-engine` when it does not answer or end
 */
export async function stopEngine(dataFolder: string, reason: string): Promise<void> {
  if (readEndpoint(dataFolder).state !== 'live') return;
  try {
    await findEngine(dataFolder).call((client) => client.stop({ by: whoAmI(), reason }));
  } catch (error) {
    // One that ends may take the line with it: whether it is gone is what counts.
    if (!(error instanceof EstepeError) || error.code !== 'no-engine') throw error;
  }
  for (const until = performance.now() + goneWithinMs; performance.now() < until; await pause(100)) {
    if (readEndpoint(dataFolder).state !== 'live') return;
  }
  throw new EstepeError(
    'no-engine',
    `The engine on ${dataFolder} has not ended within ${goneWithinMs / 1000} s.`,
    'look at its log, and end its process',
  );
}
