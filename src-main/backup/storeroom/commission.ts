/**
 * Work that a runbook of the pair orders, this node's own or the other one's, and waits for: begun once nothing else is under way,
 * also while a runbook is open. Must not know why it is ordered.
 */
import type { BackupAnswer, BackupKind } from '../../contract/backups.ts';
import { EstepeError } from '../../contract/errors.ts';
import type { Achieved, Work } from './work.ts';

export interface Commission {
  kind: Exclude<BackupKind, 'verify'>;
  /** as history shows it */
  by: string;
  /** of the backup to be restored; null for a backup */
  name: string | null;
}

export interface Room {
  work(): Work | null;
  begin(commission: Commission): BackupAnswer;
}

/** @throws EstepeError `refused`, `cancelled`; as the work failed */
export async function commission(room: Room, order: Commission, signal: AbortSignal): Promise<Achieved> {
  const stopped = new EstepeError('refused', `The ${order.kind} was cancelled.`, 'order it again when it is wanted');
  for (let other = room.work(); other !== null; other = room.work()) {
    await Promise.race([other.done, aborted(signal)]);
    if (signal.aborted) throw stopped;
  }
  const { accepted, reason } = room.begin(order);
  const work = room.work();
  if (!accepted || work === null) throw new EstepeError('refused', reason, 'look at `estepe status` there');
  const cancel = (): void => work.cancel('runbook');
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await work.done;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  if (work.end === null || signal.aborted) throw stopped;
  if ('error' in work.end) throw work.end.error;
  return work.end.achieved;
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((go) => (signal.aborted ? go() : signal.addEventListener('abort', () => go(), { once: true })));
