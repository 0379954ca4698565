/** Which of two takeovers gives way, where both nodes are ordered to take over and could not see each other's claims. Pure. */
import type { RunbookRecord } from '../engine/ports.ts';

/** The lowest epoch that goes before what is open here; 0: nothing is. Each epoch is one node's (epoch-numbers.ts): of two the higher one goes. */
export function givesWayFrom(record: Pick<RunbookRecord, 'kind' | 'status' | 'epoch' | 'dryRun'> | null): number {
  const open = record !== null && !record.dryRun && (record.status === 'running' || record.status === 'halted');
  return open && record.epoch !== null && record.kind !== 'stand-down' ? record.epoch + 1 : 0;
}
