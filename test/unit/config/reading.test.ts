import { describe, expect, it } from 'vitest';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import {
  type Config,
  ownTarget,
  targetOf,
  toPolicy,
  toReferences,
  toRetention,
  toTests,
} from '../../../src-main/config/schema.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal, site } from './texts.ts';

function read(text: string): Config {
  const checked = checkText(text);
  expect(checked).toMatchObject({ ok: true });
  if (!checked.ok) throw new Error('unreachable');
  return checked.config;
}

const profile = (name: string) => minimal.replace('generic', name);

describe('reading estepe.yaml', () => {
  it('takes every key of a whole file', () => {
    const config = read(site);
    expect(toPolicy(config)).toEqual({
      failWhen: 'all',
      intervalMs: 30_000,
      confirmTimes: 3,
      confirmEveryMs: 5000,
      mode: 'confirm',
      countdownMs: 300_000,
      onSilence: 'promote',
      cooldownMs: 3_600_000,
      maxOffsetMs: 86_400_000,
      observeOnly: false,
      claim: 'required',
      references: 2,
      failbackStableMs: 600_000,
    });
    expect(toTests(config)).toEqual([
      { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4000 },
      { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 4000 },
      { id: 'tunnel', kind: 'tunnel', port: 5090, timeoutMs: 4000 },
    ]);
    expect(toReferences(config)).toEqual([
      { id: 'gateway', kind: 'gateway', timeoutMs: 2000 },
      { id: 'tcp:9.9.9.9:53', kind: 'tcp', host: '9.9.9.9', port: 53, timeoutMs: 2000 },
    ]);
    expect(config.promotion.scripts).toEqual({
      before: { argv: ['stop-old-active.cmd'], timeout: 60_000, retries: 2, onFail: 'halt' },
      after: { argv: ['tell-provider.cmd'], timeout: 60_000, retries: 2, onFail: 'continue' },
    });
    expect(config.promotion.dns).toMatchObject([{ kind: 'rfc2136', port: 53, ttl: 60_000, key: 'estepe' }]);
    expect(config.backup?.location).toMatchObject({ kind: 'sftp', host: 'nas.example.com', port: 22 });
  });

  it('is content with role and pair', () => {
    const config = read(minimal);
    expect(config.pair.name).toBe('pbx.example.com');
    expect(config.backup).toBeNull();
    expect(config.restore).toBeNull();
    expect(toPolicy(config)).toMatchObject({ intervalMs: 30_000, confirmTimes: 3, mode: 'confirm', maxOffsetMs: null });
    expect(config.console).toEqual({ address: '127.0.0.1', port: 0 });
    expect(toRetention(config)).toMatchObject({ beatsMs: 90 * 86_400_000 });
  });

  it.each([
    ['3cx-windows', ['sip 5060', 'web 5001', 'tunnel 5090'], { names: ['3CX*'], start: [] }],
    ['freepbx', ['sip 5060', 'web 443'], { names: [], start: [['fwconsole', 'start']] }],
    ['generic', ['sip 5060'], { names: [], start: [] }],
  ])('%s brings its ports, tests and services', (name, tests, services) => {
    const config = read(profile(name));
    expect(toTests(config).map((test) => `${test.kind} ${'port' in test ? test.port : ''}`)).toEqual(tests);
    expect(config.services).toMatchObject(services);
  });

  it('3cx-linux names each service', () => {
    expect(read(profile('3cx-linux')).services.names).toContain('3CXPhoneSystem01');
  });

  it("the site's own commands stand in place of the profile's services", () => {
    const config = read(`${profile('3cx-windows')}services: { start: [[net, start, pbx]] }\n`);
    expect(config.services).toMatchObject({ names: [], start: [['net', 'start', 'pbx']], query: [] });
  });

  it('only named tests run, and sip over tls has its own port', () => {
    const text = `${minimal}heartbeat:
  tests:
    sip: { transport: tls }
    commands: [{ id: trunk, run: [check-trunk.sh, "5"], timeout: 1s }]
`;
    expect(toTests(read(text))).toEqual([
      { id: 'sip', kind: 'sip', transport: 'tls', port: 5061, timeoutMs: 4000 },
      { id: 'trunk', kind: 'command', argv: ['check-trunk.sh', '5'], timeoutMs: 1000 },
    ]);
  });

  it('scripts take what they leave out from the section', () => {
    const scripts = `{ before: [a.sh, "1"], after: { run: b.sh, onFail: ask }, timeout: 10s, retries: 0, onFail: continue }`;
    const config = read(`${minimal}promotion:\n  scripts: ${scripts}\n`);
    expect(config.promotion.scripts).toEqual({
      before: { argv: ['a.sh', '1'], timeout: 10_000, retries: 0, onFail: 'continue' },
      after: { argv: ['b.sh'], timeout: 10_000, retries: 0, onFail: 'ask' },
    });
  });

  it('watches the other node, whichever this one is', () => {
    expect(targetOf(read(minimal))).toEqual({ address: '192.0.2.1', fqdn: 'pbx.example.com' });
    expect(ownTarget(read(minimal)).address).toBe('192.0.2.2');
    expect(targetOf(read(minimal.replace('role: passive', 'role: active'))).address).toBe('192.0.2.2');
  });

  it('short intervals bring short time-outs, in a laboratory only', () => {
    const config = read(`${minimal}lab: true\nheartbeat: { interval: 500ms }\n`);
    expect(toPolicy(config)).toMatchObject({ intervalMs: 500, confirmEveryMs: 250 });
    expect(toTests(config)[0]?.timeoutMs).toBe(400);
    expect(toReferences(config)[0]?.timeoutMs).toBe(400);
  });

  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('%s is %i ms', (text, ms) => {
    expect(read(`${minimal}promotion: { cooldown: ${text} }\n`).promotion.cooldown).toBe(ms);
  });

  it('a byte order mark, Windows line ends and a closing `...` do no harm', () => {
    read(`\uFEFF${site.replaceAll('\n', '\r\n')}`);
    read(`---\n${site}...\n`);
  });

  it('the printed example is valid, also with its commented sections', () => {
    expect(toTests(read(EXAMPLE_YAML)).map(({ id }) => id)).toEqual(['sip', 'web', 'tunnel']);
    const everything = EXAMPLE_YAML.split('\n')
      .map((row) => row.replace(/^( *)# (?= *(?:[a-zA-Z]+:|- \{))/, '$1'))
      .filter((row) => !/^(?:Estepe|Durations|Check it with):/.test(row))
      .join('\n');
    const config = read(everything);
    expect(config.heartbeat.tests.commands[0]?.run).toEqual(['check-trunk.sh', '--fast']);
    expect(config.services.stop).toEqual([['systemctl', 'stop', 'asterisk']]);
    expect(config.promotion.scripts.after).toMatchObject({ retries: 5, onFail: 'continue' });
    expect(config.console.port).toBe(8460);
  });
});
