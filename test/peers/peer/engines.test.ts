import { afterEach, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../../src-main/contract/doctor.ts';
import type { PeerStatus } from '../../../src-main/contract/peer.ts';
import { type EngineUnderTest, startEngine } from '../engine/engine-process.ts';
import { newPair, Site, yamlOf } from '../engine/site.ts';
import { freePort } from '../fixtures/free-port.ts';

const engines: EngineUnderTest[] = [];
const sites: Site[] = [];
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  for (const site of sites.splice(0)) await site.remove();
});

async function node(role: 'active' | 'passive', addresses: { active: string; passive: string }, port: number) {
  const site = new Site();
  sites.push(site);
  const more = { role, peer: {} };
  site.configure(yamlOf({ ...addresses, tests: { tunnel: { port } }, promotion: { mode: 'manual' }, more }));
  const engine = await startEngine(site);
  engines.push(engine);
  return engine;
}

async function twoEngines() {
  const addresses = newPair();
  const port = await freePort(addresses.active);
  const [active, passive] = [await node('active', addresses, port), await node('passive', addresses, port)];
  const listens = (engine: EngineUnderTest) => engine.until('it to listen', ({ peer }) => peer.listening !== null);
  await Promise.all([listens(active), listens(passive)]);
  return { active, passive, addresses };
}

async function paired() {
  const nodes = await twoEngines();
  const opened = await nodes.active.cli('pair', 'open', '--json');
  const { code } = JSON.parse(opened.out) as { code: string };
  const joined = await nodes.passive.cli('pair', 'join', code);
  expect(joined).toMatchObject({ exit: 0, out: `Paired with the node on ${nodes.addresses.active}.\n`, err: '' });
  for (const engine of [nodes.active, nodes.passive]) await engine.until('words', ({ peer }) => peer.state === 'up');
  return { ...nodes, code };
}

describe('two engines on the command line', () => {
  it('are paired by a code, hear each other, and keep it over a restart', async () => {
    const { active, passive, addresses, code } = await paired();
    const status = JSON.parse((await passive.cli('pair', 'status', '--json')).out) as PeerStatus;
    expect(status).toMatchObject({ paired: true, state: 'up', otherPlace: addresses.active, unprotected: [] });
    expect((await active.cli('pair', 'status')).out).toContain(String(status.ownFingerprint));
    // The word reached the core: this node knows of the other one what only it can say.
    const { nodes } = await passive.until('the word in the picture', ({ nodes }) =>
      nodes.some(({ self, sentence }) => !self && sentence.includes('that it is active')),
    );
    expect(nodes.find(({ self }) => !self)).toMatchObject({ role: 'active', epoch: 0 });
    const events = await passive.events();
    expect(events.map(({ rule }) => rule)).toEqual(expect.arrayContaining(['peer.paired', 'peer.up']));
    const told = JSON.stringify([events, await active.events(), await active.snapshot(), await passive.snapshot()]);
    expect(told).not.toContain(code);

    await active.kill();
    await passive.until('the other one to be missed', ({ peer }) => peer.state === 'down');
    engines.push(await startEngine(active.site));
    await passive.until('the link to be up again', ({ peer }) => peer.state === 'up' && peer.trouble === null);
  }, 240_000);

  it('the doctor holds the two machines and their clocks against each other', async () => {
    const { active, passive } = await paired();
    for (const engine of [active, passive]) {
      const { checks } = JSON.parse((await engine.cli('doctor', '--json')).out) as DoctorReport;
      const states = new Map(checks.map(({ id, state }) => [id, state]));
      for (const same of ['parity.os', 'parity.arch', 'parity.profile', 'parity.ports', 'parity.estepe', 'clock.pair'])
        expect([same, states.get(same)]).toEqual([same, 'ok']);
      // nobody can tell the version of a PBX of the profile `generic`
      expect(states.get('parity.pbx')).toBe('skipped');
      expect(states.get('link.state')).toBe('ok');
      expect(states.get('firewall.link')).toBe('ok');
    }
    await active.kill();
    await passive.until('the other one to be missed', ({ peer }) => peer.state === 'down');
    const { checks } = JSON.parse((await passive.cli('doctor', '--json')).out) as DoctorReport;
    expect(checks.find(({ id }) => id === 'link.state')?.state).toBe('problem');
    expect(checks.find(({ id }) => id === 'clock.pair')?.state).toBe('skipped');
  }, 240_000);

  it('one that stands still (SIGSTOP) is missed within its time, and heard again', async () => {
    const { active, passive } = await paired();
    await active.freeze();
    const { peer } = await passive.until('the silence', ({ peer }) => peer.state === 'down' && peer.trouble !== null);
    expect(peer.trouble).toContain('did not answer within 4 s');
    expect(peer.unprotected).toContain('stand-down');
    active.thaw();
    await passive.until('it to be heard again', ({ peer }) => peer.state === 'up' && peer.trouble === null);
  }, 240_000);

  it('a wrong code, no link, and removal are said in words', async () => {
    const { active, passive } = await twoEngines();
    const wrong = await passive.cli('pair', 'join', 'ABCD-EFGH');
    expect(wrong).toMatchObject({ exit: 1, out: 'This is not the code: a code has 20 characters, this one has 8.\n' });
    const early = await passive.cli('pair', 'join', '00000-00000-00000-00000');
    expect(early.out).toContain('No pairing is open on');
    expect(JSON.parse((await active.cli('pair', 'remove', '--json')).out)).toEqual({ removed: false });
    active.site.configure(yamlOf({ ...newPair(), tests: { tunnel: { port: 9 } }, more: { role: 'active' } }));
    await active.until('the link to end', ({ peer }) => peer.state === 'off');
    const without = await active.cli('pair', 'open');
    expect(without).toMatchObject({ exit: 1, err: expect.stringContaining('No peer link is configured here.') });
    expect((await active.cli('pair', 'status')).out).toContain('Not protected without it:');
  }, 240_000);
});
