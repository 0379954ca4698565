/** Words of backups and restores (contract/backups.ts) in the reader's language. */
import type { BackupKind, BackupWorkView } from '../../src-main/contract/backups.ts';
import { shareDone } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';

export const kindWord: Record<BackupKind, () => string> = {
  backup: m.work_backup,
  verify: m.work_verify,
  restore: m.work_restore,
};

export const cancelWord: Record<BackupKind, () => string> = {
  backup: m.cancel_backup,
  verify: m.cancel_verify,
  restore: m.cancel_restore,
};

const phaseWords: Partial<Record<string, () => string>> = {
  source: m.work_phase_source,
  hash: m.work_phase_hash,
  store: m.work_phase_store,
  verify: m.work_phase_verify,
  rotate: m.work_phase_rotate,
  list: m.work_phase_list,
  fetch: m.work_phase_fetch,
  prove: m.work_phase_prove,
  restore: m.work_phase_restore,
};

/** Null for a phase that this page does not know yet: the engine's own name for it is shown then. */
export function workPhaseWord(phase: string): string | null {
  return phaseWords[phase]?.() ?? null;
}

/** `35 %`, rounded down: nothing looks done before it is. Null where it is not known how much there is. */
export function percentWords(work: Pick<BackupWorkView, 'bytes' | 'total'>): string | null {
  const share = shareDone(work);
  return share === null ? null : `${Math.floor(share * 100)} %`;
}

/** `Restoring: fetching 35 %` */
export function workWords(work: BackupWorkView): string {
  const how = [workPhaseWord(work.phase), percentWords(work)].filter((part) => part !== null).join(' ');
  return how === '' ? kindWord[work.kind]() : `${kindWord[work.kind]()}: ${how}`;
}

/** Who gave the order. */
export function byWords(by: string): string {
  return by === 'schedule' ? m.by_schedule() : m.maintenance_by({ by });
}
