/**
 * What estepe.yaml, the data folder and its secrets come to for backups: where they are stored, what goes in, how it is encrypted,
 * whose turn it is. The engine and the command line both begin here. Must not know which of the two is asking.
 */
import { join } from 'node:path';
import type { DataFolder } from '../config/data-folder.ts';
import { type Ownership, takeOwnership } from '../config/owner.ts';
import { type Config, ownTarget } from '../config/schema.ts';
import { readSecret } from '../config/secrets.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Clock, Proc } from '../engine/ports.ts';
import type { Encryption } from './archive/encryption.ts';
import { limited } from './limited.ts';
import type { Location } from './location.ts';
import { type LocationConfig, openLocation } from './locations/open.ts';
import { pinnedHosts, pinnedHostsFile } from './locations/pinned-hosts.ts';
import type { BackupWork } from './make-backup.ts';
import type { SourceWork } from './sources/source.ts';

/** Between two looks at a file that 3CX may still be writing. */
const settleMs = 5000;

export type BackupSection = NonNullable<Config['backup']>;

/** What a data folder gives: its secrets, the servers it has met. */
export interface Means {
  secretOf(name: string): string;
  /** @throws LocationError `unsupported`; EstepeError of a secret */
  open(location: LocationConfig): Location;
  /** where backups are stored, within the bandwidth that is configured */
  openBackups(backup: Pick<BackupSection, 'location' | 'bandwidth'>): Location;
}

/** @param onSecret told of each secret that is read: it must be shown nowhere */
export function meansOf(
  folder: Pick<DataFolder, 'root' | 'secrets'>,
  clock: Clock,
  onSecret: (secret: string) => void = () => {},
): Means {
  const secretOf = (name: string): string => {
    const secret = readSecret(folder.secrets, name);
    onSecret(secret);
    return secret;
  };
  const hostKeys = pinnedHosts(join(folder.root, pinnedHostsFile));
  const open = (location: LocationConfig): Location => openLocation(location, { secretOf, hostKeys, clock });
  return {
    secretOf,
    open,
    openBackups: ({ location, bandwidth }) =>
      bandwidth === undefined ? open(location) : limited(open(location), bandwidth * 1000),
  };
}

export interface BackupGiven extends Means {
  config: Config;
  backup: BackupSection;
  location: Location;
  clock: Clock;
  proc: Proc;
  /** of the standing that holds now */
  epoch: number;
  /** `<data>/spool` */
  spool: string;
  runToken: string;
  signal: AbortSignal;
}

/** One backup as it is configured. @throws EstepeError of a secret, LocationError `unsupported` */
export function backupWork(given: BackupGiven): Omit<BackupWork, 'onProgress' | 'onSetback'> {
  const { config, backup, location, clock, epoch } = given;
  const { name: pair, fqdn } = config.pair;
  return {
    location,
    source: sourceWork(given),
    about: { pair, fqdn, node: ownTarget(config).address, epoch },
    encryption: encryptionOf(backup, given),
    keep: backup.keep,
    clock,
  };
}

function sourceWork({ config, backup, clock, proc, spool, runToken, signal, ...means }: BackupGiven): SourceWork {
  const { timeout, password, ...settings } = backup.source;
  const { profile, fqdn } = config.pair;
  return {
    profile,
    settings: { ...settings, password: password === undefined ? null : means.secretOf(password) },
    running: { proc, runToken, timeoutMs: timeout, signal, env: { ESTEPE_FQDN: fqdn } },
    clock,
    scratch: join(spool, 'backup'),
    scheduled:
      settings.from === 'folder' && settings.folder !== undefined
        ? means.open({ kind: 'local', folder: settings.folder })
        : null,
    settleMs,
  };
}

function encryptionOf({ encrypt }: BackupSection, { secretOf }: Means): Encryption | null {
  const { passphrase, recipient } = encrypt ?? {};
  if (recipient !== undefined) return { recipient };
  return passphrase === undefined ? null : { passphrase: secretOf(passphrase) };
}

/** Why a node of that role makes no backup. */
export const passiveMakesNone =
  'This node is the passive one: a backup of it would be taken for the newest data of the pair.';

/**
 * One backup or restore at a time on this data folder, whoever makes it. The operating system's lock: it dies with its process.
 * @param waitMs how long this thread may be held
 * @throws EstepeError `owned`, `data-folder`
 */
export function takeTurn(folder: DataFolder, waitMs?: number): Ownership {
  const at = (name: string) => join(folder.spool, name);
  const own = { ...folder, root: folder.spool, lock: at('backup.lock.db'), engine: at('backup.json') };
  try {
    return takeOwnership(own, waitMs);
  } catch (error) {
    if (!(error instanceof EstepeError) || error.code !== 'owned') throw error;
    throw new EstepeError(
      'owned',
      'Another backup is being made here, or a restore is under way.',
      'wait for its end, then look at `estepe backup list`',
    );
  }
}
