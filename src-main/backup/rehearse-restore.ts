/**
 * A restore into a sandbox: chosen, fetched, proven and put in place as a real one is, with every path below one folder of its own and
 * without the site's or the PBX's commands. Changes nothing else: not the location, not history, not what stands restored here.
 */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ArchiveError } from './archive/faults.ts';
import type { Proven } from './archive/read-archive.ts';
import type { Choice } from './choose-backup.ts';
import { fetchBackup } from './fetch-backup.ts';
import type { Persistence } from './patience.ts';
import { choose, expectationOf, lookAt, type PlanWork, requirePassive } from './plan-restore.ts';
import { takeOut } from './restoring/restore-by-command.ts';
import { restoreFolders } from './restoring/restore-folders.ts';

export interface Rehearsal extends Omit<PlanWork, 'name'> {
  /** absolute path of an empty folder that is there; the caller removes it */
  sandbox: string;
  how: Persistence;
  /** told which backup it is, once that is known */
  onChosen: (choice: Choice) => void;
  /** bytes of the archive while it is fetched, then of its files while they are proven */
  onProgress: (bytes: number, total: number | null) => void;
}

export interface Rehearsed {
  choice: Choice;
  files: number;
  /** of all files, before packing */
  bytes: number;
  /** of the PBX itself; false: one of the two is unknown */
  versionCompared: boolean;
  /** how many files changed while they were backed up */
  changed: number;
  /** what the configuration here names and the backup does not hold */
  notHeld: string[];
  /** the PBX's own command would have to follow, and was not run */
  byCommand: boolean;
}

/**
 * @throws ArchiveError (`detail.fault` is why the backup would be refused), LocationError (`cancelled` too), EstepeError `refused` on
 * the active node, `not-found`, `backup`
 */
export async function rehearseRestore(rehearsal: Rehearsal): Promise<Rehearsed> {
  const { sandbox, how, onChosen, onProgress, location } = rehearsal;
  const at = (name: string): string => join(sandbox, name);
  const here = { ...rehearsal.here, scratch: at('scratch'), journal: at('restore.json') };
  const plan: PlanWork = { ...rehearsal, here, name: null };
  requirePassive(plan);
  const choice = await choose(plan, how);
  const { name, size, proof } = choice.backup;
  onChosen(choice);
  const expect = await expectationOf(plan);
  await lookAt(choice.backup, plan, expect);
  const file = at(name);
  onProgress(0, size);
  const fetched = await fetchBackup(location, name, file, how, ({ bytes }) => onProgress(bytes, size));
  if (proof !== null && (fetched.size !== proof.size || fetched.sha256 !== proof.sha256))
    throw new ArchiveError('damaged', 'It is not what was made: its SHA-256 is not the one in its proof.');
  const total = proof?.bytes ?? null;
  onProgress(0, total);
  const proving = (bytes: number): void => onProgress(total === null ? bytes : Math.min(bytes, total), total);
  const { profile, targets } = here;
  if (profile !== 'generic') {
    const work = at('own');
    await mkdir(work);
    const { key, running } = rehearsal;
    const { proven } = await takeOut({ profile, file, key, expect, running, onProgress: proving }, work);
    return { choice, ...countsOf(proven), notHeld: [], byCommand: true };
  }
  const inside = new Map<string, string>();
  for (const path of targets.keys()) {
    // Two may have one name: each stands in a folder of its own.
    const parent = at(`in-${inside.size}`);
    await mkdir(parent);
    inside.set(path, join(parent, basename(path) || 'root'));
  }
  const around = { before: async () => {}, after: async () => {} };
  const { proven, notHeld } = await restoreFolders(
    { ...{ file, expect, around, key: rehearsal.key, targets: inside }, scratch: here.scratch, journal: here.journal },
    { signal: how.signal, onProgress: proving },
  );
  return { choice, ...countsOf(proven), notHeld, byCommand: false };
}

const countsOf = ({ files, bytes, versionCompared, changes }: Proven) => ({
  files,
  bytes,
  versionCompared,
  changed: changes.length,
});
