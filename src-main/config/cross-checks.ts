/**
 * What no single key can tell: keys of a configuration held against each other. Each finding is two sentences, what
 * is wrong and what is allowed, at the key to change. Must not know files or YAML.
 */
import { isIP, SocketAddress } from 'node:net';
import { writeDuration } from './duration.ts';
import type { Config } from './fill-in.ts';

/** One disagreement between keys. */
export interface Finding {
  path: readonly (string | number)[];
  wrong: string;
  allowed: string;
}

/** One spelling for each address, so that `::1` and `0:0::1` are the same. */
function canonical(host: string): string {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase().replace(/\.$/, '');
  return new SocketAddress({ address: host.replace(/%.*$/, ''), family: version === 6 ? 'ipv6' : 'ipv4' }).address;
}

function pairFindings({ pair }: Config): Finding[] {
  const findings: Finding[] = [];
  if (canonical(pair.active) === canonical(pair.passive)) {
    findings.push({
      path: ['pair', 'passive'],
      wrong: `\`${pair.passive}\` is the address of the active node too`,
      allowed: 'two different addresses, one for each node',
    });
  }
  for (const node of ['active', 'passive'] as const) {
    // By its FQDN a node could not be told from the other one: the name points to whichever is active.
    if (canonical(pair[node]) !== canonical(pair.fqdn)) continue;
    findings.push({
      path: ['pair', node],
      wrong: `\`${pair[node]}\` is the FQDN of the pair, which points to either node`,
      allowed: "the node's own address",
    });
  }
  return findings;
}

function cadenceFindings({ heartbeat, lab, promotion, restore }: Config): Finding[] {
  const findings: Finding[] = [];
  const { interval, confirm } = heartbeat;
  const floors = [
    { path: ['heartbeat', 'interval'], ms: interval, floor: 5000, top: '1h' },
    { path: ['heartbeat', 'confirm', 'every'], ms: confirm.every, floor: 1000, top: '30m' },
    { path: ['promotion', 'countdown'], ms: promotion.countdown, floor: 10_000, top: '24h' },
    ...(restore === null ? [] : [{ path: ['restore', 'poll'], ms: restore.poll, floor: 60_000, top: '24h' }]),
  ];
  for (const { path, ms, floor, top } of lab ? [] : floors) {
    if (ms >= floor) continue;
    findings.push({
      path,
      wrong: `\`${writeDuration(ms)}\` is too short`,
      allowed: `from ${writeDuration(floor)} to ${top} (less only in a laboratory, with \`lab: true\`)`,
    });
  }
  if (confirm.every >= interval) {
    findings.push({
      path: ['heartbeat', 'confirm', 'every'],
      wrong: `\`${writeDuration(confirm.every)}\` is not shorter than the interval of ${writeDuration(interval)}`,
      allowed: `less than ${writeDuration(interval)}, or a longer \`heartbeat.interval\``,
    });
  }
  return findings;
}

function timeoutFindings({ heartbeat }: Config): Finding[] {
  const { interval, tests } = heartbeat;
  const timeouts: { path: (string | number)[]; ms: number }[] = [
    { path: ['heartbeat', 'referenceTimeout'], ms: heartbeat.referenceTimeout },
    ...tests.commands.map(({ timeout }, i) => ({
      path: ['heartbeat', 'tests', 'commands', i, 'timeout'],
      ms: timeout,
    })),
  ];
  for (const kind of ['sip', 'web', 'tunnel'] as const) {
    const test = tests[kind];
    if (test) timeouts.push({ path: ['heartbeat', 'tests', kind, 'timeout'], ms: test.timeout });
  }
  return timeouts
    .filter(({ ms }) => ms >= interval)
    .map(({ path, ms }) => ({
      path,
      wrong: `\`${writeDuration(ms)}\` is not shorter than the interval of ${writeDuration(interval)}`,
      allowed: `less than ${writeDuration(interval)}, or a longer \`heartbeat.interval\``,
    }));
}

function testFindings({ heartbeat }: Config): Finding[] {
  const { sip, web, tunnel, commands } = heartbeat.tests;
  const findings: Finding[] = [];
  if (!sip && !web && !tunnel && commands.length === 0) {
    findings.push({
      path: ['heartbeat', 'tests'],
      wrong: 'no test is named, so nothing would be watched',
      allowed: 'at least one of sip, web, tunnel, commands; `sip: {}` takes all defaults',
    });
  }
  const taken = new Set(['sip', 'web', 'tunnel']);
  for (const [i, { id }] of commands.entries()) {
    if (taken.has(id)) {
      findings.push({
        path: ['heartbeat', 'tests', 'commands', i, 'id'],
        wrong: `the id \`${id}\` is taken by another test`,
        allowed: 'an id of its own for each test; sip, web and tunnel are taken',
      });
    }
    taken.add(id);
  }
  const seen = new Set<string>();
  for (const [i, text] of heartbeat.references.entries()) {
    if (seen.has(text)) {
      findings.push({
        path: ['heartbeat', 'references', i],
        wrong: `\`${text}\` stands here twice`,
        allowed: 'each reference once',
      });
    }
    seen.add(text);
  }
  return findings;
}

function promotionFindings({ pair, heartbeat, promotion, backup, restore, services }: Config): Finding[] {
  const findings: Finding[] = [];
  const { mode, onSilence } = promotion;
  const byItself = mode === 'automatic' || (mode === 'confirm' && onSilence === 'promote');
  if (heartbeat.references.length === 0 && byItself) {
    findings.push({
      path: ['heartbeat', 'references'],
      wrong: 'without a reference no promotion by itself is ever allowed: nothing tells whether this node is cut off',
      allowed: 'at least one reference, or `promotion.mode: manual`',
    });
  }
  if (restore && !backup) {
    findings.push({
      path: ['restore'],
      wrong: 'there is nowhere to restore from',
      allowed: 'a `backup` section with a `location`, or no `restore` section',
    });
  }
  if (promotion.fence.api && pair.profile !== '3cx-windows' && pair.profile !== '3cx-linux') {
    findings.push({
      path: ['promotion', 'fence', 'api'],
      wrong: `\`api\` means nothing for the profile ${pair.profile}`,
      allowed: 'for 3cx-windows and 3cx-linux; else `script`',
    });
  }
  const commands = services.start.length + services.query.length + services.stop.length;
  if (services.names.length > 0 && commands > 0) {
    findings.push({
      path: ['services'],
      wrong: 'both names and commands are given',
      allowed: 'either `names`, or commands in `start`, `query` and `stop`',
    });
  }
  return findings;
}

/** Which keys of `backup.source` mean something, by profile. */
const sourceKeys = {
  generic: ['folders', 'files', 'before', 'after'],
  freepbx: ['job', 'folder'],
  '3cx-windows': ['from', 'options', 'password', 'folder'],
  '3cx-linux': ['from', 'options', 'password', 'folder'],
} as const;

function sourceFindings({ pair, backup }: Config): Finding[] {
  if (backup === null) return [];
  const { profile } = pair;
  const { timeout: _, ...source } = backup.source;
  const known: readonly string[] = sourceKeys[profile];
  const findings: Finding[] = Object.entries(source)
    .filter(([key, value]) => value !== undefined && !known.includes(key))
    .map(([key]) => ({
      path: ['backup', 'source', key],
      wrong: `\`${key}\` means nothing for the profile ${profile}`,
      allowed: `for ${profile}: ${[...known, 'timeout'].join(', ')}`,
    }));
  const missing = (wrong: string, allowed: string) => findings.push({ path: ['backup', 'source'], wrong, allowed });
  if (profile === 'generic' && !source.folders?.length && !source.files?.length) {
    missing('nothing is named that would be backed up', 'at least one of `folders` and `files`');
  }
  if (profile === 'freepbx' && source.job === undefined) {
    missing('no backup job of FreePBX is named', '`job`: the id that `fwconsole backup --list` shows');
  }
  if (source.from === 'folder' && source.folder === undefined) {
    missing("the folder is missing that 3CX's own schedule stores to", '`folder`, or `from: command`');
  }
  return findings;
}

/** Paths as they are held against each other: Windows' ones whatever their case and slashes. */
function comparable(path: string): string {
  const plain = /^[A-Za-z]:|^\\\\/.test(path) ? path.replaceAll('\\', '/').toLowerCase() : path;
  return `${plain.replace(/\/+$/, '')}/`;
}

/** Exchanged one after the other, what lies in another one would be exchanged twice; a backup of backups doubles with each. */
function placeFindings({ backup, restore }: Config): Finding[] {
  const { folders = [], files = [] } = backup?.source ?? {};
  const paths = [
    ...folders.map((path, i) => ({ path, at: ['backup', 'source', 'folders', i] })),
    ...files.map((path, i) => ({ path, at: ['backup', 'source', 'files', i] })),
  ];
  const findings: Finding[] = [];
  const { location } = backup ?? {};
  for (const [i, { path, at }] of paths.entries()) {
    const other = paths.find((one, j) => j !== i && isWithin(path, one.path) && (j < i || !isWithin(one.path, path)));
    if (other !== undefined) {
      const wrong = `\`${path}\` is backed up with \`${other.path}\` already`;
      findings.push({ path: at, wrong, allowed: 'paths of which none lies in another one' });
    }
    if (location?.kind === 'local' && isWithin(location.folder, path)) {
      const wrong = `the backups themselves are stored in \`${path}\``;
      findings.push({ path: at, wrong, allowed: 'folders that do not hold `backup.location.folder`' });
    }
  }
  for (const [i, { to }] of (restore?.into ?? []).entries()) {
    const moved = new Set(restore?.into.map(({ from }) => comparable(from)));
    const others = [
      ...(restore?.into ?? []).filter((_, j) => j !== i).map((one) => one.to),
      // The very place that this node backs up while it is the active is where the other one's data belongs.
      ...paths
        .map(({ path }) => path)
        .filter((path) => !moved.has(comparable(path)) && comparable(path) !== comparable(to)),
    ];
    const other = others.find((one) => isWithin(to, one) || isWithin(one, to));
    if (other === undefined) continue;
    const wrong = `\`${to}\` and \`${other}\` lie in one another, and both are restored`;
    findings.push({ path: ['restore', 'into', i, 'to'], wrong, allowed: 'places of which none lies in another one' });
  }
  return findings;
}

const isWithin = (path: string, folder: string): boolean => comparable(path).startsWith(comparable(folder));

function encryptFindings({ backup, restore }: Config): Finding[] {
  const encrypt = backup?.encrypt;
  if (encrypt === undefined) return [];
  const { passphrase, recipient, identity } = encrypt;
  const path = ['backup', 'encrypt'];
  if ((passphrase === undefined) === (recipient === undefined)) {
    const wrong =
      passphrase === undefined ? 'it says for whom neither way' : 'both a passphrase and a recipient are given';
    return [
      { path, wrong, allowed: 'either `passphrase`, or `recipient` (with `identity` where backups are restored)' },
    ];
  }
  if (recipient !== undefined && identity === undefined && restore !== null) {
    return [{ path, wrong: 'what is encrypted could not be restored here', allowed: '`identity` beside `recipient`' }];
  }
  return [];
}

function restoreFindings({ pair, restore }: Config): Finding[] {
  if (restore === null || pair.profile === 'generic') return [];
  return (['into', 'before', 'after'] as const)
    .filter((key) => restore[key].length > 0)
    .map((key) => ({
      path: ['restore', key],
      wrong: `\`${key}\` means nothing for the profile ${pair.profile}`,
      allowed: `for ${pair.profile} no such key: its own restore command does it`,
    }));
}

/** A record holds addresses: both of one family, and each node its own. */
function dnsFindings({ pair, promotion }: Config): Finding[] {
  return promotion.dns.flatMap((entry, i): Finding[] => {
    // the only one mostly stands there without a list
    const path = ['promotion', 'dns', ...(promotion.dns.length === 1 ? [] : [i])];
    const named = (['active', 'passive'] as const).filter((node) => isIP(entry[node]) === 0);
    if (named.length > 0) {
      return named.map((node) => ({
        path,
        wrong: `\`pair.${node}\` is the host name \`${entry[node]}\`, and a record holds an address`,
        allowed: `\`${node}\` here, with the address that the record shall hold, or an address in \`pair.${node}\``,
      }));
    }
    const findings: Finding[] = [];
    if (isIP(entry.active) !== isIP(entry.passive)) {
      findings.push({
        path,
        wrong: `\`${entry.active}\` and \`${entry.passive}\` are of two families, and one record holds one`,
        allowed: 'two IPv4 or two IPv6 addresses in `active` and `passive`',
      });
    } else if (canonical(entry.active) === canonical(entry.passive)) {
      findings.push({
        path,
        wrong: `\`${entry.active}\` is the address of both nodes, so nothing would be switched`,
        allowed: 'two different addresses in `active` and `passive`',
      });
    }
    const zone = 'zone' in entry ? canonical(entry.zone) : null;
    if ('record' in entry && zone !== null && `.${canonical(entry.record)}`.endsWith(`.${zone}`)) {
      findings.push({
        path: [...path, 'record'],
        wrong: `\`${entry.record}\` ends with the zone, so the name would be \`${entry.record}.${zone}\``,
        allowed: `the name without the zone, as in \`${canonical(pair.fqdn).replace(`.${zone}`, '')}\`, or \`@\``,
      });
    }
    return findings;
  });
}

/** To let the PBX on, or to stop it, one must know how. */
function serviceFindings({ services, selfFence }: Config): Finding[] {
  const { names, start, stop, letOn } = services;
  const findings: Finding[] = [];
  if (letOn === 'estepe' && names.length + start.length === 0)
    findings.push({
      path: ['services', 'letOn'],
      wrong: 'nothing says how the PBX is started here',
      allowed: '`machine`, or `services.names` or `services.start` beside it',
    });
  if (selfFence.after !== undefined && names.length + stop.length === 0)
    findings.push({
      path: ['selfFence', 'after'],
      wrong: 'nothing says how the PBX is stopped here',
      allowed: '`services.names` or `services.stop` beside it',
    });
  return findings;
}

/** A password goes with a user, and never over a line that anybody can read. */
function notifyFindings({ notify: { email } }: Config): Finding[] {
  if (email === null) return [];
  const { user, password, security } = email;
  const path = ['notify', 'email'];
  if ((user === undefined) !== (password === undefined)) {
    const [given, missing] = user === undefined ? ['password', 'user'] : ['user', 'password'];
    return [{ path, wrong: `\`${given}\` is given without \`${missing}\``, allowed: 'both of them, or neither' }];
  }
  if (password !== undefined && security === 'none') {
    const wrong = 'the password would be readable on the way';
    return [{ path: [...path, 'security'], wrong, allowed: 'starttls or tls where there is a password' }];
  }
  return [];
}

/** Everything in which the keys of this configuration disagree. */
export function crossChecks(config: Config): Finding[] {
  return [
    pairFindings,
    cadenceFindings,
    timeoutFindings,
    testFindings,
    promotionFindings,
    serviceFindings,
    dnsFindings,
    sourceFindings,
    placeFindings,
    encryptFindings,
    restoreFindings,
    notifyFindings,
  ].flatMap((check) => check(config));
}
