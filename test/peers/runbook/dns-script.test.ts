/** DNS by a script of the site's own: it may do what it likes, and is not taken at its word. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DnsEnd } from '../../../src-main/engine/ports.ts';
import { freePort } from '../fixtures/free-port.ts';
import { type Named, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { change, contextOf, dnsOf, recordOf } from './dns-rig.ts';

const key = newKey('estepe');

describeWithPeers("DNS by a script of the site's own", ['named', 'dig', 'nsupdate', 'netns'], () => {
  const at = newNetwork();
  const root = newFolder('dns-script');
  const folder = join(root, 'scripts');
  let port = 0;
  let server: Named;
  beforeAll(async () => {
    mkdirSync(folder, { mode: 0o700 });
    port = await freePort(at(1));
    const zone = {
      name: 'own.test',
      servers: { ns1: at(1) },
      records: ['pbx 300 A 192.0.2.1'],
      updates: 'allow-update { key estepe; };',
    };
    server = await startNamed({ address: at(1), port, keys: [key], zones: [zone] });
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(root, { recursive: true });
  });
  beforeEach(() => server.update(key, 'update delete pbx.own.test A', 'update add pbx.own.test 300 A 192.0.2.1'));

  const script = (...lines: string[]): void => {
    writeFileSync(
      join(folder, 'dns.sh'),
      ['#!/bin/sh', `env | grep ^ESTEPE_ >${folder}/seen`, ...lines, ''].join('\n'),
    );
    chmodSync(join(folder, 'dns.sh'), 0o700);
  };
  const switches = () => [
    `printf 'server ${at(1)} ${port}\\nupdate delete %s A\\nupdate add %s 60 A %s\\nsend\\n' $ESTEPE_FQDN $ESTEPE_FQDN $ESTEPE_NEW_ADDRESS |`,
    `  nsupdate -y '${key.algorithm}:${key.name}:${key.secret}'`,
  ];
  const record = (withinMs = 5_000) =>
    recordOf(
      { kind: 'script', argv: ['dns.sh'], timeoutMs: 10_000 },
      { name: 'pbx.own.test', zone: null, withinMs, servers: [{ host: at(1), port }] },
    );
  const switched = (withinMs?: number): Promise<DnsEnd> =>
    dnsOf({}, port, folder).switch(record(withinMs), change, contextOf());

  it('is told both addresses and the name, and what it did is asked after', async () => {
    script(...switches());
    const end = await switched();
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toMatch(
      /^pbx\.own\.test points to 192\.0\.2\.2 \(dns\.sh ended with 0 after .*; whoever asked before may keep the old address for up to 5 min/,
    );
    expect(readFileSync(join(folder, 'seen'), 'utf8').split('\n')).toEqual(
      expect.arrayContaining([
        ...['ESTEPE_FQDN=pbx.own.test', 'ESTEPE_OLD_ADDRESS=192.0.2.1', 'ESTEPE_NEW_ADDRESS=192.0.2.2'],
        ...['ESTEPE_DRY_RUN=0', 'ESTEPE_STEP=switch-dns', 'ESTEPE_EPOCH=4'],
      ]),
    );
    // switched already: it is not run again
    script('exit 2');
    expect(await switched()).toMatchObject({ outcome: 'done', sentence: expect.stringContaining('already') });
  });

  it('a script that says it is done and did nothing is not believed', async () => {
    script('exit 0');
    const end = await switched(1_000);
    expect(end).toMatchObject({ outcome: 'failed' });
    expect(end.sentence).toContain('1 of 1 authoritative servers did not answer 192.0.2.2 within 1 s');
  });

  it('fails by its own word, or asks for another try', async () => {
    script('exit 2');
    expect(await switched()).toMatchObject({
      outcome: 'failed',
      sentence: expect.stringContaining('final by its own word'),
    });
    script('exit 1');
    expect(await switched()).toMatchObject({ outcome: 'failed', again: true });
  });

  it('G5 a rehearsal runs it with ESTEPE_DRY_RUN', async () => {
    script('[ $ESTEPE_DRY_RUN = 1 ] || exit 2', 'echo would do');
    const end = await dnsOf({}, port, folder).rehearse(record(), change, contextOf());
    expect(end).toMatchObject({ outcome: 'done', output: 'would do\n' });
    expect(server.dig('pbx.own.test')).toEqual(['192.0.2.1']);
  });
});
