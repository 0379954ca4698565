/** The three kinds of work, from the configuration to a sentence. Each rejects as what it is made of does. */
import { makeBackup } from '../make-backup.ts';
import { restoreBackup } from '../restore-backup.ts';
import { verifyBackup } from '../shelf.ts';
import { backupWork } from '../work-of-config.ts';
import { restoreWork } from '../work-of-restore.ts';
import type { StoreroomParts } from './parts.ts';
import type { Achieved, Work } from './work.ts';

const filesWords = (files: number): string => `${files} file${files === 1 ? '' : 's'}`;

/** @throws ArchiveError, LocationError, EstepeError */
export async function carryOut(work: Work, parts: StoreroomParts): Promise<Achieved> {
  const config = parts.config();
  const { backup } = config;
  if (backup === null) throw new Error('there is no location');
  const location = parts.means.openBackups(backup);
  try {
    const { clock, proc, patience } = parts;
    const { epoch, role } = parts.around.standing();
    const hear = {
      onProgress: work.progress.bind(work),
      onSetback: work.setback.bind(work),
      ...(patience === undefined ? {} : { patience }),
    };
    const runToken = parts.random.hex(8);
    const given = { ...parts.means, config, location, clock, proc, epoch, runToken, signal: work.signal };
    switch (work.kind) {
      case 'backup':
        return await makeOne({ ...backupWork({ ...given, backup, spool: parts.folder.spool }), ...hear });
      case 'verify':
        return await verifyOne({ location, pair: config.pair.name }, work, { clock, signal: work.signal, ...hear });
      case 'restore': {
        const how = restoreWork({ ...given, folder: parts.folder, history: parts.restores, role });
        const onChosen = ({ backup: { name } }: { backup: { name: string } }): void => {
          work.name = name;
        };
        const force = work.by !== 'schedule';
        return await restoreOne({ ...how, name: work.asked, force, by: work.by, ...hear, onChosen });
      }
    }
  } finally {
    await location.close();
  }
}

async function makeOne(what: Parameters<typeof makeBackup>[0]): Promise<Achieved> {
  const { proof, already, removed, troubles } = await makeBackup(what);
  const { name, files, bytes, size, changed, leftOut, createdAt } = proof;
  const notes = [
    changed > 0 ? `${filesWords(changed)} changed while they were read` : '',
    leftOut > 0 ? `${leftOut} things are not in it (its manifest says why)` : '',
  ].filter((note) => note !== '');
  const made = `The backup ${name} was made and read back equal: ${[filesWords(files), ...notes].join('; ')}.`;
  const sentence = already ? `The backup ${name} holds this very data and is verified: nothing was made.` : made;
  const evidence = { name, files, bytes, size, changed, leftOut, removed };
  return { name, sentence, troubles, evidence, already, verified: createdAt };
}

async function verifyOne(
  shelf: Parameters<typeof verifyBackup>[0],
  work: Work,
  how: Parameters<typeof verifyBackup>[2],
): Promise<Achieved> {
  const proof = await verifyBackup(shelf, work.asked, how, (progress) =>
    work.progress({ phase: 'verify', ...progress }),
  );
  const { name, size, createdAt } = proof;
  const sentence = `The backup ${name} was read back whole and is what was made.`;
  return { name, sentence, troubles: [], evidence: { name, size }, already: false, verified: createdAt };
}

async function restoreOne(what: Parameters<typeof restoreBackup>[0]): Promise<Achieved> {
  const { name, already, why, proven, files, bytes, troubles } = await restoreBackup(what);
  const sentence = already
    ? `The backup ${name}, or newer data, stands here already: nothing was restored.`
    : `The backup ${name} was restored here (${why}). Proven: ${proven}.`;
  return { name, sentence, troubles, evidence: { name, files, bytes, why }, already, verified: null };
}
