/** `estepe restore run|list`: a backup restored on this node, and what was restored here before. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { planRestore } from '../backup/plan-restore.ts';
import { type RestoreDone, restoreBackup } from '../backup/restore-backup.ts';
import { takeTurn } from '../backup/work-of-config.ts';
import { planWork, restoreWork } from '../backup/work-of-restore.ts';
import { type DataFolder, dataFolderAt, openDataFolder } from '../config/data-folder.ts';
import { takeOwnership } from '../config/owner.ts';
import { durationWords } from '../contract/view.ts';
import { sizeWords } from '../engine/size.ts';
import { type History, openHistory } from '../history/history.ts';
import type { RestoredNow, RestoreRow } from '../history/restores.ts';
import { RealProc } from '../runbook/real-proc.ts';
import { byEngine, runningEngine } from './engine-work.ts';
import { wholeNumber } from './history.ts';
import { type Done, type Paint, type Run, type Session, whoAmI } from './session.ts';
import { clock as dateWords } from './status.ts';
import {
  progressLine,
  progressWords,
  restoresIn,
  type Storage,
  setbackWords,
  standingIn,
  withStorage,
} from './storage.ts';

export function addRestore(program: Command, run: Run): void {
  const restore = program
    .command('restore')
    .helpCommand(false)
    .description('backups restored on this node, and which were');
  restore
    .command('run')
    .description('restore one now: fetched, proven, put in place; services stay as they are')
    .argument('[name]', 'default: the newest that was read back')
    .option('--dry-run', 'only say which one, whether it would be taken, and where it goes')
    .action(
      run<{ dryRun?: boolean }>(async (session, options, [name = null]) => {
        if (options.dryRun === true) return withStorage(session, (storage) => dryRun(session, storage, name));
        const engine = runningEngine(session.dataFolder);
        if (engine === null) return withStorage(session, (storage) => runHere(session, storage, name));
        return byEngine(session, engine, {
          kind: 'restore',
          give: (client, by) => client.backups.restore({ by, name }),
        });
      }),
    );
  restore
    .command('list')
    .description('what was restored here: from which backup, proven how, how it ended; newest first')
    .option('--limit <number>', 'how many rows at most', '20')
    .action(run<{ limit: string }>(async (session, { limit }) => list(session, wholeNumber(limit))));
}

/** Without an engine. The folder is owned meanwhile: none starts in the middle of it. */
async function runHere(session: Session, storage: Storage, name: string | null): Promise<Done> {
  const line = progressLine(session);
  try {
    return await withHistory(openDataFolder(session.dataFolder), async (folder, history) => {
      const { role, epoch } = history.standing() ?? { role: storage.config.role, epoch: 0 };
      storage.signal.addEventListener('abort', () => line.show('cancelling …'), { once: true });
      const done = await restoreBackup({
        ...restoreWork({ ...storage, ...means(folder), history: history.restores, role, epoch }),
        name,
        force: true,
        by: whoAmI(),
        onProgress: (progress) => line.show(progressWords(progress)),
        onSetback: (setback) => line.show(setbackWords(setback)),
      });
      line.end();
      const text = doneText(done, storage.clock.wall(), session.paint);
      return { exit: done.troubles.length === 0 ? 0 : 1, document: done, text };
    });
  } finally {
    line.end();
  }
}

const means = (folder: DataFolder) => ({ folder, proc: new RealProc(), runToken: randomBytes(8).toString('hex') });

/** @throws EstepeError `owned`, `database` */
async function withHistory<T>(
  folder: DataFolder,
  call: (folder: DataFolder, history: History) => Promise<T>,
): Promise<T> {
  // Whoever makes a backup here says so in better words than the folder's owner does.
  const turn = takeTurn(folder);
  try {
    const ownership = takeOwnership(folder);
    try {
      const history = openHistory(folder.db);
      try {
        return await call(folder, history);
      } finally {
        history.close();
      }
    } finally {
      ownership.release();
    }
  } finally {
    turn.release();
  }
}

function doneText({ name, createdAt, why, proven, files, bytes, troubles }: RestoreDone, now: number, paint: Paint) {
  const lines = [
    `${paint('green', name)}: restored, ${files} ${files === 1 ? 'file' : 'files'} (${sizeWords(bytes)}); its data is ${durationWords(now - createdAt)} old.`,
    `Chosen: ${why}.`,
    `Proven: ${proven}.`,
    ...troubles.map(({ sentence, todo }) => paint('red', `! ${sentence} (${todo})`)),
  ];
  return lines.join('\n');
}

async function dryRun(session: Session, storage: Storage, name: string | null): Promise<Done> {
  const { config, clock, signal } = storage;
  const folder = openDataFolder(session.dataFolder);
  const { role } = standingIn(folder.db) ?? { role: config.role };
  const now = restoresIn(folder.db, null, (restores) => restores.restoredNow());
  const line = progressLine(session);
  try {
    const work = planWork({ ...storage, ...means(folder), role });
    const onSetback = (setback: Parameters<typeof setbackWords>[0]): void => line.show(setbackWords(setback));
    const { backup, why, already, refusal } = await planRestore({ ...work, name }, now, { clock, signal, onSetback });
    line.end();
    const { targets, before, after, profile } = work.here;
    const into = profile === 'generic' ? [...targets].map(([from, to]) => ({ from, to })) : [];
    const age = durationWords(clock.wall() - backup.createdAt);
    const lines = [
      `${backup.name} would be restored (${sizeWords(backup.size)}, its data is ${age} old): ${why}.`,
      already ? 'It, or newer data, stands here already; ordered by a person it is restored again.' : '',
      ...into.map(({ from, to }) => (from === to ? `  ${to}` : `  ${from} -> ${to}`)),
      ...before.map((argv) => `  before: ${argv.join(' ')}`),
      ...after.map((argv) => `  after: ${argv.join(' ')}`),
      refusal === null
        ? ''
        : session.paint('red', `! Refused (${refusal.fault}): ${refusal.sentence} (${refusal.todo})`),
    ];
    const { name: chosen, createdAt, size, verified } = backup;
    return {
      exit: refusal === null ? 0 : 1,
      document: { name: chosen, createdAt, size, verified, why, already, refusal, into, before, after },
      text: lines.filter((text) => text !== '').join('\n'),
    };
  } finally {
    line.end();
  }
}

async function list({ dataFolder, paint }: Session, limit: number): Promise<Done> {
  const { db } = dataFolderAt(dataFolder);
  const none: { now: RestoredNow | null; rows: RestoreRow[] } = { now: null, rows: [] };
  const { now, rows } = restoresIn(db, none, (restores) => ({
    now: restores.restoredNow(),
    rows: restores.list(limit),
  }));
  const shown = rows.map(({ runToken: _, ...row }) => row);
  const text =
    rows.length === 0
      ? 'Nothing was restored here yet.'
      : [...rows.map((row) => rowLine(row, paint)), nowLine(now)].join('\n');
  return { exit: 0, document: { now, restores: shown }, text };
}

function rowLine({ begunAt, endedAt, outcome, name, createdAt, by, proven, reason, stands }: RestoreRow, paint: Paint) {
  const colour = outcome === 'restored' ? 'green' : stands === 'unknown' || outcome === 'failed' ? 'red' : 'yellow';
  const how = [proven === '' ? '' : `proven: ${proven}`, reason].filter((part) => part !== '').join('; ');
  const took = endedAt === null ? 'under way, or cut off' : `took ${durationWords(Math.max(0, endedAt - begunAt))}`;
  const word = paint(colour, (outcome ?? '…').padEnd(10));
  return `${dateWords(begunAt)}  ${word}  ${name}  data of ${dateWords(createdAt)}, by ${by}, ${took}${how === '' ? '' : `; ${how}`}`;
}

function nowLine(now: RestoredNow | null): string {
  if (now === null) return 'Nothing of it stands here.';
  const { name, createdAt, verified, proven } = now;
  if (verified) return `Here stands ${name}, data of ${dateWords(createdAt)}.`;
  return `What stands here is not verified: ${proven}`;
}
