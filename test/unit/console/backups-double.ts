/** The backups' part of the desk double: what a passive node keeps, and a desk that begins, goes on and ends as told. */
import type { BackupKind, BackupsView, BackupWorkView } from '../../../src-main/contract/backups.ts';
import type { BackupsDesk } from '../../../src-main/contract/desk.ts';

const hour = 3600_000;
const day = 24 * hour;

/** `count` backups, one a day: the newest restored, the fourth never read back. */
export function rowsAt(now: number, count: number): BackupsView['rows'] {
  return Array.from({ length: count }, (_, i) => {
    const createdAt = now - 9 * hour - i * day;
    const stamp = new Date(createdAt).toISOString().replace(/[-:]|\.\d+/g, '');
    const verified = i !== 3;
    return {
      name: `head-office-192.0.2.1-${stamp}.zip.age`,
      createdAt,
      size: 812_345_678 - i * 1_234_567,
      encrypted: true,
      verified,
      verifiedAt: verified ? createdAt + 240_000 : null,
      restoredAt: i < 3 ? createdAt + 2 * hour : null,
    };
  });
}

/** A week of backups on a passive node. */
export function backupsAt(now: number): BackupsView {
  const rows = rowsAt(now, 7);
  const [newest] = rows;
  return {
    location: 'sftp://pbx@nas.example.com/3CX_PBX_Backups',
    rows,
    count: rows.length,
    listedAt: now - 60_000,
    listing: false,
    listTrouble: null,
    schedules: {
      backup: {
        cron: '0 1 * * *',
        timeZone: 'Europe/Madrid',
        nextAt: null,
        paused: 'the active node makes the backups',
        whenNewer: false,
      },
      restore: { cron: '0 3 * * *', timeZone: 'Europe/Madrid', nextAt: now + 3 * hour, paused: '', whenNewer: true },
    },
    work: null,
    last: {
      backup: null,
      verify: null,
      restore: {
        at: now - 7 * hour,
        by: 'schedule',
        name: newest?.name ?? null,
        ok: true,
        cancelled: false,
        sentence: 'restored and proven: 1,204 files',
        todo: '',
      },
    },
    restored: {
      name: newest?.name ?? '',
      createdAt: newest?.createdAt ?? 0,
      restoredAt: now - 7 * hour,
      proven: 'manifest and SHA-256 of every file',
    },
    refusals: {
      backup: 'this node is the passive one: a backup of it would be taken for the newest data of the pair',
      verify: null,
      restore: null,
    },
  };
}

/** As on a node whose configuration has no `backup` section. */
export function backupsOff(): BackupsView {
  const none = 'no backup section in estepe.yaml';
  return {
    location: null,
    rows: [],
    count: 0,
    listedAt: null,
    listing: false,
    listTrouble: null,
    schedules: { backup: null, restore: null },
    work: null,
    last: { backup: null, verify: null, restore: null },
    restored: null,
    refusals: { backup: none, verify: none, restore: none },
  };
}

/** A restore that fetches, half of it here. */
export function workAt(now: number, change: Partial<BackupWorkView> = {}): BackupWorkView {
  return {
    kind: 'restore',
    name: rowsAt(now, 1)[0]?.name ?? null,
    by: 'console',
    startedAt: now - 75_000,
    phase: 'fetch',
    bytes: 406_172_839,
    total: 812_345_678,
    setback: '',
    cancelling: false,
    ...change,
  };
}

/** Orders are recorded; refused where the view says so, else begun. What becomes of the work is the test's to say. */
export function backupsDesk(
  asked: { call: string; ask: unknown }[],
  held: () => BackupsView,
  change: (backups: BackupsView) => void,
): BackupsDesk {
  const begin = (kind: BackupKind, ask: { by: string; name?: string | null }) => {
    asked.push({ call: `backups.${kind === 'backup' ? 'run' : kind}`, ask });
    const refusal = held().refusals[kind];
    if (refusal !== null) return { accepted: false, reason: refusal };
    const busy = `a ${kind} is under way`;
    const work = workAt(Date.now(), {
      ...{ kind, by: ask.by, name: ask.name ?? null, startedAt: Date.now() },
      ...{ phase: kind === 'backup' ? 'source' : 'fetch', bytes: 0, total: null },
    });
    change({ ...held(), work, refusals: { backup: busy, verify: busy, restore: busy } });
    return { accepted: true, reason: 'ordered by a person' };
  };
  return {
    async refresh() {
      asked.push({ call: 'backups.refresh', ask: {} });
      change({ ...held(), listedAt: Date.now(), listTrouble: null });
      return { read: true };
    },
    run: (ask) => begin('backup', ask),
    verify: (ask) => begin('verify', ask),
    restore: (ask) => begin('restore', ask),
    cancel(ask) {
      asked.push({ call: 'backups.cancel', ask });
      const { work } = held();
      if (work === null) return { accepted: false, reason: 'nothing is under way' };
      change({ ...held(), work: { ...work, cancelling: true } });
      return { accepted: true, reason: 'cancelled by a person' };
    },
  };
}
