/**
 * E6 by dnscmd. The tool itself runs on Windows only: a stand-in that knows its grammar and its words for failures carries the change
 * out on a real name server, by nsupdate.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DnsEnd, DnsRecord } from '../../../src-main/engine/ports.ts';
import { freePort } from '../fixtures/free-port.ts';
import { type Named, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { change, contextOf, dnsOf, recordOf } from './dns-rig.ts';

const key = newKey('estepe');

/** `orders` holds what it is told to do wrong: one line for each call, empty for none. */
const standIn = (folder: string, address: string, port: number): string => `#!/bin/bash
say() { echo; echo "Command failed:  $1     $2    0x0"; echo; exit $(( $2 % 256 )); }
usage() { echo "Usage: DnsCmd <ServerName> <Command>"; say ERROR_INVALID_PARAMETER 87; }
echo "$*" >>${folder}/calls
order=$(sed -n 1p ${folder}/orders 2>/dev/null); sed -i 1d ${folder}/orders 2>/dev/null
[ "$order" = denied ] && say ERROR_ACCESS_DENIED 5
[ "$order" = unreachable ] && say RPC_S_SERVER_UNAVAILABLE 1722
[ "$order" = hang ] && sleep 600
server=$1 command=$2 zone=$3 node=$4
[ "$server" = "${address}" ] || say RPC_S_SERVER_UNAVAILABLE 1722
case "$zone" in *.test) ;; *) say DNS_ERROR_ZONE_DOES_NOT_EXIST 9601;; esac
name=$node.$zone; [ "$node" = @ ] && name=$zone
update() { printf 'server ${address} ${port}\\n%s\\nsend\\n' "$1" | nsupdate -y '${key.algorithm}:${key.name}:${key.secret}' || say ERROR_GEN_FAILURE 31; }
stands() { dig @${address} -p ${port} +short "$name" "$1" | grep -qx -- "$2"; }
case "$command" in
/recorddelete)
  [ $# = 7 ] && [ "$7" = /f ] || usage
  stands "$5" "$6" || say DNS_ERROR_RECORD_DOES_NOT_EXIST 9701
  update "update delete $name $5 $6";;
/recordadd)
  [ $# = 7 ] && [[ "$5" =~ ^[0-9]+$ ]] || usage
  stands "$6" "$7" && say DNS_ERROR_RECORD_ALREADY_EXISTS 9711
  update "update add $name $5 $6 $7";;
/enumrecords)
  [ $# = 6 ] && [ "$5" = /type ] || usage
  dig @${address} -p ${port} +noall +answer "$name" "$6";;
*) usage;;
esac
[ "$order" = mumble ] && say ERROR_GEN_FAILURE 31
echo "Command completed successfully."
`;

describeWithPeers('E6 DNS by dnscmd', ['named', 'dig', 'nsupdate', 'netns'], () => {
  const at = newNetwork();
  const folder = newFolder('dnscmd');
  const path = process.env.PATH;
  let port = 0;
  let server: Named;
  const zone = () => ({
    name: 'ad.test',
    servers: { dc1: at(1) },
    records: ['pbx 60 A 192.0.2.1', 'pbx 60 TXT "a"'],
    updates: 'allow-update { key estepe; };',
  });

  beforeAll(async () => {
    port = await freePort(at(1));
    server = await startNamed({ address: at(1), port, keys: [key], zones: [zone()] });
    writeFileSync(join(folder, 'dnscmd'), standIn(folder, at(1), port));
    chmodSync(join(folder, 'dnscmd'), 0o755);
    process.env.PATH = `${folder}:${path}`;
  });
  afterAll(async () => {
    process.env.PATH = path;
    await server?.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    for (const name of ['calls', 'orders']) rmSync(join(folder, name), { force: true });
    server.update(key, 'update delete pbx.ad.test A', 'update add pbx.ad.test 60 A 192.0.2.1');
  });

  const record = (more: Partial<DnsRecord> = {}) =>
    recordOf({ kind: 'dnscmd', server: at(1) }, { name: 'pbx.ad.test', zone: 'ad.test', ...more });
  const switched = (one = record(), attempt = 1): Promise<DnsEnd> =>
    dnsOf({}, port, folder).switch(one, change, contextOf({ attempt }));
  const orders = (...lines: string[]): void => writeFileSync(join(folder, 'orders'), `${lines.join('\n')}\n`);
  const calls = (): string[] =>
    existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
  const deletion = () => `${at(1)} /recorddelete ad.test pbx A 192.0.2.1 /f`;
  const addition = () => `${at(1)} /recordadd ad.test pbx 60 A 192.0.2.2`;

  it('deletes the exact record and adds the new one with its TTL', async () => {
    const end = await switched();
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain(`pbx.ad.test points to 192.0.2.2 (dnscmd changed it on ${at(1)}`);
    expect(calls()).toEqual([deletion(), addition()]);
    expect(server.dig('pbx.ad.test')).toEqual(['192.0.2.2']);
    expect(server.dig('pbx.ad.test', 'TXT')).toEqual(['"a"']);
    // asked again it does nothing
    expect(await switched()).toMatchObject({ outcome: 'done' });
    expect(calls()).toHaveLength(2);
  });

  it('E6 someone already switched: nothing is run', async () => {
    server.update(key, 'update delete pbx.ad.test A', 'update add pbx.ad.test 60 A 192.0.2.99');
    const end = await switched();
    expect(end.sentence).toContain('points to 192.0.2.99, not to 192.0.2.1: somebody switched it already');
    expect(calls()).toEqual([]);
  });

  it('E6 refused: the account is named as what is missing, and the record stays', async () => {
    orders('denied');
    const end = await switched();
    expect(end).toMatchObject({ outcome: 'failed' });
    expect(end.sentence).toContain(
      'dnscmd failed with 5 (ERROR_ACCESS_DENIED): the account that Estepe runs under needs',
    );
    expect(server.dig('pbx.ad.test')).toEqual(['192.0.2.1']);
  });

  it('the server is not reached: worth another attempt', async () => {
    orders('unreachable');
    expect(await switched()).toMatchObject({ outcome: 'failed', again: true });
  });

  it('E6 done, though it says that it failed: asked after, not repeated', async () => {
    orders('mumble', 'mumble');
    const end = await switched();
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain('answers 192.0.2.2 now, though dnscmd failed (dnscmd failed with 31');
    expect(calls()).toEqual([deletion(), addition()]);
  });

  it('an addition that fails is tried once more, for the name has no address now', async () => {
    orders('', 'unreachable');
    expect(await switched()).toMatchObject({ outcome: 'done' });
    expect(calls()).toEqual([deletion(), addition(), addition()]);
  });

  it('deleted and never added: said, and the next attempt adds', async () => {
    orders('', 'denied', 'denied');
    const end = await switched();
    expect(end).toMatchObject({ outcome: 'failed', again: true });
    expect(end.sentence).toContain(
      '192.0.2.1 was deleted and 192.0.2.2 could not be added, so the name has no address now',
    );
    expect(server.dig('pbx.ad.test')).toEqual([]);
    // a first attempt does not make a record that nobody had
    expect((await switched()).sentence).toContain('there is no record pbx.ad.test where 192.0.2.1 was expected');
    expect(await switched(record(), 2)).toMatchObject({ outcome: 'done' });
    expect(calls().at(-1)).toBe(addition());
    expect(server.dig('pbx.ad.test')).toEqual(['192.0.2.2']);
  });

  it('G5 a rehearsal reads only', async () => {
    const serial = server.serial('ad.test');
    const end = await dnsOf({}, port, folder).rehearse(record(), change, contextOf());
    expect(end).toMatchObject({
      outcome: 'done',
      sentence: expect.stringContaining('was left as it is: dnscmd reads the record'),
    });
    expect(calls()).toEqual([`${at(1)} /enumrecords ad.test pbx /type A`]);
    expect(server.serial('ad.test')).toBe(serial);
  });

  it('hangs: ended when the switch is cancelled, with what is known', async () => {
    orders('hang');
    const control = new AbortController();
    const end = dnsOf({}, port, folder).switch(record(), change, contextOf({ signal: control.signal }));
    await expect.poll(() => calls().length).toBe(1);
    control.abort();
    expect(await end).toMatchObject({
      outcome: 'failed',
      sentence: expect.stringContaining('the old address was not deleted: cancelled'),
    });
    expect(server.dig('pbx.ad.test')).toEqual(['192.0.2.1']);
  });

  it('where it is not installed', async () => {
    process.env.PATH = path;
    const end = await switched().finally(() => {
      process.env.PATH = `${folder}:${path}`;
    });
    expect(end.sentence).toMatch(/dnscmd was not started: .*; it comes with the DNS Server Tools of RSAT/);
  });
});
