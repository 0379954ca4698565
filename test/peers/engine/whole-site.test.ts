/**
 * A whole site in network namespaces: two nodes with PBX, engine and data, on the site's switch a name server and an SSH server. The
 * active dies, the spare takes over with its data, the name moves; what comes back stands down; and the way home.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeCertificates } from '../fixtures/certificates.ts';
import { user } from '../fixtures/file-server.ts';
import { layLan } from '../fixtures/lan.ts';
import { keyLine, newKey, startNamed } from '../fixtures/named.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { startSshd } from '../fixtures/sshd.ts';
import { until } from '../fixtures/until.ts';
import { type EngineUnderTest, startEngine } from './engine-process.ts';
import { told } from './evidence.ts';
import type { Later } from './one-pbx.ts';
import { ordered, saysWell } from './planned-pair.ts';
import { forgetTheMachine, Site, yamlOf } from './site.ts';
import { endProcessesOf, makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

const minutes = 60_000;
const fqdn = 'pbx.example.com';
const ports = { sip: 5060, web: 5001 };

interface NodeHere {
  engine: EngineUnderTest;
  pbx: StandbyPbx;
  site: Site;
  /** what its PBX keeps */
  data: string;
  start(): Promise<EngineUnderTest>;
}

async function wholeSite(later: Later) {
  const lan = await layLan();
  later(() => lan.remove());
  const certificates = makeCertificates();
  later(() => certificates.remove());
  const root = newFolder('whole-site');
  later(() => rmSync(root, { recursive: true, force: true }));
  const key = newKey('estepe');
  const named = await startNamed({
    ...{ address: lan.gateway, port: 53, netns: lan.middle, keys: [key] },
    zones: [
      {
        ...{ name: 'example.com', servers: { ns1: lan.gateway }, records: [`pbx 3600 A ${lan.active.address}`] },
        updates: 'allow-update { key estepe; };',
      },
    ],
  });
  later(() => named.stop());
  const sshd = await startSshd({ address: lan.gateway, port: 22, netns: lan.middle });
  later(() => sshd.stop());

  const node = async (role: 'active' | 'passive', other: 'active' | 'passive'): Promise<NodeHere> => {
    const { netns, address } = lan[role];
    const certificate = certificates.good;
    const pbx = makeStandbyPbx({
      sip: { address, udpPort: ports.sip, tcpPort: ports.sip },
      web: { address, port: ports.web, certificate },
    });
    later(() => pbx.end());
    const site = new Site();
    later(() => site.remove());
    const [data, others] = [join(root, role), join(root, other)];
    mkdirSync(data);
    site.secret('dns-key', `${keyLine(key)}\n`);
    site.secret('location', user.password);
    const location = { kind: 'sftp', host: lan.gateway, user: user.name, folder: 'spare', password: 'location' };
    site.configure(
      yamlOf({
        ...{ active: lan.active.address, passive: lan.passive.address, fqdn },
        tests: { sip: { port: ports.sip }, web: { port: ports.web }, tunnel: { port: ports.sip } },
        heartbeat: { references: [`tcp:${lan.gateway}:9`] },
        services: { ...pbx.services, letOn: 'estepe', letOnWithin: '5m' },
        promotion: {
          fence: { need: 'required', silenceWithin: '2s' },
          failback: { stable: '1s' },
          dns: {
            ...{ kind: 'rfc2136', server: lan.gateway, zone: 'example.com', record: 'pbx', key: 'dns-key' },
            ...{ ttl: '60s', within: '20s' },
          },
        },
        more: {
          role,
          peer: {},
          backup: { location: { ...location, hostKey: sshd.fingerprint('ed25519') }, source: { folders: [data] } },
          restore: { into: [{ from: others, to: data }], poll: '1s' },
        },
      }),
    );
    if (role === 'active') {
      writeFileSync(join(data, 'extensions'), '100 Reception');
      pbx.startByHand(netns);
    }
    const env = { NODE_EXTRA_CA_CERTS: `${certificates.folder}/ca.pem` };
    const start = async (): Promise<EngineUnderTest> => {
      const engine = await startEngine(site, { netns, env });
      later(() => engine.stop());
      return engine;
    };
    return { site, pbx, data, start, engine: await start() };
  };
  const active = await node('active', 'passive');
  await active.engine.phase('serving');
  const passive = await node('passive', 'active');
  await passive.engine.phase('watching', minutes);
  await active.engine.until('it to listen', ({ peer }) => peer.listening !== null);
  const opened = await active.engine.cli('pair', 'open', '--json');
  const { code } = JSON.parse(opened.out) as { code: string };
  expect(await passive.engine.cli('pair', 'join', code)).toMatchObject({ exit: 0 });
  await passive.engine.until('the other one to say that it serves well', saysWell, minutes);
  const epochs = (): string[] =>
    readdirSync(join(sshd.home, 'spare', 'estepe-head-office')).filter((name) => name.startsWith('epoch-'));
  return { lan, named, active, passive, epochs };
}

const read = ({ data }: NodeHere, name: string): string => readFileSync(join(data, name), 'utf8');
const own = async (engine: EngineUnderTest) => (await engine.snapshot()).nodes.find(({ self }) => self);

describeWithPeers('a whole site', ['netns', 'kamailio', 'nginx', 'named', 'dig', 'nsupdate', 'sshd'], () => {
  it(
    'A2, B5, E6, G6 the active dies: epoch claimed, silence proven, PBX up, name moved; it comes back and stands down before its SIP answers; home again with what was written meanwhile',
    async ({ onTestFinished: later }) => {
      const { lan, named, active, passive, epochs } = await wholeSite(later);
      expect(await active.engine.cli('backup', 'run')).toMatchObject({ exit: 0 });
      await passive.engine.until('the backup to stand here', () => {
        try {
          return read(passive, 'extensions') === '100 Reception';
        } catch {
          return false;
        }
      });
      await passive.engine.until('the restore to be over', ({ backups }) => backups.work === null);

      // The power supply of the active goes: PBX, engine and network at one blow.
      await active.engine.kill();
      await endProcessesOf(active.pbx.folder);
      lan.active.pull();
      await passive.engine.phase('active', minutes);
      const { runbook } = await passive.engine.snapshot();
      const results = new Map(runbook?.steps.map(({ id, state, result }) => [id, `${state}: ${result}`]));
      expect(epochs()).toEqual(['epoch-1']);
      expect(results.get('claim')).toMatch(/^done: .*epoch 1/);
      expect(results.get('fence')).toMatch(/^done: .*silent/);
      expect(results.get('prove-alive')).toMatch(/^done: /);
      expect(results.get('switch-dns')).toMatch(/^done: .*points to 198\.18\.0\.1/);
      expect(named.dig(fqdn)).toEqual([lan.passive.address]);
      expect(named.ttl(fqdn)).toBe(60);
      expect(read(passive, 'extensions')).toBe('100 Reception');
      expect(told(await passive.engine.events())).toContain('promoted');

      writeFileSync(join(passive.data, 'extensions'), '100 Reception, 101 Workshop');

      // It has power again. Its PBX must not answer, not for a moment.
      lan.active.heal();
      forgetTheMachine(active.site);
      const begun = Date.now();
      const back = await active.start();
      let everRan = false;
      await until('it to stand down', async () => {
        everRan ||= active.pbx.pids().length > 0;
        const self = await own(back);
        return self?.role === 'passive' && self.epoch === 1;
      });
      const since = (await back.events()).filter(({ at }) => at >= begun).map(({ rule }) => rule);
      expect(since).not.toContain('services.let-on');
      expect(since).toContain('serving.outranked');
      expect(everRan).toBe(false);
      expect((await passive.engine.snapshot()).core.phase).toBe('active');

      // Home again. What the old active wrote in its last minute, if anything, is given up by name.
      await back.until('the other one to say that it serves well', saysWell, minutes);
      const home = await ordered(back, 'failback', '--override', 'newer-data-here=the crash lost it anyway');
      expect(home, home.out).toMatchObject({ exit: 0 });
      expect(epochs()).toEqual(['epoch-1', 'epoch-2']);
      expect(named.dig(fqdn)).toEqual([lan.active.address]);
      expect(read(active, 'extensions')).toBe('100 Reception, 101 Workshop');
      expect(passive.pbx.pids()).toEqual([]);
      expect(active.pbx.pids().length).toBeGreaterThan(0);
      expect(await own(back)).toMatchObject({ role: 'active', epoch: 2 });
      await passive.engine.phase('watching', minutes);
    },
    6 * minutes,
  );
});
