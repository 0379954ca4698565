/** The lab's network between the spare and the active: it must look like one, alive, dead, hung and cut. */
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Beat, ReferenceBeat } from '../../../src-main/engine/ports.ts';
import { RealNet } from '../../../src-main/heartbeat/real-net.ts';
import { type EmbeddedPbx, embeddedPbxScript, startEmbeddedPbx } from '../../../src-main/lab/embedded-pbx.ts';
import { type LabNetwork, startNetwork } from '../../../src-main/lab/network.ts';
import { noSuchAddress, type Place, placeFor, portsFree } from '../../../src-main/lab/place.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { until } from '../../peers/fixtures/until.ts';
import { temporaryFolder } from '../cli/estepe-process.ts';

vi.setConfig({ testTimeout: 120_000 });

const fqdn = 'pbx.lab.example';
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()));
});

interface Stretch {
  place: Place;
  network: LabNetwork;
  pbx: EmbeddedPbx;
  look: () => Promise<{ beats: Beat[]; gateway: ReferenceBeat }>;
}

async function stretch(): Promise<Stretch> {
  const place = placeFor(0);
  const { sip: sipPort, web: webPort, tunnel: tunnelPort } = place.ports;
  const network = await startNetwork(place);
  running.push(network);
  const pbx = await startEmbeddedPbx({ address: place.beyond, sipPort, webPort, tunnelPort, fqdn });
  running.push(pbx);
  const net = new RealNet({ proc: new RealProc(), scripts: '/', dataFolder: '/', ca: pbx.certificate.ca });
  const signal = new AbortController().signal;
  const timeoutMs = 1_000;
  const tests = [
    { id: 'sip', kind: 'sip', transport: 'udp', port: sipPort, timeoutMs },
    { id: 'web', kind: 'web', port: webPort, path: '/', marker: null, warnDays: 14, timeoutMs },
    { id: 'tunnel', kind: 'tunnel', port: tunnelPort, timeoutMs },
  ] as const;
  const look = async () => {
    const [gateway, ...beats] = await Promise.all([
      net.reference({ id: 'dns', kind: 'dns', host: place.gateway, port: place.dnsPort, timeoutMs }, signal),
      ...tests.map((test) => net.probe(test, { address: place.active, fqdn }, signal)),
    ]);
    return { beats, gateway };
  };
  return { place, network, pbx, look };
}

const outcomes = (beats: readonly Beat[]): string[] => beats.map(({ outcome }) => outcome);
const allAlive = ['alive', 'alive', 'alive'];
const untilAlive = ({ look }: Stretch) =>
  until('the active answers across the network', async () =>
    outcomes((await look()).beats).every((o) => o === 'alive'),
  );

describe.skipIf(process.platform !== 'linux')('the lab’s network', () => {
  it('A1 killed beyond it, the active refuses here too; started again, it answers here', async () => {
    const s = await stretch();
    expect(outcomes((await s.look()).beats)).toEqual(allAlive);
    await s.pbx.kill();
    await s.look();
    const { beats, gateway } = await s.look();
    expect(beats.map(({ evidence }) => evidence.split(' ')[0])).toEqual(Array(3).fill('ECONNREFUSED'));
    expect(beats.map(({ silent }) => silent)).toEqual([undefined, undefined, undefined]);
    expect(gateway.answered).toBe(true);
    await s.pbx.restart();
    await untilAlive(s);
  });

  it('A3 hung beyond it, the active accepts here and is silent', async () => {
    const s = await stretch();
    s.pbx.freeze();
    const { beats, gateway } = await s.look();
    expect(beats).toMatchObject([
      { outcome: 'dead', silent: true },
      { outcome: 'dead', silent: true, evidence: expect.stringContaining('port accepts, but no TLS handshake') },
      { outcome: 'alive' },
    ]);
    expect(gateway.answered).toBe(true);
    s.pbx.thaw();
    await untilAlive(s);
  });

  it('B2 cut, nothing comes back, not even a refusal, be the active alive or dead; mended, all is as it was', async () => {
    const s = await stretch();
    await s.network.cut();
    const silent = { outcome: 'dead', silent: true };
    const cut = await s.look();
    expect(cut.beats).toMatchObject([
      silent,
      silent,
      { ...silent, evidence: expect.stringContaining('no connection') },
    ]);
    expect(cut.gateway.answered).toBe(false);
    s.network.mend();
    await untilAlive(s);
    expect((await s.look()).gateway.answered).toBe(true);

    await s.pbx.kill();
    await s.look();
    await s.network.cut();
    expect((await s.look()).beats).toMatchObject([silent, silent, silent]);
    s.network.mend();
    await s.look();
    expect((await s.look()).beats.map(({ evidence }) => evidence.split(' ')[0])).toContain('ECONNREFUSED');
  });

  it('has its place for itself: a second one on the same place is told which port is taken', async () => {
    const { place } = await stretch();
    await expect(startNetwork(place)).rejects.toMatchObject({ code: 'port', detail: { code: 'EADDRINUSE' } });
    expect(await portsFree(place.active, place.ports)).toBe(false);
    expect(await portsFree(place.spare, place.ports)).toBe(true);
  });
});

describe('the lab’s place', () => {
  it('is another one for each lab, with usual ports first and others later', () => {
    const places = Array.from({ length: 20 }, () => placeFor(0, 'linux'));
    expect(new Set(places.map(({ active }) => active)).size).toBeGreaterThan(15);
    expect(placeFor(0, 'linux').ports).toEqual({ sip: 5060, web: 5001, tunnel: 5090 });
    expect(placeFor(2, 'linux').ports).toEqual({ sip: 10060, web: 10001, tunnel: 10090 });
  });

  it('is always the same where addresses have to be added by hand, and says how', () => {
    const place = placeFor(1, 'darwin');
    expect(place.active).toBe('127.0.77.1');
    expect(noSuchAddress(place, 'darwin').todo).toContain('sudo ifconfig lo0 alias 127.0.77.254');
  });
});

describe.skipIf(process.platform === 'win32')('the PBX that a promotion starts', () => {
  it('can be asked whether it runs: exit 0 or 1', async () => {
    const folder = temporaryFolder();
    const pidfile = `${folder.path}/pbx.pid`;
    const call = (...argv: string[]): string =>
      execFileSync(process.execPath, [embeddedPbxScript(), ...argv, '--daemon-pidfile', pidfile], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    const stopped = expect.objectContaining({ status: 1, stdout: "The lab's PBX does not run.\n" });
    try {
      expect(() => call('--query')).toThrow(stopped);
      call('--owner-pid', `${process.pid}`);
      expect(call('--query')).toMatch(/^The lab's PBX runs \(process \d+\)\.\n$/);
      call('--stop');
      expect(() => call('--query')).toThrow(stopped);
    } finally {
      folder.remove();
    }
  });
});
