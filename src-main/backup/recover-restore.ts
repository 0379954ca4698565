/** Ends a restore that a crash cut off, and says so in history. Must not know how one is begun. */
import { rm } from 'node:fs/promises';
import type { ProfileName } from '../config/profiles.ts';
import type { Role } from '../contract/words.ts';
import type { Clock } from '../engine/ports.ts';
import type { Restores, Stands } from '../history/restores.ts';
import { recoverFolders } from './restoring/restore-folders.ts';
import { type Running, runAll } from './sources/run-line.ts';

/** How a restore is done on this node. */
export interface RestoreHere {
  profile: ProfileName;
  /** generic: where each folder and file goes, by the path it has on the node that makes the backup */
  targets: ReadonlyMap<string, string>;
  /** generic: the site's commands around the swap */
  before: readonly (readonly string[])[];
  after: readonly (readonly string[])[];
  /** 3CX: the password of its own backup file */
  password: string | null;
  /** absolute path: what is under way, for whoever comes after a crash */
  journal: string;
  /** absolute path of a folder for large files: restores alone use it, and it goes with each */
  scratch: string;
}

export interface RecoverWork {
  here: Pick<RestoreHere, 'before' | 'after' | 'journal' | 'scratch'>;
  /** where this node is now */
  role: Role;
  /** without a limit by its signal: what was stopped has to go on */
  running: Running;
  clock: Clock;
  history: Restores;
}

export interface RecoveredRestore {
  /** of the backup; null: history knows of none */
  name: string | null;
  stands: Stands;
  /** what was done, or what has to be done */
  sentence: string;
}

/**
 * To be called at the start of an engine and before a promotion, by whoever has the turn: whatever is under way is taken for cut off.
 * @returns null when there is none
 * @throws EstepeError when it cannot be ended; calling again goes on
 */
export async function recoverRestore(work: RecoverWork): Promise<RecoveredRestore | null> {
  const { here, role, running, clock, history } = work;
  const open = history.open();
  // Of the PBX's own restore, or of the site's commands, something may have outlived us.
  if (open !== null) await running.proc.endLeftovers(open.runToken);
  const around = {
    before: () => runAll(here.before, running),
    after: () => runAll(here.after, running),
  };
  const decided = (): void => {
    try {
      if (open !== null) history.mark(open.id, 'new');
    } catch {
      // A full disk. Cut off again right here it would be told as unknown, which is the safe side.
    }
  };
  const recovered = await recoverFolders(here.journal, around, role === 'active', decided);
  await rm(here.scratch, { recursive: true, force: true });
  const row = history.closeOpen(clock.wall(), recovered);
  if (row === null)
    return recovered === null ? null : { name: null, stands: recovered.ended, sentence: recovered.sentence };
  return { name: row.name, stands: row.stands, sentence: row.reason };
}
