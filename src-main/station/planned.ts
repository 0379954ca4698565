/** What a planned change of roles needs of this node: the storeroom and the link, as the runbook and the other node ask for them. */
import type { Storeroom } from '../backup/storeroom.ts';
import { sentenceOf } from '../contract/errors.ts';
import { durationWords } from '../contract/view.ts';
import type { PlannedSight } from '../engine/observation.ts';
import type { Clock } from '../engine/ports.ts';
import type { BackupMade } from '../peer/hooks.ts';
import type { PeerLink } from '../peer/link.ts';
import type { PairAtWork } from '../runbook/planned.ts';

export interface PlannedParts {
  clock: Clock;
  storeroom: Storeroom;
  /** whether the configuration has this node start as the active one */
  home(): boolean;
  /** asked late: the link is made after the engine */
  link(): PeerLink;
}

export function plannedSight({ clock, storeroom, link, home }: PlannedParts): PlannedSight {
  const { paired, lastHeardAt, trouble } = link().state();
  const heardAgoMs = lastHeardAt === null ? null : clock.now() - lastHeardAt;
  return { link: { paired, heardAgoMs, trouble }, ...storeroom.forPlanned(), home: home() };
}

export function pairAtWork({ storeroom, link }: PlannedParts): PairAtWork {
  return {
    peer: {
      askBackup: (...ask) => link().askBackup(...ask),
      askStandDown: (...ask) => link().askStandDown(...ask),
      calls: (signal) => link().calls(signal),
    },
    async restore(name, signal) {
      try {
        const order = { kind: 'restore', by: 'a runbook', name } as const;
        return { ok: true, sentence: (await storeroom.commissioned(order, signal)).sentence };
      } catch (error) {
        return { ok: false, sentence: sentenceOf(error) };
      }
    },
  };
}

/** The other node asked for a backup: made, read back, and how far it is in the meantime. Never rejects. */
export async function backupForOther(
  { clock, storeroom }: PlannedParts,
  ended: AbortSignal,
  onProgress: (sentence: string) => void,
): Promise<BackupMade> {
  const begun = clock.now();
  let over = false;
  const tell = (): void => {
    if (over) return;
    const { work } = storeroom.view();
    const phase = work?.kind === 'backup' ? `, ${work.phase}` : '';
    onProgress(`The other node makes a backup, for ${durationWords(clock.now() - begun)}${phase}.`);
    clock.after(tellEveryMs, tell);
  };
  tell();
  try {
    const order = { kind: 'backup', by: 'the other node', name: null } as const;
    const { name, verified, sentence } = await storeroom.commissioned(order, ended);
    return { made: { name, createdAt: verified ?? 0, verified: verified !== null }, sentence };
  } catch (error) {
    return { made: null, sentence: sentenceOf(error) };
  } finally {
    over = true;
  }
}

const tellEveryMs = 2_000;
