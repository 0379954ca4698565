/**
 * The sections of estepe.yaml as people write them: each key, its form, its description. Defaults that hang on
 * nothing else stand here; those that hang on other keys (profile, interval) are filled in by schema.ts. Must not
 * know files, YAML or the engine.
 */
import { z } from 'zod';
import { failWhenSchema, modeSchema, onFailSchema, onSilenceSchema, roleSchema } from '../contract/words.ts';
import { profiles } from './profiles.ts';
import {
  absolutePath,
  commandArgv,
  duration,
  flag,
  fqdn,
  host,
  identifier,
  line,
  loopback,
  port,
  reference,
  schedule,
  scriptArgv,
  scriptName,
  secretName,
  timeZone,
  webAddress,
  whole,
  word,
} from './scalars.ts';

/** A group of keys; others are refused. */
function group<S extends z.core.$ZodLooseShape>(description: string, shape: S) {
  const allowed = `a group with the keys ${Object.keys(shape).join(', ')}`;
  return z.strictObject(shape).meta({ description, noun: 'a group of keys', allowed });
}

function list<T extends z.ZodType>(description: string, item: T, max: number) {
  return z
    .array(item)
    .max(max)
    .meta({ description, noun: 'a list', allowed: `a list of at most ${max}` });
}

const timeout = () =>
  duration('How long to wait for an answer. Default: 4s, or 80 % of the interval where that is shorter.', '50ms', '5m');

export const pair = group('The two nodes of one PBX.', {
  name: line('What people call this pair. Default: the FQDN.', 60).optional(),
  fqdn: fqdn('The one full domain name that phones and browsers use for the pair.'),
  active: host('Address of the node that is the active one at the start.'),
  passive: host('Address of the node that is the passive one at the start.'),
  profile: word('The PBX product: gives default ports, tests and services.', profiles),
});

export const tests = group('Which heartbeat tests run. Default: those of the profile.', {
  sip: group('SIP OPTIONS to the active node.', {
    transport: word('SIP transport.', ['udp', 'tcp', 'tls']).prefault('udp'),
    port: port('SIP port. Default by profile: 5060, with tls 5061.').optional(),
    timeout: timeout().optional(),
  }).optional(),
  web: group('HTTPS to the address of the active node, asked by the FQDN.', {
    port: port('HTTPS port. Default by profile: 5001 for 3CX, else 443.').optional(),
    path: z
      .string()
      .max(2000)
      .regex(/^\/[\x21-\x7e]*$/)
      .meta({
        description: 'What is asked for.',
        noun: 'a path',
        allowed: 'a path that starts with `/`, without blanks',
      })
      .prefault('/'),
    marker: line('Text that the page must hold. Default: any page is good.').optional(),
    warnDays: whole(
      'The test is degraded when the certificate ends in fewer days.',
      'a number of days',
      0,
      365,
    ).prefault(14),
    timeout: timeout().optional(),
  }).optional(),
  tunnel: group('TCP to the tunnel port: accepted and not closed at once.', {
    port: port('Tunnel port. Default: 5090.').optional(),
    timeout: timeout().optional(),
  }).optional(),
  commands: list(
    "The site's own tests: exit 0 alive, 1 dead, 2 and more: the test itself is at fault.",
    group('One command as a test.', {
      id: identifier('Name of this test on screens and in history.'),
      run: scriptArgv('The script and its arguments; no shell.'),
      timeout: timeout().optional(),
    }),
    16,
  ).prefault([]),
});

export const heartbeat = group('How the active node is watched.', {
  interval: duration('Time from one round of tests to the next.', '200ms', '1h', '5s').prefault('30s'),
  failWhen: word('Whether one failed test is a failed round, or only all together.', failWhenSchema.options).prefault(
    'all',
  ),
  confirm: group('How a failure is confirmed before it counts.', {
    times: whole(
      'Re-checks that must fail too, one after the other, after the first failed round.',
      'a number of rounds',
      1,
      20,
    ).prefault(3),
    every: duration(
      'Time between rounds while confirming. Default: 5s, or half the interval where that is shorter.',
      '50ms',
      '30m',
      '1s',
    ).optional(),
  }).prefault({}),
  tests: tests.optional(),
  references: list(
    'What is asked, outside the pair, to tell "is it me?": gateway, ping:HOST, tcp:HOST:PORT, dns:HOST[:PORT], sip:HOST[:PORT].',
    reference('One reference.'),
    16,
  ).prefault(['gateway']),
  referenceTimeout: duration(
    'How long a reference may take. Default: 2s, or 80 % of the interval where that is shorter.',
    '50ms',
    '1m',
  ).optional(),
});

const commandTimeout = (description: string) => duration(description, '100ms', '1h', '1s');

export const services = group('How the PBX is started and stopped here: by commands, or by names of services.', {
  start: list('Commands that start the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  query: list('Commands that exit 0 when the PBX runs.', commandArgv('One command and its arguments.'), 32).optional(),
  stop: list('Commands that stop the PBX, in order.', commandArgv('One command and its arguments.'), 32).optional(),
  names: list(
    'Names of services, `*` for any characters; started in this order. Default by profile.',
    line('One name or pattern.', 120),
    64,
  ).optional(),
  timeout: commandTimeout('How long one command, or one service, may take.').prefault('60s'),
  proveWithin: commandTimeout('How long the PBX may take to answer its own tests here.').prefault('60s'),
  onFail: word('What a service that cannot be started does to the promotion.', onFailSchema.options).prefault('halt'),
});

const retries = (description: string) => whole(description, 'a number of retries', 0, 20);
const onFail = (description: string) => word(description, onFailSchema.options);

const script = (description: string, onFailDefault: string) =>
  z
    .union([
      scriptName('A file in the scripts folder.'),
      scriptArgv('The script and its arguments; no shell.'),
      group('A script with settings of its own.', {
        run: z.union([scriptName('A file in the scripts folder.'), scriptArgv('The script and its arguments.')]).meta({
          description: 'The script, alone or with its arguments.',
          noun: 'a script',
          allowed: 'a file in the scripts folder, or a list: [name, argument]',
        }),
        timeout: commandTimeout('How long one attempt may take.').optional(),
        retries: retries('How often exit 1 is tried again.').optional(),
        onFail: onFail(`What its failure does to the promotion. Default: ${onFailDefault}.`).optional(),
      }),
    ])
    .meta({
      description,
      noun: 'a script',
      allowed: 'a file in the scripts folder, a list [name, argument], or { run, timeout, retries, onFail }',
    });

const record = {
  zone: fqdn('The zone that holds the record.'),
  record: line('The name inside the zone, without the zone.', 253),
};
const ttl = (description = 'Time to live of the record.') => duration(description, '1s', '1d').prefault('60s');

export const dns = z
  .discriminatedUnion('kind', [
    group('Dynamic update with TSIG (RFC 2136).', {
      kind: z.literal('rfc2136'),
      server: host('The primary server of the zone.'),
      port: port('Its DNS port.').prefault(53),
      ...record,
      ttl: ttl(),
      key: secretName('Name of the TSIG key, kept as a secret of that name.'),
    }),
    group("Microsoft's DNS server, by dnscmd.", {
      kind: z.literal('dnscmd'),
      server: host('The DNS server.'),
      ...record,
      ttl: ttl(),
    }),
    group('Cloudflare.', {
      kind: z.literal('cloudflare'),
      ...record,
      // Cloudflare refuses less for records that are not proxied.
      ttl: duration('Time to live of the record.', '60s', '1d').prefault('60s'),
      token: secretName('Secret that holds the API token.'),
    }),
    group('Amazon Route 53.', {
      kind: z.literal('route53'),
      zoneId: line('Id of the hosted zone.', 64),
      ...record,
      ttl: ttl(),
      keyId: line('Access key id.', 128),
      key: secretName('Secret that holds the secret access key.'),
    }),
    group("A script of the site's own.", {
      kind: z.literal('script'),
      run: scriptArgv('The script and its arguments; no shell.'),
      timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
    }),
  ])
  .meta({ description: 'How the FQDN is pointed to the new active node.' });

export const promotion = group('How this node takes over.', {
  mode: word(
    'automatic: by itself. confirm: asks first, with a countdown. manual: only by a person.',
    modeSchema.options,
  ).prefault('confirm'),
  countdown: duration('confirm: how long a person is waited for.', '200ms', '24h', '10s').prefault('5m'),
  onSilence: word('confirm: what happens when nobody answers.', onSilenceSchema.options).prefault('promote'),
  cooldown: duration('After a promotion none happens by itself for so long.', '0s', '7d').prefault('60m'),
  observeOnly: flag('Decide and write down, but never act.').prefault(false),
  scripts: group("The site's own scripts around a promotion.", {
    before: script('Runs before the services are started.', 'halt').optional(),
    after: script('Runs when the PBX is alive here.', 'continue').optional(),
    timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
    retries: retries('How often exit 1 is tried again.').prefault(2),
    onFail: onFail('What a failure does to the promotion. Default: before halt, after continue.').optional(),
  }).prefault({}),
  dns: dns.optional(),
});

const folder = (description: string) => line(description, 1000);
const user = () => line('User name.', 128);
const password = () => secretName('Secret that holds the password.');

export const location = z
  .discriminatedUnion('kind', [
    group('A folder of this machine, or mounted here.', { kind: z.literal('local'), folder: folder('Absolute path.') }),
    group('A Windows share.', {
      kind: z.literal('smb'),
      host: host('The file server.'),
      share: line('Name of the share.', 80),
      folder: folder('Folder in the share.').prefault('3CX_PBX_Backups'),
      user: user().optional(),
      domain: line('Domain of the user.', 128).optional(),
      password: password().optional(),
    }),
    group('SFTP.', {
      kind: z.literal('sftp'),
      host: host('The server.'),
      port: port('SSH port.').prefault(22),
      user: user(),
      folder: folder('Folder on the server.').prefault('3CX_PBX_Backups'),
      password: password().optional(),
      key: secretName('Secret that holds the private key.').optional(),
      hostKey: line('The expected host key as SHA256:…', 100).optional(),
    }),
    group('FTP over TLS.', {
      kind: z.literal('ftps'),
      host: host('The server.'),
      port: port('FTP port.').prefault(21),
      user: user(),
      folder: folder('Folder on the server.').prefault('3CX_PBX_Backups'),
      password: password().optional(),
    }),
    group('Google Storage.', {
      kind: z.literal('google'),
      bucket: line('Name of the bucket.', 222),
      folder: folder('Prefix in the bucket.').prefault('3CX_PBX_Backups'),
      key: secretName("Secret that holds the service account's JSON key."),
      endpoint: webAddress("Address of a private way to Google's service, or of what speaks like it.").optional(),
    }),
    group('Amazon S3 or what speaks like it.', {
      kind: z.literal('s3'),
      bucket: line('Name of the bucket.', 63),
      folder: folder('Prefix in the bucket.').prefault('3CX_PBX_Backups'),
      region: line('Region.', 64).prefault('us-east-1'),
      endpoint: webAddress("Address of another provider's service. Default: Amazon's for the region.").optional(),
      pathStyle: flag(
        "The bucket's name stands in the path, not before the host's name. Default: with an endpoint.",
      ).optional(),
      keyId: line('Access key id.', 128),
      key: secretName('Secret that holds the secret access key.'),
    }),
  ])
  .meta({ description: 'Where backups are stored.' });

const commands = (description: string) => list(description, commandArgv('One command and its arguments.'), 32);

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

const keepFor = (description: string, usual: string) => duration(description, '1d', '7300d').prefault(usual);

export const history = group('How long history is kept. Sums by the day are always kept.', {
  beats: keepFor('Single beats.', '90d'),
  minutes: keepFor('Sums by the minute.', '365d'),
  hours: keepFor('Sums by the hour.', '3650d'),
  events: keepFor('Events with their reasons.', '3650d'),
});

export const consoleServer = group('The page for a browser on this machine.', {
  address: loopback('Where it listens; this machine only.').prefault('127.0.0.1'),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .meta({
      description: 'Port of the page; 0 takes a free one.',
      noun: 'a port',
      allowed: 'a whole number from 1 to 65535, or 0 for a free one',
    })
    .prefault(0),
});

export const role = word('What this node is at the start.', roleSchema.options);
export const lab = flag('A laboratory: allows intervals under 5 s. Never on a site.');
