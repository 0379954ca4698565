/** E6 in a takeover by the whole engine: `estepe serve`, real SIP servers, and real name servers inside and outside. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type KeyText, keyLine, type Named, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { type EngineUnderTest, startEngine } from './engine-process.ts';
import { expectTakenOver, told } from './evidence.ts';
import { type Later, putUp, type Stage } from './one-pbx.ts';

/** A zone names its servers without a port, so these listen where name servers do. */
const port = 53;
const outsideAddresses = { active: '203.0.113.1', passive: '203.0.113.2' };

interface DnsStage extends Stage {
  inside: Named;
  outside: Named;
  key: KeyText;
}

/** Inside, the name leads to the pair's own addresses; outside, to its public ones. */
async function withDns(later: Later, more: Readonly<Record<string, unknown>> = {}): Promise<DnsStage> {
  const [at, key] = [newNetwork(), newKey('estepe')];
  const updates = 'allow-update { key estepe; };';
  // the addresses of the pair are known only when it stands
  const named = (host: number): Promise<Named> =>
    startNamed({
      address: at(host),
      port,
      keys: [key],
      zones: [{ name: 'example.com', servers: { ns1: at(host) }, updates }],
    });
  const [inside, outside] = await Promise.all([named(1), named(2)]);
  later(() => inside.stop());
  later(() => outside.stop());
  const entry = { kind: 'rfc2136', zone: 'example.com', record: 'pbx', key: 'dns-key', within: '20s' };
  const dns = [
    { ...entry, server: inside.address },
    { ...entry, server: outside.address, ...outsideAddresses, ...more },
  ];
  const stage = await putUp(later, { promotion: { dns } }, (folder) => {
    mkdirSync(`${folder}/secrets`, { recursive: true, mode: 0o700 });
    writeFileSync(`${folder}/secrets/dns-key`, `${keyLine(key)}\n`, { mode: 0o600 });
    return {};
  });
  const active = stage.passive.replace(/2$/, '1');
  inside.update(key, `update add pbx.example.com 300 A ${active}`);
  outside.update(key, `update add pbx.example.com 60 A ${outsideAddresses.active}`);
  return { ...stage, inside, outside, key };
}

const dnsStep = async (engine: EngineUnderTest) =>
  (await engine.snapshot()).runbook?.steps.find(({ id }) => id === 'switch-dns');

describeWithPeers('E6 DNS in a takeover', ['kamailio', 'named', 'dig', 'nsupdate', 'netns'], () => {
  it('E6 inside and outside are switched, each to its own address; no secret is written anywhere', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, passive, inside, outside, key, site } = await withDns(later);
    await active.kill();
    await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason: /3 of 3 rounds in a row failed/,
      told: ['promoted'],
    });
    expect(inside.dig('pbx.example.com')).toEqual([passive]);
    expect(outside.dig('pbx.example.com')).toEqual(['203.0.113.2']);
    const step = await dnsStep(engine);
    expect(step).toMatchObject({ state: 'done', attempt: 1, onFail: 'ask' });
    expect(step?.result).toContain(`pbx.example.com points to ${passive} (`);
    expect(step?.result).toContain('whoever asked before may keep the old address for up to 5 min');
    expect(step?.result).toContain('pbx.example.com points to 203.0.113.2 (');
    expect(JSON.stringify([await engine.events(), await engine.snapshot()])).not.toContain(key.secret);
    for (const file of readdirSync(site.path('logs'))) {
      expect(readFileSync(site.path('logs', file), 'utf8')).not.toContain(key.secret);
    }
  });

  it('E6 someone already switched: halted, told, and goes on once a person has set it right', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, passive, inside, outside, key } = await withDns(later);
    const set = (address: string): void =>
      outside.update(key, 'update delete pbx.example.com A', `update add pbx.example.com 60 A ${address}`);
    set('203.0.113.99');
    await active.kill();
    const { runbook } = await engine.phase('halted');
    expect(runbook?.reason).toContain('1 of 2 records not switched');
    expect(runbook?.reason).toContain('points to 203.0.113.99, not to 203.0.113.1: somebody switched it already');
    expect(told(await engine.events())).toEqual(['halted.1']);
    // the other one is switched, and the PBX answers there
    expect(inside.dig('pbx.example.com')).toEqual([passive]);
    const serial = inside.serial('example.com');
    set('203.0.113.2');
    expect(await engine.promote({ reason: 'set by hand' })).toMatchObject({ accepted: true, rule: 'halted.resumed' });
    await engine.phase('active');
    expect(inside.serial('example.com')).toBe(serial);
    expect(await dnsStep(engine)).toMatchObject({ state: 'done', attempt: 2 });
  });

  it('F1 killed between the change and its result: asked after, changed once', async ({ onTestFinished: later }) => {
    // a server that does not follow holds the step between the change and its end
    const at = newNetwork();
    const zone = { name: 'example.com', servers: { ns9: at(9) }, records: ['pbx 60 A 203.0.113.1'] };
    const key = newKey('late');
    const late = await startNamed({
      address: at(9),
      port,
      keys: [key],
      zones: [{ ...zone, updates: 'allow-update { key late; };' }],
    });
    later(() => late.stop());
    const { engine, active, outside, site } = await withDns(later, { servers: [late.address], within: '60s' });
    await active.kill();
    await until('the outside to be switched', () => outside.dig('pbx.example.com')[0] === '203.0.113.2', 40_000);
    const serial = outside.serial('example.com');
    await engine.kill();
    late.update(key, 'update delete pbx.example.com A', 'update add pbx.example.com 60 A 203.0.113.2');
    const next = await startEngine(site);
    later(() => next.stop());
    await next.phase('active');
    expect(outside.serial('example.com')).toBe(serial);
    const step = await dnsStep(next);
    expect(step).toMatchObject({ state: 'done', attempt: 2 });
    expect(step?.result).toContain('pbx.example.com points to 203.0.113.2 already');
  });
});
