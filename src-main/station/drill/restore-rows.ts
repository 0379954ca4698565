/** The restore into the sandbox: run, and judged. Rejects only when it was cancelled. */
import { mkdir } from 'node:fs/promises';
import { type Rehearsed, rehearseRestore } from '../../backup/rehearse-restore.ts';
import type { Means } from '../../backup/work-of-config.ts';
import { planWork } from '../../backup/work-of-restore.ts';
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/schema.ts';
import type { DrillRow } from '../../contract/drill.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { Role } from '../../contract/words.ts';
import type { Clock, Proc } from '../../engine/ports.ts';
import { sizeWords } from '../../engine/size.ts';
import { begun, check, listed } from '../doctor/check.ts';

export interface RestoreLook {
  config: Config;
  folder: DataFolder;
  /** absolute path of a folder that is not there yet */
  sandbox: string;
  role: Role;
  means: Means;
  clock: Clock;
  proc: Proc;
  runToken: string;
  signal: AbortSignal;
  onProgress: (bytes: number, total: number | null) => void;
}

/** @returns what was found, and which backup was restored; null: none */
export async function restoreRows(look: RestoreLook): Promise<{ rows: DrillRow[]; backup: string | null }> {
  const { config, role, means } = look;
  const say = check('restore', 'proven');
  const { backup } = config;
  if (role === 'active') {
    const what = 'This node is the active one, so nothing was restored: the data of the pair is what stands here.';
    return { rows: [say.skipped(what, '', 'Drill on the passive node.')], backup: null };
  }
  if (backup === null || config.restore === null) {
    const missing = backup === null ? 'backup' : 'restore';
    const what = `Nothing was restored into the sandbox: there is no section \`${missing}\` in estepe.yaml.`;
    const todo = 'See to it that the data of the PBX gets here by other means, and that it is good.';
    return { rows: [say.warning(what, 'Estepe keeps no copy of the data here', todo)], backup: null };
  }
  let name: string | null = null;
  try {
    const location = means.openBackups(backup);
    try {
      const { folder, sandbox, clock, proc, runToken, signal, onProgress } = look;
      const plan = planWork({ ...{ config, folder, location, clock, proc, role, runToken, signal }, ...means });
      await mkdir(sandbox, { recursive: true, mode: 0o700 });
      const done = await rehearseRestore({
        ...{ ...plan, sandbox, onProgress, how: { clock, signal } },
        onChosen: (choice) => {
          name = choice.backup.name;
        },
      });
      return { rows: judgeRehearsed(done), backup: name };
    } finally {
      await location.close();
    }
  } catch (error) {
    if (look.signal.aborted) throw error;
    return { rows: [judgeFailed(name, error)], backup: name };
  }
}

export function judgeFailed(name: string | null, error: unknown): DrillRow {
  const what =
    name === null ? 'No backup could be restored into the sandbox.' : `The backup ${name} could not be restored.`;
  const known = error instanceof EstepeError;
  const fault = known && typeof error.detail.fault === 'string' ? ` (${error.detail.fault})` : '';
  const todo = known && error.todo !== '' ? begun(error.todo) : 'See the log, then drill again';
  return check('restore', 'proven').problem(what, `${sentenceOf(error)}${fault}`, sentence(todo));
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

export function judgeRehearsed(done: Rehearsed): DrillRow[] {
  const { choice, files, bytes, changed, notHeld, byCommand, versionCompared } = done;
  const { name, verified } = choice.backup;
  const seen = [
    begun(choice.why),
    `${files} file${files === 1 ? '' : 's'}, ${sizeWords(bytes)}`,
    ...(changed > 0 ? [`${changed} changed while they were backed up`] : []),
  ].join('; ');
  const rows = [
    check('restore', 'proven').ok(
      byCommand
        ? `The backup ${name} was fetched and opened in the sandbox, and the PBX's own file in it proven by its hash.`
        : `The backup ${name} was restored into the sandbox, and every file proven by its hash in the manifest.`,
      seen,
    ),
  ];
  if (!verified)
    rows.push(
      check('restore', 'verified').warning(
        `The backup ${name} had never been read back before.`,
        '',
        'See on the active node why its backups are not verified.',
      ),
    );
  if (notHeld.length > 0)
    rows.push(
      check('restore', 'held').warning(
        `The backup does not hold ${listed(notHeld)}: what stands here of that is not of it.`,
        '',
        'Name the same in `backup.source` on both nodes, then make another backup.',
      ),
    );
  if (byCommand) {
    const compared = versionCompared ? 'the version of the PBX here fits' : 'the version of the PBX was not compared';
    const what = "The PBX's own restore command was not run: it would replace the data that stands here.";
    rows.push(check('restore', 'command').skipped(what, compared));
  }
  return rows;
}
