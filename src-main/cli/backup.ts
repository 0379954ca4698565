/** `estepe backup run|list|verify`: backups made, shown and read back from here; by the engine where one runs. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { type BackupDone, makeBackup } from '../backup/make-backup.ts';
import type { Proof } from '../backup/proof.ts';
import { type Backup, listBackups, verifyBackup } from '../backup/shelf.ts';
import { backupWork, passiveMakesNone, takeTurn } from '../backup/work-of-config.ts';
import { openDataFolder } from '../config/data-folder.ts';
import { EstepeError } from '../contract/errors.ts';
import { durationWords, isFuture } from '../contract/view.ts';
import { sizeWords } from '../engine/size.ts';
import { RealProc } from '../runbook/real-proc.ts';
import { byEngine, runningEngine } from './engine-work.ts';
import type { Done, Paint, Run, Session } from './session.ts';
import { clock as dateWords } from './status.ts';
import { progressLine, progressWords, type Storage, setbackWords, standingIn, withStorage } from './storage.ts';

export function addBackup(program: Command, run: Run): void {
  const backup = program
    .command('backup')
    .helpCommand(false)
    .description('backups in the location: made, listed, read back');
  backup
    .command('run')
    .description('make one now: source, archive, location, read back; then older ones beyond `keep` go')
    .action(
      run(async (session) => {
        const engine = runningEngine(session.dataFolder);
        if (engine === null) return withStorage(session, (storage) => runBackup(session, storage));
        return byEngine(session, engine, { kind: 'backup', give: (client, by) => client.backups.run({ by }) });
      }),
    );
  backup
    .command('list')
    .description('what is there, newest first')
    .action(run((session) => withStorage(session, (storage) => list(session, storage))));
  backup
    .command('verify')
    .description('read one back whole and hold it against its proof')
    .argument('[name]', 'default: the newest')
    .action(
      run(async (session, _options, [name = null]) => {
        const engine = runningEngine(session.dataFolder);
        if (engine === null) return withStorage(session, (storage) => verify(session, storage, name));
        return byEngine(session, engine, {
          kind: 'verify',
          give: (client, by) => client.backups.verify({ by, name }),
        });
      }),
    );
}

async function runBackup(session: Session, storage: Storage): Promise<Done> {
  const { config } = storage;
  const folder = openDataFolder(session.dataFolder);
  const standing = standingIn(folder.db);
  const role = standing?.role ?? config.role;
  if (role !== 'active') {
    throw new EstepeError('refused', passiveMakesNone, 'run it on the active node', { role });
  }
  const line = progressLine(session);
  const only = takeTurn(folder);
  try {
    const done = await makeBackup({
      ...backupWork({
        ...storage,
        proc: new RealProc(),
        epoch: standing?.epoch ?? 0,
        spool: folder.spool,
        runToken: randomBytes(8).toString('hex'),
      }),
      onProgress: (progress) => line.show(progressWords(progress)),
      onSetback: (setback) => line.show(setbackWords(setback)),
    });
    return { exit: done.troubles.length === 0 ? 0 : 1, document: done, text: doneText(done, session.paint, line.end) };
  } finally {
    line.end();
    only.release();
  }
}

function doneText({ proof, already, removed, troubles }: BackupDone, paint: Paint, clear: () => void): string {
  clear();
  const lines = [
    already
      ? `${proof.name} holds this very data and is verified: nothing was made.`
      : `${paint('green', proof.name)}: ${sizeWords(proof.size)}, ${proof.files} ${proof.files === 1 ? 'file' : 'files'} (${sizeWords(proof.bytes)}), read back equal.`,
  ];
  if (proof.changed > 0) lines.push(paint('yellow', `! ${proof.changed} files changed while they were read.`));
  if (proof.leftOut > 0) lines.push(paint('yellow', `! ${proof.leftOut} things are not in it; its manifest says why.`));
  if (removed.length > 0) lines.push(`Removed: ${removed.join(', ')}`);
  for (const { sentence, todo } of troubles) lines.push(paint('red', `! ${sentence} (${todo})`));
  return lines.join('\n');
}

async function list({ paint }: Session, { config, location, clock, signal }: Storage): Promise<Done> {
  const { name: pair } = config.pair;
  const now = clock.wall();
  const backups = await listBackups({ location, pair }, signal);
  const lines = backups.map((backup) => backupLine(backup, now, paint));
  const text = lines.length === 0 ? `There is no backup of ${pair} in ${location.title}.` : lines.join('\n');
  const rows = backups.map((backup) => ({ ...backup, ageMs: Math.max(0, now - backup.createdAt) }));
  return { exit: 0, document: { location: location.title, pair, backups: rows }, text };
}

function backupLine({ name, createdAt, size, verified }: Backup, now: number, paint: Paint): string {
  const word = verified ? paint('green', 'verified') : paint('yellow', 'not verified');
  const age = isFuture(createdAt, now) ? 'in the future' : `${durationWords(now - createdAt)} old`;
  return `${dateWords(createdAt)}  ${age.padStart(17)}  ${sizeWords(size).padStart(8)}  ${name}  ${word}`;
}

async function verify(session: Session, storage: Storage, name: string | null): Promise<Done> {
  const { config, location, clock, signal } = storage;
  const line = progressLine(session);
  let proof: Proof;
  try {
    const onSetback = (setback: Parameters<typeof setbackWords>[0]): void => line.show(setbackWords(setback));
    const shelf = { location, pair: config.pair.name };
    proof = await verifyBackup(shelf, name, { clock, signal, onSetback }, (progress) =>
      line.show(progressWords({ phase: 'verify', ...progress })),
    );
  } finally {
    line.end();
  }
  const text = `${session.paint('green', proof.name)}: all ${sizeWords(proof.size)} are what was made on ${dateWords(proof.createdAt)}.`;
  return { exit: 0, document: proof, text };
}
