/** What a restore would do, and whether it may: all that can be told before a byte is fetched. Changes nothing. */
import { dirname } from 'node:path';
import { EstepeError } from '../contract/errors.ts';
import { isFuture } from '../contract/view.ts';
import type { Role } from '../contract/words.ts';
import type { Clock } from '../engine/ports.ts';
import type { RestoredNow } from '../history/restores.ts';
import type { Key } from './archive/encryption.ts';
import { ArchiveError } from './archive/faults.ts';
import { checkOwner, type Expectation } from './archive/read-archive.ts';
import { type Choice, chooseBackup } from './choose-backup.ts';
import { requireRoom } from './fetch-backup.ts';
import type { Location } from './location.ts';
import { parseBackupName } from './names.ts';
import { type Persistence, patiently } from './patience.ts';
import type { RestoreHere } from './recover-restore.ts';
import { type Backup, listBackups } from './shelf.ts';
import { pbxVersion } from './sources/pbx-version.ts';
import type { Running } from './sources/run-line.ts';

export interface PlanWork {
  location: Location;
  pair: { name: string; fqdn: string };
  /** null: the one that `chooseBackup` takes */
  name: string | null;
  /** where this node is now: on the active one nothing is restored */
  role: Role;
  here: RestoreHere;
  /** null: encrypted ones cannot be opened */
  key: Key | null;
  running: Running;
  clock: Clock;
}

export interface RestorePlan extends Choice {
  /** it, or newer data, stands here already */
  already: boolean;
  /** why it would be refused, as far as its proof tells; null: it would be tried */
  refusal: { fault: string; sentence: string; todo: string } | null;
}

/**
 * @param now what stands here
 * @throws LocationError, EstepeError `refused` on the active node, `not-found`
 */
export async function planRestore(work: PlanWork, now: RestoredNow | null, how: Persistence): Promise<RestorePlan> {
  requirePassive(work);
  const choice = await choose(work, how);
  let refusal: RestorePlan['refusal'] = null;
  try {
    await lookAt(choice.backup, work, await expectationOf(work));
  } catch (error) {
    if (!(error instanceof EstepeError)) throw error;
    const { detail, code, message: sentence, todo } = error;
    refusal = { fault: String(detail.fault ?? code), sentence, todo };
  }
  return { ...choice, already: standsHere(now, choice.backup, work.clock.wall()), refusal };
}

/** @throws EstepeError `refused` */
export function requirePassive({ role }: PlanWork): void {
  if (role !== 'active') return;
  throw new EstepeError(
    'refused',
    'This node is the active one: a restore would replace the data that it works with.',
    'restore on the passive node',
    { role },
  );
}

/** @throws LocationError, EstepeError `not-found` */
export async function choose({ location, pair, name, clock }: PlanWork, how: Persistence): Promise<Choice> {
  const backups = await patiently(() => listBackups({ location, pair: pair.name }, how.signal), how);
  return chooseBackup(backups, name, clock.wall(), location.title);
}

export async function expectationOf({ pair, here, running }: PlanWork): Promise<Expectation> {
  const version = await pbxVersion(here.profile, running);
  return { pair: pair.name, fqdn: pair.fqdn, pbxVersion: version, maxBytes: null };
}

/** Whether going back to it would bring nothing that is newer than what stands here, proven. */
export function standsHere(now: RestoredNow | null, { name, proof, createdAt }: Backup, wall: number): boolean {
  if (now === null || !now.verified) return false;
  if (now.name === name) return proof !== null && now.sha256 === proof.sha256;
  return now.createdAt >= createdAt && !isFuture(now.createdAt, wall);
}

/** What can be told without its bytes. @throws ArchiveError */
export async function lookAt({ name, size, proof }: Backup, work: PlanWork, expect: Expectation): Promise<void> {
  const { key, here } = work;
  const encrypted = parseBackupName(name)?.encrypted === true;
  if (proof !== null) {
    checkOwner(proof, expect);
    if (proof.profile !== here.profile) {
      throw new ArchiveError('unknown-format', `It is of the profile ${proof.profile}; here it is ${here.profile}.`);
    }
    if (proof.size !== size) throw new ArchiveError('damaged', `It has ${size} bytes, ${proof.size} were made.`);
  }
  if (encrypted && key === null) throw new ArchiveError('wrong-key', 'It is encrypted, and no key is given here.');
  // Decrypted it stands there once more, and so does the PBX's own file that is taken out of it.
  const own = here.profile === 'generic' ? 0 : (proof?.bytes ?? size);
  await requireRoom(dirname(here.scratch), size * (encrypted ? 2 : 1) + own);
}
