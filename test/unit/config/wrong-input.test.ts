import { describe, expect, it } from 'vitest';
import { checkBytes, loadConfig } from '../../../src-main/config/load.ts';
import { problemLine } from '../../../src-main/config/problems.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { EstepeError } from '../../../src-main/contract/errors.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { minimal, site } from './texts.ts';

const said = (text: string): string[] => {
  const checked = checkText(text);
  return checked.ok ? [] : checked.problems.map((problem) => problemLine('estepe.yaml', problem));
};
const change = (from: string, to: string) => {
  expect(site).toContain(from);
  return site.replace(from, to);
};
const forms = 'a duration such as 500ms, 30s, 5m, 24h or 7d';
const files = 'a file name below the scripts folder: no absolute path, no `..`';

describe('G7 a wrong configuration: which line, what is wrong, what is allowed', () => {
  it.each([
    // keys
    [
      'unknown key',
      change('interval:', 'intervall:'),
      '4:3 heartbeat.intervall: the key `intervall` is not known here; did you mean `interval`? Allowed: interval, failWhen, confirm, tests, references, referenceTimeout.',
    ],
    [
      'unknown key, nothing near',
      change('  keep: 7', '  colour: 7'),
      '12:3 backup.colour: the key `colour` is not known here. Allowed: location, source, encrypt, schedule, timeZone, jitter, bandwidth, keep.',
    ],
    [
      'key of another kind of location',
      change('user: pbx,', 'user: pbx, share: x,'),
      '10:71 backup.location.share: the key `share` is not known here. Allowed: kind, host, port, user, folder, password, key, hostKey.',
    ],
    [
      'key in another case',
      change('failWhen', 'failwhen'),
      '5:3 heartbeat.failwhen: the key `failwhen` is not known here; did you mean `failWhen`? Allowed: interval, failWhen, confirm, tests, references, referenceTimeout.',
    ],
    ['missing key', change('role: passive\n', ''), '1:1 role: the key `role` is missing. Allowed: active or passive.'],
    [
      'missing key in a group',
      change('fqdn: pbx.example.com, ', ''),
      '2:1 pair.fqdn: the key `fqdn` is missing. Allowed: a name with at least one point, such as pbx.example.com; no IP address.',
    ],
    [
      'doubled key',
      `${site}role: active\n`,
      '21:1 role: the key `role` stands twice, the first time on line 1. Allowed: each key once in its group.',
    ],
    [
      'key without a value',
      change('countdown: 5m', 'countdown:'),
      `16:3 promotion.countdown: nothing stands here. Allowed: ${forms}, from 10s to 24h; or leave the line out.`,
    ],
    [
      'a value where a group belongs',
      change('{ times: 3, every: 5s }', '3'),
      '6:12 heartbeat.confirm: `3` is not a group of keys. Allowed: a group with the keys times, every.',
    ],
    [
      'a group where a value belongs',
      change('interval: 30s', 'interval: { s: 30 }'),
      `4:13 heartbeat.interval: a group of keys is not a duration. Allowed: ${forms}, from 5s to 1h.`,
    ],
    // durations
    [
      'duration without unit',
      change('30s', '30'),
      `4:13 heartbeat.interval: \`30\` is not a duration. Allowed: ${forms}, from 5s to 1h.`,
    ],
    [
      'duration in words',
      change('30s', '30 seconds'),
      `4:13 heartbeat.interval: \`30 seconds\` is not a duration. Allowed: ${forms}, from 5s to 1h.`,
    ],
    [
      'negative duration',
      change('cooldown: 60m', 'cooldown: -5m'),
      `18:13 promotion.cooldown: \`-5m\` is not a duration. Allowed: ${forms}, from 0s to 7d.`,
    ],
    ['duration too long', change('30s', '2h'), '4:13 heartbeat.interval: `2h` is too long. Allowed: from 5s to 1h.'],
    [
      'interval of a laboratory on a site',
      change('30s', '2s')
        .replace('every: 5s', 'every: 1s')
        .replace(/tests:.*\n/, 'tests: { sip: { timeout: 1s } }\n'),
      '4:13 heartbeat.interval: `2s` is too short. Allowed: from 5s to 1h (less only in a laboratory, with `lab: true`).',
    ],
    [
      'interval too short for a laboratory',
      `${change('30s', '100ms')}lab: true\n`,
      '4:13 heartbeat.interval: `100ms` is too short. Allowed: from 5s to 1h.',
    ],
    // ports, numbers, words
    [
      'port 0',
      change('port: 5060', 'port: 0'),
      '7:41 heartbeat.tests.sip.port: `0` is not a port. Allowed: a whole number from 1 to 65535.',
    ],
    [
      'port 65536',
      change('port: 5001', 'port: 65536'),
      '7:62 heartbeat.tests.web.port: `65536` is not a port. Allowed: a whole number from 1 to 65535.',
    ],
    [
      'port in quotes',
      change('port: 5090', 'port: "5090"'),
      '7:86 heartbeat.tests.tunnel.port: `5090` is not a port. Allowed: a whole number from 1 to 65535.',
    ],
    [
      'confirm.times 0',
      change('times: 3', 'times: 0'),
      '6:21 heartbeat.confirm.times: `0` is not a number of rounds. Allowed: a whole number from 1 to 20.',
    ],
    [
      'confirm.times 2.5',
      change('times: 3', 'times: 2.5'),
      '6:21 heartbeat.confirm.times: `2.5` is not a number of rounds. Allowed: a whole number from 1 to 20.',
    ],
    [
      'wrong word',
      change('mode: confirm ', 'mode: confrim '),
      '15:9 promotion.mode: `confrim` is not known here; did you mean `confirm`? Allowed: automatic, confirm or manual.',
    ],
    [
      'wrong profile',
      change('3cx-windows', '3cx'),
      '2:99 pair.profile: `3cx` is not known here. Allowed: 3cx-windows, 3cx-linux, freepbx or generic.',
    ],
    [
      'yes is no boolean in YAML 1.2',
      `${site}lab: yes\n`,
      '21:6 lab: `yes` is not true or false. Allowed: true or false.',
    ],
    [
      'wrong kind',
      change('kind: sftp', 'kind: stfp'),
      '10:21 backup.location.kind: `stfp` is not known here; did you mean `sftp`? Allowed: local, smb, sftp, ftps, google, s3.',
    ],
    [
      'schedule with four fields',
      change('"0 1 * * *"', '"0 1 * *"'),
      '11:13 backup.schedule: `0 1 * *` is not a schedule. Allowed: five fields in quotes: minute hour day month weekday, such as "0 1 * * *".',
    ],
    ...['5/15 * * * *', '0 25 * * *', '0 2 * * fri-mon'].map((cron): [string, string, string] => [
      `schedule that nothing runs by: ${cron}`,
      change('"0 1 * * *"', `"${cron}"`),
      `11:13 backup.schedule: \`${cron}\` is not a schedule. Allowed: five fields in quotes: minute hour day month weekday, such as "0 1 * * *".`,
    ]),
    // addresses
    [
      'address that is none',
      change('active: 192.0.2.1', 'active: 300.1.1.1'),
      '2:59 pair.active: `300.1.1.1` is not an address. Allowed: an IPv4 address, an IPv6 address without brackets, or a host name.',
    ],
    [
      'FQDN that is an address',
      change('fqdn: pbx.example.com', 'fqdn: 192.0.2.9'),
      '2:34 pair.fqdn: `192.0.2.9` is not a full domain name. Allowed: a name with at least one point, such as pbx.example.com; no IP address.',
    ],
    [
      'console beyond loopback',
      `${site}console: { address: 0.0.0.0 }\n`,
      '21:21 console.address: `0.0.0.0` is not a loopback address. Allowed: an address of this machine alone: 127.0.0.1 (any 127.x.x.x) or ::1.',
    ],
    [
      'reference',
      change('"tcp:9.9.9.9:53"', '"tcp:9.9.9.9"'),
      '8:26 heartbeat.references[1]: `tcp:9.9.9.9` is not a reference. Allowed: gateway, ping:HOST, tcp:HOST:PORT, dns:HOST[:PORT] or sip:HOST[:PORT].',
    ],
    // scripts
    [
      'script outside its folder',
      change('stop-old-active.cmd', '{ run: [../evil.sh] }'),
      `19:30 promotion.scripts.before.run[0]: \`../evil.sh\` is not a file in the scripts folder. Allowed: ${files}.`,
    ],
    [
      'script by absolute path',
      change('tell-provider.cmd', 'C:\\evil.cmd'),
      '19:50 promotion.scripts.after: `C:\\evil.cmd` is not a script. Allowed: a file in the scripts folder, a list [name, argument], or { run, timeout, retries, onFail }.',
    ],
    [
      'script with arguments in one text',
      change('tell-provider.cmd', 'tell.cmd --now'),
      '19:50 promotion.scripts.after: `tell.cmd --now` is not a script. Allowed: a file in the scripts folder, a list [name, argument], or { run, timeout, retries, onFail }.',
    ],
    [
      'unknown key of a script',
      change('tell-provider.cmd', '{ run: a.sh, retry: 2 }'),
      '19:63 promotion.scripts.after.retry: the key `retry` is not known here; did you mean `retries`? Allowed: run, timeout, retries, onFail.',
    ],
    // keys against each other
    [
      'confirm.every not below interval',
      change('every: 5s', 'every: 30s'),
      '6:31 heartbeat.confirm.every: `30s` is not shorter than the interval of 30s. Allowed: less than 30s, or a longer `heartbeat.interval`.',
    ],
    [
      'time-out not below interval',
      change('tunnel: { port: 5090 }', 'tunnel: { timeout: 1m }'),
      '7:89 heartbeat.tests.tunnel.timeout: `1m` is not shorter than the interval of 30s. Allowed: less than 30s, or a longer `heartbeat.interval`.',
    ],
    [
      'same address twice',
      change('passive: 192.0.2.2', 'passive: 192.0.2.1'),
      '2:79 pair.passive: `192.0.2.1` is the address of the active node too. Allowed: two different addresses, one for each node.',
    ],
    [
      'node by the FQDN',
      change('active: 192.0.2.1', 'active: PBX.example.com'),
      "2:59 pair.active: `PBX.example.com` is the FQDN of the pair, which points to either node. Allowed: the node's own address.",
    ],
    [
      'no test',
      change(/tests: .*/.exec(site)?.[0] ?? '', 'tests: {}'),
      '7:10 heartbeat.tests: no test is named, so nothing would be watched. Allowed: at least one of sip, web, tunnel, commands; `sip: {}` takes all defaults.',
    ],
    [
      'test id taken',
      change('tunnel: { port: 5090 }', 'commands: [{ id: sip, run: [x] }]'),
      '7:87 heartbeat.tests.commands[0].id: the id `sip` is taken by another test. Allowed: an id of its own for each test; sip, web and tunnel are taken.',
    ],
    [
      'no reference',
      change('[ gateway, "tcp:9.9.9.9:53" ]', '[]'),
      '8:15 heartbeat.references: without a reference no promotion by itself is ever allowed: nothing tells whether this node is cut off. Allowed: at least one reference, or `promotion.mode: manual`.',
    ],
    [
      'restore without a location',
      `${minimal}restore: {}\n`,
      '3:10 restore: there is nowhere to restore from. Allowed: a `backup` section with a `location`, or no `restore` section.',
    ],
    [
      'names and commands',
      `${minimal}services: { names: [x], start: [[y]] }\n`,
      '3:11 services: both names and commands are given. Allowed: either `names`, or commands in `start`, `query` and `stop`.',
    ],
    // YAML itself
    [
      'tab',
      change('  keep', '\tkeep'),
      '12:1 a tab stands where the line is indented. Allowed: blanks only, two for each level.',
    ],
    [
      'bracket left open',
      `${minimal}heartbeat: { interval: 30s\n`,
      '4:1 the indentation fits no group above. Allowed: the keys of one group under each other, two blanks for each level.',
    ],
    [
      'two documents',
      `${minimal}---\n${minimal}`,
      '3:1 a second document begins here. Allowed: one document, without `---` in between.',
    ],
    [
      'tag',
      change('30s', '!secret 30s'),
      '4:13 a tag (`!name`) cannot be used here. Allowed: plain values without a tag.',
    ],
    [
      'alias to nothing',
      change('30s', '*nothing'),
      '4:13 this `*name` points to nothing. Allowed: a name that was set before with `&name`.',
    ],
    [
      'alias bomb',
      `a: &a [1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n`,
      '1:1 too many `*aliases` are used. Allowed: at most 100, nested ones multiplied.',
    ],
    ['empty', '', '1:1 the file is empty. Allowed: at least `role` and `pair`; see `estepe config example`.'],
    [
      'comments only',
      '# nothing yet\n',
      '1:1 the file is empty. Allowed: at least `role` and `pair`; see `estepe config example`.',
    ],
    [
      'a list',
      '- role: passive\n',
      '1:1 the file holds no keys. Allowed: keys at the left margin, such as `role: passive`.',
    ],
    [
      'too large',
      `${site}#${'x'.repeat(64 * 1024)}`,
      '1:1 the file is larger than 64 KiB. Allowed: a configuration of a few kilobytes.',
    ],
  ])('%s', (_, text, expected) => {
    expect(said(text)[0]).toBe(`estepe.yaml:${expected}`);
  });

  it('names every problem, in the order of lines', () => {
    const text = change('30s', '30').replace('keep: 7', 'keep: 0').replace('role: passive', 'role: boss');
    const checked = checkText(text);
    expect(checked.ok ? [] : checked.problems.map(({ line, path }) => [line, path])).toEqual([
      [1, 'role'],
      [4, 'heartbeat.interval'],
      [12, 'backup.keep'],
    ]);
  });

  it('never repeats what may be a secret written in the wrong place', () => {
    const [problem, ...more] = said(change('key: estepe', 'key: "Pa55 wörd!"'));
    expect(problem).toMatch(/^estepe\.yaml:20:92 promotion\.dns\.key: this is not the name of a secret\. Allowed: /);
    expect(`${problem}${more}`).not.toContain('Pa55');
  });

  it.each([
    [
      'not UTF-8',
      Buffer.from([...Buffer.from('role: passive\npair: { name: '), 0xe9, 0x20, 0x7d, 0x0a]),
      2,
      'this line is not UTF-8',
    ],
    ['UTF-16', Buffer.from(`\uFEFF${site}`, 'utf16le'), 1, 'the file is UTF-16 (what Notepad calls Unicode)'],
    ['1 MiB and more', Buffer.alloc(1024 * 1024 + 1, 35), 1, 'the file is larger than 64 KiB'],
  ])('%s', (_, bytes, line, wrong) => {
    const checked = checkBytes(bytes);
    expect(checked.ok ? [] : checked.problems).toMatchObject([{ line, wrong }]);
  });

  it('a missing file says what to do', () => {
    using folder = temporaryFolder();
    const thrown = errorOf(() => loadConfig(folder.path));
    expect(thrown).toMatchObject({
      code: 'config',
      exitCode: 2,
      message: `There is no configuration: ${folder.path}/estepe.yaml does not exist.`,
      todo: expect.stringContaining('estepe config example'),
    });
  });

  it('a folder in place of the file, and a wrong file, are errors with what was found', () => {
    using folder = temporaryFolder();
    folder.make('estepe.yaml');
    expect(errorOf(() => loadConfig(folder.path)).message).toMatch(/cannot be read: it is not a file\./);
    using other = temporaryFolder();
    other.write('estepe.yaml', 'role: x\n');
    const thrown = errorOf(() => loadConfig(other.path));
    expect(thrown.message).toContain('estepe.yaml:1:7 role: `x` is not known here.');
    expect(thrown.detail.problems).toHaveLength(2);
  });
});

function errorOf(call: () => unknown): EstepeError {
  try {
    call();
  } catch (error) {
    if (error instanceof EstepeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
