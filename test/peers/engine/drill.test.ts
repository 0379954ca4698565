/** G5: drills on a real engine, with real backups in a folder, a real name server, scripts that would tell that they ran. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type EngineClient, findEngine } from '../../../src-main/console/engine-client.ts';
import type { DrillReport } from '../../../src-main/contract/drill.ts';
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import { keyLine, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { type EngineUnderTest, startEngine } from './engine-process.ts';
import { type Later, putUp } from './one-pbx.ts';
import { Site, yamlOf } from './site.ts';

const by = 'the test';
const never = '0 1 1 1 *';

/** Both nodes, a backup in the folder between them, restored on the passive; the active's engine has ended. */
async function spare(later: Later, size = 1000) {
  const root = newFolder('drill');
  later(() => rmSync(root, { recursive: true, force: true }));
  const at = (...names: string[]): string => join(root, ...names);
  mkdirSync(at('pbx', 'deeper'), { recursive: true });
  writeFileSync(at('pbx', 'sip.conf'), 'first');
  writeFileSync(at('pbx', 'deeper', 'recording.wav'), randomBytes(size));
  const [net, key] = [newNetwork(), newKey('estepe')];
  const named = await startNamed({
    ...{ address: net(1), port: 53, keys: [key] },
    zones: [{ name: 'example.com', servers: { ns1: net(1) }, updates: 'allow-update { key estepe; };' }],
  });
  later(() => named.stop());
  const sections = (own: string, other: string) => ({
    backup: { location: { kind: 'local', folder: at('nas') }, source: { folders: [at(own)] }, schedule: never },
    restore: { into: [{ from: at(other), to: at(own) }], schedule: never, whenNewer: true, poll: '1s' },
  });
  const entry = { kind: 'rfc2136', zone: 'example.com', record: 'pbx', key: 'dns-key', within: '20s' };
  const telling = (name: string): string => `echo ran >> ${at(`${name}-ran`)}`;
  const stage = await putUp(
    later,
    {
      scripts: { 'before.sh': telling('before'), 'after.sh': telling('after'), 'fence.sh': telling('fence') },
      promotion: {
        ...{ dns: { ...entry, server: named.address }, scripts: { before: 'before.sh', after: 'after.sh' } },
        fence: { script: 'fence.sh', silenceWithin: '1s' },
      },
      more: sections('copy', 'pbx'),
    },
    (folder) => {
      mkdirSync(`${folder}/secrets`, { recursive: true, mode: 0o700 });
      writeFileSync(`${folder}/secrets/dns-key`, `${keyLine(key)}\n`, { mode: 0o600 });
      return {};
    },
  );
  const address = stage.passive.replace(/2$/, '1');
  named.update(key, `update add pbx.example.com 60 A ${address}`);
  const site = new Site();
  later(() => site.remove());
  const more = { role: 'active', ...sections('pbx', 'copy') };
  const wish = { active: address, passive: stage.passive, tests: { sip: { port: stage.port } } };
  site.configure(yamlOf({ ...wish, promotion: { mode: 'manual' }, more }));
  const active = await startEngine(site);
  later(() => active.stop());
  await findEngine(site.folder).call((client) => client.backups.run({ by }));
  const { backups } = await active.until('the backup', (one) => one.backups.last.backup !== null);
  expect(backups.last.backup).toMatchObject({ ok: true });
  const name = backups.last.backup?.name ?? '';
  await stage.engine.until(
    'it is restored',
    (one) => one.backups.work === null && one.backups.restored?.name === name && one.offset.verified,
  );
  await active.stop();
  return { ...stage, at, named, key, name };
}
type Spare = Awaited<ReturnType<typeof spare>>;

const call = <T>(site: Site, ask: (client: EngineClient) => Promise<T>): Promise<T> =>
  findEngine(site.folder).call(ask);

/** Every file below, with its hash, mode and owner; folders too. Without what a running engine writes by itself. */
function fingerprint(folder: string, without: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (without.test(name)) continue;
    const { mode, uid } = statSync(path);
    const hash = entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'folder';
    found.set(name, `${hash} ${mode} ${uid}`);
  }
  return found;
}

/** Each node says its word there every interval, and may be killed while it writes it. */
const wordsOf = /(?:^|\/)word[^/]*$|^nas\/\.estepe-part-/;
const enginesOwn = /^(?:estepe\.db.*|owner\.lock.*|engine\.json|logs(?:\/.*)?|spool(?:\/[^/]*\.(?:db.*|json))?)$/;
const outside = ({ at, site }: Spare) => ({
  pair: fingerprint(at(), wordsOf),
  data: fingerprint(site.folder, enginesOwn),
});

const rowOf = (report: DrillReport, id: string) => {
  const row = report.rows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`no row ${id} in ${JSON.stringify(report.rows, null, 1)}`);
  return row;
};

const serial = ({ named }: Spare): string => named.dig('example.com', 'SOA').join();

/** The location gives so few bytes a second from now on that the sandbox is not filled before the test is done with it. */
async function slowly(stage: Spare): Promise<void> {
  const config = parse(readFileSync(stage.site.path('estepe.yaml'), 'utf8'));
  config.backup.bandwidth = 20;
  config.restore.whenNewer = false;
  stage.site.configure(stringify(config));
  await until('the configuration is taken', async () =>
    (await stage.engine.events()).some(({ rule }) => rule === 'config.accepted'),
  );
}

const restoring = (engine: EngineUnderTest): Promise<Snapshot> =>
  engine.until('the drill restores', ({ drill: { running } }) => (running?.bytes ?? 0) > 0);

const sandboxed = ({ site }: Spare): boolean => site.has('spool', 'drill');

describeWithPeers('G5 drill', ['kamailio', 'named', 'dig', 'nsupdate', 'netns'], () => {
  it('G5 drill and dry-run change nothing outside their sandbox', async ({ onTestFinished: later }) => {
    const stage = await spare(later);
    const { engine, site, at, pbx, key, named, passive } = stage;
    const [before, soa] = [outside(stage), serial(stage)];
    const html = join(newFolder('report'), 'drill.html');
    later(() => rmSync(join(html, '..'), { recursive: true, force: true }));
    const ended = await engine.cli('drill', '--json', '--html', html);
    const report = JSON.parse(ended.out) as DrillReport;
    expect(report.rows.filter(({ state }) => state === 'problem')).toEqual([]);
    expect({ exit: ended.exit, passed: report.passed }).toEqual({ exit: 0, passed: true });
    expect(report).toMatchObject({ backup: stage.name, role: 'passive' });
    expect(rowOf(report, 'restore.proven').evidence).toContain('2 files');
    expect(rowOf(report, 'rights.dns.pbx.example.com.1').state).toBe('ok');
    expect(rowOf(report, 'promotion.claim').state).toBe('ok');
    expect(rowOf(report, 'promotion.script.before.sh').state).toBe('ok');
    expect(rowOf(report, 'promotion.start').state).toBe('ok');
    expect(rowOf(report, 'promotion.plan').evidence).toContain('Switch DNS: pbx.example.com to');
    const dry = await engine.cli('promote', '--dry-run');
    expect(dry.exit).toBe(1);

    expect(outside(stage)).toEqual(before);
    expect(serial(stage)).toBe(soa);
    expect(named.dig('pbx.example.com')).toEqual([passive.replace(/2$/, '1')]);
    expect(['before-ran', 'after-ran', 'fence-ran'].filter((name) => readdirSync(at()).includes(name))).toEqual([]);
    expect(pbx.pids()).toEqual([]);
    expect(sandboxed(stage)).toBe(false);
    const snapshot = await engine.snapshot();
    expect(snapshot.drill).toMatchObject({ running: null, last: { passed: true }, ended: { how: 'passed' } });
    expect((await engine.events()).map(({ rule }) => rule)).toContain('drill.passed');
    expect((await engine.cli('status')).out).toMatch(/Drill: passed \d+ s ago/);
    const page = readFileSync(html, 'utf8');
    expect(page).toContain(stage.name);
    expect(page + ended.out + JSON.stringify(snapshot)).not.toContain(key.secret);
    // asked again without running one, also where it cannot be written
    expect(JSON.parse((await engine.cli('drill', '--last', '--json')).out)).toEqual(report);
    const nowhere = await engine.cli('drill', '--html', join(site.folder, 'no', 'where.html'));
    expect(nowhere).toMatchObject({ exit: 2, err: expect.stringContaining('cannot be written') });
    expect((await engine.snapshot()).drill.last?.at).toBe(report.at);
  });

  it('G5 a damaged backup, a script that cannot be read and a key that is refused are problems, each with what to do', async ({
    onTestFinished: later,
  }) => {
    const stage = await spare(later);
    const { engine, site, at } = stage;
    const file = at('nas', stage.name);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
    site.script('before.sh', 'if true; then echo never ended');
    writeFileSync(site.path('secrets', 'dns-key'), `${keyLine(newKey('estepe'))}\n`, { mode: 0o600 });
    const before = outside(stage);
    const ended = await engine.cli('drill', '--json');
    const report = JSON.parse(ended.out) as DrillReport;
    expect({ exit: ended.exit, passed: report.passed }).toEqual({ exit: 1, passed: false });
    const proven = rowOf(report, 'restore.proven');
    expect(proven).toMatchObject({ state: 'problem', evidence: expect.stringContaining('SHA-256') });
    expect(proven.todo).not.toBe('');
    expect(rowOf(report, 'promotion.script.before.sh')).toMatchObject({ state: 'problem' });
    expect(rowOf(report, 'rights.dns.pbx.example.com.1')).toMatchObject({ state: 'problem' });
    // its proof keeps its word: a drill is no judge in the location
    expect(outside(stage)).toEqual(before);
    expect(sandboxed(stage)).toBe(false);
    expect((await engine.snapshot()).drill).toMatchObject({ lastPassedAt: null, ended: { how: 'failed' } });
  });

  it('G5 killed in the middle: nothing of it is left after the next start', async ({ onTestFinished: later }) => {
    const stage = await spare(later, 3_000_000);
    await slowly(stage);
    const before = outside(stage);
    expect(await call(stage.site, (client) => client.drill.start({ by }))).toMatchObject({ accepted: true });
    await restoring(stage.engine);
    expect(sandboxed(stage)).toBe(true);
    expect(await call(stage.site, (client) => client.drill.start({ by }))).toMatchObject({ accepted: false });
    await stage.engine.kill();
    expect(sandboxed(stage)).toBe(true);
    const next = await startEngine(stage.site);
    later(() => next.stop());
    await until('the sandbox is gone', () => !sandboxed(stage));
    const cut = await next.until('it is told', ({ drill }) => drill.ended !== null);
    expect(cut.drill).toMatchObject({ running: null, last: null, ended: { how: 'cancelled' } });
    expect(outside(stage)).toEqual(before);
  });

  it('G5 a promotion in the middle cancels the drill and goes live', async ({ onTestFinished: later }) => {
    const stage = await spare(later, 3_000_000);
    const { engine, active, named, passive, at } = stage;
    await slowly(stage);
    await engine.phase('watching');
    await call(stage.site, (client) => client.drill.start({ by }));
    await restoring(engine);
    await active.kill();
    await engine.phase('active');
    const { drill } = await engine.until('the drill is over', (one) => one.drill.running === null);
    expect(drill).toMatchObject({ last: null, ended: { how: 'cancelled' } });
    expect(drill.ended?.sentence).toContain('because a runbook began');
    const rules = (await engine.events()).map(({ rule }) => rule);
    expect(rules.indexOf('drill.cancelled')).toBeLessThan(rules.indexOf('step.flip-standing'));
    await until('the sandbox is gone', () => !sandboxed(stage));
    expect(named.dig('pbx.example.com')).toEqual([passive]);
    expect(readFileSync(at('copy', 'sip.conf'), 'utf8')).toBe('first');
  });

  it('G5 cancelled by a person, refused while a restore is under way, and on the active says what it cannot ask', async ({
    onTestFinished: later,
  }) => {
    const stage = await spare(later, 3_000_000);
    const { engine, active, site } = stage;
    await slowly(stage);
    await call(site, (client) => client.drill.start({ by }));
    await restoring(engine);
    expect(await call(site, (client) => client.drill.cancel({ by }))).toMatchObject({ accepted: true });
    const { drill } = await engine.until('it is over', (one) => one.drill.running === null);
    expect(drill.ended).toMatchObject({ how: 'cancelled', sentence: 'The drill was cancelled by a person.' });
    expect(sandboxed(stage)).toBe(false);
    await call(site, (client) => client.backups.restore({ by, name: null }));
    const refused = await engine.cli('drill');
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining('A restore is under way') });
    await call(site, (client) => client.backups.cancel({ by }));
    await engine.until('nothing is under way', ({ backups }) => backups.work === null);
    await active.kill();
    await engine.phase('active');
    const report = JSON.parse((await engine.cli('drill', '--json')).out) as DrillReport;
    expect(report).toMatchObject({ role: 'active', backup: null });
    expect(rowOf(report, 'restore.proven').sentence).toContain('This node is the active one');
    expect(rowOf(report, 'promotion.role').sentence).toContain('cannot be rehearsed');
    expect((await engine.snapshot()).drill.lastPassedAt).toBeNull();
  });
});
