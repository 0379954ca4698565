/**
 * What a restore needs of estepe.yaml and the data folder: where things go here, the commands around it, the key. The engine and the
 * command line both begin here. Must not know which of the two is asking.
 */
import { join } from 'node:path';
import type { DataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/schema.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Role } from '../contract/words.ts';
import type { Clock, Proc } from '../engine/ports.ts';
import type { Restores } from '../history/restores.ts';
import type { Key } from './archive/encryption.ts';
import type { Location } from './location.ts';
import type { PlanWork } from './plan-restore.ts';
import type { RecoverWork } from './recover-restore.ts';
import type { RestoreWork } from './restore-backup.ts';
import type { Running } from './sources/run-line.ts';
import type { Means } from './work-of-config.ts';

export interface RestoreGiven extends Pick<Means, 'secretOf'> {
  config: Config;
  folder: DataFolder;
  location: Location;
  clock: Clock;
  proc: Proc;
  history: Restores;
  /** of the standing that holds now */
  role: Role;
  epoch: number;
  runToken: string;
  signal: AbortSignal;
}

/** One restore as it is configured. @throws EstepeError `config` without a section `restore`, or when a secret cannot be read */
export function restoreWork(given: RestoreGiven): Omit<RestoreWork, 'name' | 'force' | 'by'> {
  const { history, epoch } = given;
  return { ...planWork(given), history, epoch };
}

/** The part of it that is enough to say what it would do. @throws as `restoreWork` */
export function planWork(given: Omit<RestoreGiven, 'history' | 'epoch'>): Omit<PlanWork, 'name'> {
  const { config, folder, location, clock, role, secretOf } = given;
  const { name, fqdn } = config.pair;
  return {
    location,
    pair: { name, fqdn },
    role,
    here: { ...hereOf(config, folder), password: passwordOf(config, secretOf) },
    key: keyOf(config, secretOf),
    running: runningOf(given),
    clock,
  };
}

/** What ends a restore that a crash cut off; also where `restore` was taken out of the configuration since. */
export function recoverWork(
  given: Pick<RestoreGiven, 'config' | 'folder' | 'clock' | 'proc' | 'history' | 'role' | 'runToken'>,
): RecoverWork {
  const { clock, history, folder, config, role } = given;
  const { before, after, journal, scratch } = hereOf({ ...config, restore: config.restore ?? none }, folder);
  const running = runningOf({ ...given, signal: new AbortController().signal });
  return { here: { before, after, journal, scratch }, role, running, clock, history };
}

const none = { into: [], before: [], after: [], timeout: 60_000 };
type Section = Pick<NonNullable<Config['restore']>, 'into' | 'before' | 'after'>;

/** A path as it is compared and joined. */
const plain = (path: string): string => (/^(?:\/|[A-Za-z]:[\\/])$/.test(path) ? path : path.replace(/[\\/]+$/, ''));

function hereOf(config: Pick<Config, 'backup' | 'pair'> & { restore: Section | null }, folder: DataFolder) {
  const { backup, restore, pair } = config;
  if (restore === null) {
    throw new EstepeError(
      'config',
      'There is no section `restore` in estepe.yaml: Estepe keeps no copy of the data here.',
      'add one: `estepe config example` shows it',
    );
  }
  const { folders = [], files = [] } = backup?.source ?? {};
  const targets = new Map([...folders, ...files].map((path) => [plain(path), plain(path)]));
  for (const { from, to } of restore.into) targets.set(plain(from), plain(to));
  const { before, after } = restore;
  const at = (name: string) => join(folder.spool, name);
  return { profile: pair.profile, targets, before, after, journal: at('restore.json'), scratch: at('restore') };
}

function runningOf({ config, proc, runToken, signal }: Pick<RestoreGiven, 'config' | 'proc' | 'runToken' | 'signal'>) {
  const timeoutMs = (config.restore ?? none).timeout;
  const running: Running = { proc, runToken, timeoutMs, signal, env: { ESTEPE_FQDN: config.pair.fqdn } };
  return running;
}

function passwordOf({ backup }: Config, secretOf: (name: string) => string): string | null {
  const name = backup?.source.password;
  return name === undefined ? null : secretOf(name);
}

/** With what encrypted backups are opened here. */
function keyOf({ backup }: Config, secretOf: (name: string) => string): Key | null {
  const { passphrase, identity } = backup?.encrypt ?? {};
  if (identity !== undefined) return { identity: secretOf(identity) };
  return passphrase === undefined ? null : { passphrase: secretOf(passphrase) };
}
