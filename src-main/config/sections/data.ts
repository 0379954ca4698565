/** What is backed up, when, and how it is kept restored here. */
import { z } from 'zod';
import { absolutePath, duration, flag, line, schedule, secretName, timeZone, whole, word } from '../scalars.ts';
import { commands, group, list } from './form.ts';
import { location } from './location.ts';

/** Parts of a 3CX configuration, as its own backup command names them. */
export const parts3cx = ['ALL', 'CH', 'LIC', 'FQDN', 'PROMPTS', 'FW', 'REC', 'VM'] as const;

export const source = group('What is backed up. For 3CX and FreePBX their own backup, for others what is named here.', {
  folders: list('generic: folders, with all below them.', absolutePath('One folder.'), 64).optional(),
  files: list('generic: single files.', absolutePath('One file.'), 256).optional(),
  before: commands('generic: run before the files are read, such as a dump of the database.').optional(),
  after: commands('generic: run when they were read, also when something failed.').optional(),
  from: word("3CX: run its backup command, or take the newest file that 3CX's own schedule stored.", [
    'command',
    'folder',
  ]).optional(),
  options: list(
    '3CX: what its backup holds. Default: ALL. CH call history, LIC licence, FQDN, PROMPTS, FW firmware, REC recordings, VM voicemail.',
    word('One part.', parts3cx),
    parts3cx.length,
  ).optional(),
  password: secretName("3CX: secret that holds its backup's own password.").optional(),
  job: line('FreePBX: id of the backup job that is run.', 64).optional(),
  folder: absolutePath(
    '3CX with `from: folder`, FreePBX: where their own backups are stored, seen from here.',
  ).optional(),
  timeout: duration('How long one command may take.', '1s', '24h').prefault('2h'),
});

export const encrypt = group('Encryption of backups in the age format; the standard age tool opens them.', {
  passphrase: secretName(
    'Secret that holds a passphrase of at least 16 characters, the same on both nodes.',
  ).optional(),
  recipient: z
    .string()
    .regex(/^age1[0-9a-z]{20,4000}$/)
    .meta({
      description: 'Public key for whom they are encrypted.',
      noun: 'a recipient',
      allowed: 'a public key as age-keygen prints it: age1…; never the AGE-SECRET-KEY',
      hide: true,
    })
    .optional(),
  identity: secretName(
    'Secret that holds the private key (AGE-SECRET-KEY-…); needed where backups are restored.',
  ).optional(),
});

const jitter = (what: string) =>
  duration(
    `Each scheduled ${what} is put off by up to so long: many sites on one server do not come at the same minute.`,
    '0s',
    '12h',
  ).prefault('0s');

export const backup = group('Backups made by the active node.', {
  location,
  source: source.prefault({}),
  encrypt: encrypt.optional(),
  schedule: schedule('When the active node makes one.').prefault('0 1 * * *'),
  timeZone: timeZone("Time zone of the schedule. Default: the machine's.").optional(),
  jitter: jitter('backup'),
  bandwidth: whole('kB a second on the line at most. Default: no limit.', 'a number of kB', 10, 10_000_000).optional(),
  keep: whole('How many verified backups are kept.', 'a number of backups', 1, 1000).prefault(7),
});

export const restore = group('The copy kept restored here. Without this section Estepe keeps no copy.', {
  schedule: schedule('When the newest backup is restored.').prefault('0 3 * * *'),
  timeZone: timeZone("Time zone of the schedule. Default: the machine's.").optional(),
  jitter: jitter('restore'),
  whenNewer: flag('Restore as soon as a newer backup is seen, too, not only by the schedule.').prefault(true),
  poll: duration('whenNewer: how often the location is looked at for one.', '1s', '24h', '1m').prefault('5m'),
  maxOffset: duration('How old the data may be for a promotion by itself.', '1m', '30d').prefault('24h'),
  into: list(
    'generic: where folders and files go that stand elsewhere here than on the other node.',
    group('One folder or file.', {
      from: absolutePath('Its path on the node that makes the backup, as in its `backup.source`.'),
      to: absolutePath('Its path here.'),
    }),
    320,
  ).prefault([]),
  before: commands('generic: run when the new files are ready, before they are swapped in.').prefault([]),
  after: commands('generic: run when they are swapped in, and when a restore was taken back.').prefault([]),
  timeout: duration('How long one command may take.', '1s', '24h').prefault('2h'),
});
