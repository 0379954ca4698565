/** E6, by dynamic update, against real name servers: a primary and a secondary that follows it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DnsEnd, DnsRecord } from '../../../src-main/engine/ports.ts';
import { readMessage } from '../../../src-main/runbook/dns/message.ts';
import { ttlTrouble } from '../../../src-main/runbook/dns/ttl.ts';
import { type DnsWire, dnsWire, type Mischief, update } from '../fixtures/dns-wire.ts';
import { freePort } from '../fixtures/free-port.ts';
import { keyClause, keyLine, type Named, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { back, change, contextOf, dnsOf, recordOf } from './dns-rig.ts';

const key = newKey('estepe');
/** the same name, another secret */
const forged = newKey('estepe');
const unknown = newKey('nobody');
/** known to the server, and allowed nothing */
const powerless = newKey('powerless');
const algorithms = ['hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha384', 'hmac-sha512'];
const others = algorithms.map((algorithm) => newKey(`by-${algorithm}`, algorithm));

const secrets = Object.fromEntries([
  ['estepe', keyLine(key)],
  ['clause', keyClause(key)],
  ['forged', keyLine(forged)],
  ['unknown', keyLine(unknown)],
  ['powerless', keyLine(powerless)],
  ['broken', 'estepe:hmac-sha256:!!'],
  ...others.map((one) => [one.name, keyLine(one)]),
]);

const updates = `update-policy { ${[key, ...others].map(({ name }) => `grant ${name} zonesub A AAAA;`).join(' ')} };`;

describeWithPeers('E6 DNS by dynamic update', ['named', 'dig', 'nsupdate', 'netns'], () => {
  const at = newNetwork();
  let port = 0;
  let primary: Named;
  let secondary: Named;

  /** Every test has a zone of its own; the secondary of `stays` zones is never told of a change. */
  const zones = [
    ...[
      'plain',
      'already',
      'taken',
      'gone',
      'keys',
      'lost',
      'race',
      'undo',
      'rehearsed',
      'long',
      'six',
      'stays',
      'dead',
    ],
    ...['silent', 'looked', 'cancelled', 'algorithms', 'unsigned', 'lost-going', 'forged'],
  ];

  beforeAll(async () => {
    port = await freePort(at(1));
    const servers = { ns1: at(1), ns2: at(2) };
    primary = await startNamed({
      ...{ address: at(1), port },
      keys: [key, powerless, ...others],
      zones: zones.map((zone) => ({
        name: `${zone}.test`,
        servers: zone === 'dead' ? { ns1: at(1), ns2: at(9) } : servers,
        records: [
          'pbx 60 A 192.0.2.1',
          'six 60 AAAA 2001:db8::1',
          'old 21600 A 192.0.2.1',
          'two 60 A 192.0.2.1',
          'two 60 A 192.0.2.7',
        ],
        updates,
        notify: zone === 'stays' ? [] : [at(2)],
      })),
    });
    secondary = await startNamed({
      ...{ address: at(2), port },
      zones: zones.map((zone) => ({ name: `${zone}.test`, primary: at(1) })),
    });
    await until('the secondary to have all zones', () =>
      zones.every((zone) => secondary.dig(`pbx.${zone}.test`).length === 1),
    );
  });
  afterAll(async () => {
    await Promise.all([primary?.stop(), secondary?.stop()]);
  });

  const way = (secret = 'estepe', server = { host: at(1), port }) =>
    ({ kind: 'rfc2136', server, key: secret }) as const;
  const record = (zone: string, more: Partial<DnsRecord> & { secret?: string } = {}): DnsRecord => {
    const { secret, ...rest } = more;
    return recordOf(way(secret), { name: `pbx.${zone}.test`, zone: `${zone}.test`, ...rest });
  };
  const dns = () => dnsOf(secrets, port);
  const switched = (one: DnsRecord, which = change): Promise<DnsEnd> => dns().switch(one, which, contextOf());

  it('is switched, and every authoritative server is asked until it says so', async () => {
    const end = await switched(record('plain', { ttlS: 90 }));
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toBe(
      `pbx.plain.test points to 192.0.2.2 (${at(1)}:${port} took the update; ${at(1)}:${port} answers 192.0.2.2; ns2.plain.test (${at(2)}) answers 192.0.2.2)`,
    );
    for (const server of [primary, secondary]) {
      expect(server.dig('pbx.plain.test')).toEqual(['192.0.2.2']);
      expect(server.ttl('pbx.plain.test')).toBe(90);
    }
  });

  it('switched already: nothing is changed', async () => {
    primary.update(key, 'update delete pbx.already.test A', 'update add pbx.already.test 60 A 192.0.2.2');
    const serial = primary.serial('already.test');
    const end = await switched(record('already', { secret: 'clause' }));
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain('pbx.already.test points to 192.0.2.2 already');
    expect(primary.serial('already.test')).toBe(serial);
  });

  it('E6 someone already switched it to somewhere else: named, and left alone', async () => {
    primary.update(key, 'update delete pbx.taken.test A', 'update add pbx.taken.test 60 A 192.0.2.99');
    const end = await switched(record('taken'));
    expect(end).toMatchObject({ outcome: 'failed' });
    expect(end.again).toBeFalsy();
    expect(end.sentence).toContain('points to 192.0.2.99, not to 192.0.2.1: somebody switched it already');
    expect(primary.dig('pbx.taken.test')).toEqual(['192.0.2.99']);
    // one of two addresses is not the record that is to be replaced
    const two = await switched(record('taken', { name: 'two.taken.test' }));
    expect(two.sentence).toContain('points to 192.0.2.1 and 192.0.2.7');
    expect(primary.dig('two.taken.test')).toEqual(['192.0.2.1', '192.0.2.7']);
  });

  it('no record there: said, and none is made', async () => {
    const end = await switched(record('gone', { name: 'nothing.gone.test' }));
    expect(end.sentence).toContain('there is no record nothing.gone.test where 192.0.2.1 was expected');
    expect(primary.dig('nothing.gone.test')).toEqual([]);
  });

  it('two who switch at once: one of them does', async () => {
    const to = ['192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'];
    const ends = await Promise.all(to.map((address) => switched(record('race'), { from: '192.0.2.1', to: address })));
    expect(ends.filter(({ outcome }) => outcome === 'done')).toHaveLength(1);
    const winner = to[ends.findIndex(({ outcome }) => outcome === 'done')];
    expect(primary.dig('pbx.race.test')).toEqual([winner]);
    for (const { sentence } of ends.filter(({ outcome }) => outcome === 'failed')) {
      expect(sentence).toContain(`points to ${winner}, not to 192.0.2.1`);
    }
  });

  it.each([
    ['E6 key wrong', 'forged', 'the secret of the key estepe is not the one it has (BADSIG)'],
    ['E6 key unknown', 'unknown', 'it does not know the key nobody (BADKEY)'],
    ['E6 refused', 'powerless', 'refuses the update (REFUSED): allow the key powerless to change pbx.keys.test there'],
    ['key that is none', 'broken', 'the secret broken cannot be used: its secret is not base64'],
    ['key that is missing', 'missing', 'The secret missing does not exist.'],
  ])('%s', async (_, secret, sentence) => {
    const one = record('keys', { secret });
    for (const end of [await switched(one), await dns().rehearse(one, change, contextOf())]) {
      expect(end).toMatchObject({ outcome: 'failed' });
      expect(end.sentence).toContain(sentence);
      for (const { secret: hidden } of [key, forged, unknown, powerless])
        expect(JSON.stringify(end)).not.toContain(hidden);
    }
    expect(primary.dig('pbx.keys.test')).toEqual(['192.0.2.1']);
  });

  it('a zone that the server does not have', async () => {
    const end = await switched(record('nowhere'));
    expect(end.sentence).toContain('has no authority for the zone nowhere.test (NOTAUTH): name its primary server');
  });

  it.each([
    ['10 min ahead of', 600_000],
    ['2 h behind', -7_200_000],
  ])('E6 clock off: ours is %s that of the server', async (words, offMs) => {
    const end = await dnsOf(secrets, port, '/nowhere', offMs).switch(record('keys'), change, contextOf());
    expect(end).toMatchObject({ outcome: 'failed' });
    // a second may pass on the way
    const near = words.replace('10 min', '(10 min|9 min 59 s)').replace('2 h', '(2 h|2 h 1 min)');
    expect(end.sentence).toMatch(new RegExp(`the clock of this machine is ${near} its own \\(BADTIME`));
    expect(primary.dig('pbx.keys.test')).toEqual(['192.0.2.1']);
  });

  /** Switches over a wire that does mischief, in a zone of its own. */
  async function overWire(zone: string, mischief: Mischief): Promise<{ end: DnsEnd; wire: DnsWire }> {
    const place = { address: at(1), port: await freePort(at(1)) };
    const wire = await dnsWire(place, { address: at(1), port }, mischief);
    try {
      const server = { host: place.address, port: place.port };
      const one = recordOf(way('estepe', server), { name: `pbx.${zone}.test`, zone: `${zone}.test` });
      return { end: await switched(one), wire };
    } finally {
      wire.close();
    }
  }
  const updatesIn = ({ passed }: DnsWire): number => passed.filter((opcode) => opcode === update).length;

  it('E6 success whose reply was lost: asked after, not repeated', async () => {
    const { end, wire } = await overWire('lost', { losesReply: update });
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain('answers 192.0.2.2 now, though its reply to the update was lost');
    expect([updatesIn(wire), wire.connections()]).toEqual([1, 0]);
    expect(primary.dig('pbx.lost.test')).toEqual(['192.0.2.2']);
  });

  it('an update that was lost on its way: asked after, then sent by TCP', async () => {
    const { end, wire } = await overWire('lost-going', { losesQuestion: update });
    expect(end).toMatchObject({ outcome: 'done', sentence: expect.stringContaining('took the update') });
    expect([updatesIn(wire), wire.connections()]).toEqual([1, 1]);
    expect(primary.dig('pbx.lost-going.test')).toEqual(['192.0.2.2']);
  });

  it('a reply whose signature was taken off, or bent, is not believed: asked after', async () => {
    const unsigned = (reply: Buffer): Buffer => {
      const bare = Buffer.from(reply.subarray(0, readMessage(reply).lastAt ?? reply.length));
      bare.writeUInt16BE(0, 10);
      return bare;
    };
    const bare = await overWire('unsigned', { bends: unsigned });
    expect(bare.end).toMatchObject({ outcome: 'done' });
    expect(bare.end.sentence).toContain('though its reply to the update was lost (the reply is not signed)');
    const forged = (reply: Buffer): Buffer => {
      const other = Buffer.from(reply);
      other[other.length - 20] = (other[other.length - 20] ?? 0) ^ 0xff;
      return other;
    };
    const { end } = await overWire('forged', { bends: forged });
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain('was lost (the reply cannot be trusted)');
  });

  it('a server that hears nothing: bounded, and worth another attempt', async () => {
    const silent = await startNamed({
      address: at(30),
      port,
      keys: [key],
      zones: [{ name: 'silent.test', records: ['pbx A 192.0.2.1'], updates: 'allow-update { key estepe; };' }],
    });
    try {
      await silent.peer.freeze();
      const one = recordOf(way('estepe', { host: at(30), port }), { name: 'pbx.silent.test', zone: 'silent.test' });
      const end = await switched(one);
      expect(end).toMatchObject({ outcome: 'failed', again: true });
      expect(end.sentence).toContain(`the server was not reached: no answer from ${at(30)}:${port} within 3 s`);
      silent.peer.thaw();
      expect(await switched(one)).toMatchObject({ outcome: 'done' });
    } finally {
      await silent.stop();
    }
  });

  it('a secondary that never follows: failed, and named', async () => {
    const end = await switched(record('stays', { withinMs: 3_000 }));
    expect(end).toMatchObject({ outcome: 'failed' });
    expect(end.sentence).toContain('1 of 2 authoritative servers did not answer 192.0.2.2 within 3 s');
    expect(end.sentence).toContain(`ns2.stays.test (${at(2)}) answers 192.0.2.1`);
    expect(primary.dig('pbx.stays.test')).toEqual(['192.0.2.2']);
    // the very same again: nothing is changed, and it is asked anew
    expect(await switched(record('stays', { withinMs: 1_000 }))).toMatchObject({ outcome: 'failed' });
  });

  it('a name server that is dead gives nobody the old address: said, and no failure', async () => {
    const end = await switched(record('dead', { withinMs: 2_000 }));
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain('points to 192.0.2.2, as far as they speak: 1 of 2 authoritative servers did not');
    expect(end.sentence).toContain(`ns2.dead.test (${at(9)}) does not say (ECONNREFUSED ${at(9)}:${port})`);
  });

  it('E6 TTL too long: told with the switch, and before it', async () => {
    const old = record('long', { name: 'old.long.test' });
    const answers = await dns().look(old, change.to, new AbortController().signal);
    expect(ttlTrouble(old, answers)?.sentence).toContain('old.long.test has a TTL of 6 h at');
    const end = await switched(old);
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toContain(
      'whoever asked before may keep the old address for up to 6 h, the TTL it had (configured: 1 min)',
    );
    expect(primary.ttl('old.long.test')).toBe(60);
    expect(ttlTrouble(old, await dns().look(old, change.to, new AbortController().signal))).toBeNull();
  });

  it('failback: the same switch the other way round', async () => {
    expect(await switched(record('undo'))).toMatchObject({ outcome: 'done' });
    expect(await switched(record('undo'), back)).toMatchObject({ outcome: 'done' });
    expect([primary, secondary].map((server) => server.dig('pbx.undo.test'))).toEqual([['192.0.2.1'], ['192.0.2.1']]);
  });

  it('G5 a rehearsal asks for the same rights and changes nothing, the serial included', async () => {
    const serial = primary.serial('rehearsed.test');
    const end = await dns().rehearse(record('rehearsed'), change, contextOf());
    expect(end).toMatchObject({ outcome: 'done' });
    expect(end.sentence).toBe(
      `pbx.rehearsed.test was left as it is: ${at(1)}:${port} would take the update with the key estepe`,
    );
    const wrong = await dns().rehearse(record('rehearsed'), { from: '192.0.2.8', to: '192.0.2.9' }, contextOf());
    expect(wrong.sentence).toContain('points to 192.0.2.1, not to 192.0.2.8');
    expect(primary.serial('rehearsed.test')).toBe(serial);
    expect(primary.dig('pbx.rehearsed.test')).toEqual(['192.0.2.1']);
  });

  it('IPv6 addresses, however they are written', async () => {
    const six = record('six', { name: 'six.six.test' });
    const end = await switched(six, { from: '2001:DB8:0::1', to: '2001:db8:0:0::2' });
    expect(end).toMatchObject({ outcome: 'done' });
    expect(secondary.dig('six.six.test', 'AAAA')).toEqual(['2001:db8::2']);
    expect(primary.dig('pbx.six.test')).toEqual(['192.0.2.1']);
  });

  it.each(others.map(({ name }, i) => [name, i] as const))('a key %s', async (name, i) => {
    const step = { from: `192.0.2.${i + 1}`, to: `192.0.2.${i + 2}` };
    expect(await switched(record('algorithms', { secret: name }), step)).toMatchObject({ outcome: 'done' });
    expect(primary.dig('pbx.algorithms.test')).toEqual([step.to]);
  });

  it('a server that knows no keys', async () => {
    // a server that knows no keys: it answers without a signature
    const plain = await startNamed({
      address: at(40),
      port,
      zones: [{ name: 'keyless.test', records: ['pbx A 192.0.2.2'] }],
    });
    try {
      const one = recordOf(way('estepe', { host: at(40), port }), { name: 'pbx.keyless.test', zone: 'keyless.test' });
      const end = await switched(one);
      expect(end).toMatchObject({ outcome: 'failed' });
      expect(end.sentence).toContain('(BADKEY)');
    } finally {
      await plain.stop();
    }
  });

  it('cancelled: ends at once, and says so', async () => {
    const control = new AbortController();
    control.abort();
    const end = await dns().switch(record('cancelled'), change, contextOf({ signal: control.signal }));
    expect(end).toMatchObject({ outcome: 'failed', sentence: expect.stringContaining('cancelled') });
    expect(primary.dig('pbx.cancelled.test')).toEqual(['192.0.2.1']);
  });
});
