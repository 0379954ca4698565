import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server, connect as tcp } from 'node:net';
import { dirname, join } from 'node:path';
import { connect, type TLSSocket, createServer as tlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { call } from '../../../src-main/peer/call.ts';
import { newCode } from '../../../src-main/peer/code.ts';
import { until } from '../fixtures/until.ts';
import { endAll, hex, pairedNodes, twoNodes } from './nodes.ts';

const servers: Server[] = [];
afterEach(async () => {
  await endAll();
  for (const server of servers.splice(0)) server.close();
});

const wrongCode = (right: string): string => {
  const other = newCode({ hex });
  return other === right ? wrongCode(right) : other;
};

describe('pairing by a one-time code', () => {
  it('each keeps the other’s fingerprint, for its owner alone, and words go both ways', async () => {
    const { active, passive } = await pairedNodes();
    const [a, p] = [active.link.status(), passive.link.status()];
    expect(a.otherFingerprint).toBe(p.ownFingerprint);
    expect(p.otherFingerprint).toBe(a.ownFingerprint);
    expect(a).toMatchObject({ paired: true, state: 'up', trouble: null, otherPlace: '127.0.0.32', unprotected: [] });
    expect(a.pairing).toEqual({ state: 'ended', paired: true, sentence: 'Paired with the node on 127.0.0.32.' });
    const file = join(dirname(active.secrets), 'peer.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(active.secrets, 'peer-key')).mode & 0o777).toBe(0o600);
    expect(passive.words.at(-1)).toMatchObject({ role: 'active', place: '127.0.0.31' });
    expect(JSON.stringify([active.notes, passive.notes, readFileSync(file, 'utf8')])).not.toMatch(
      /[0-9A-Z]{4}-[0-9A-Z]{4}/,
    );
  });

  it('a code is good once', async () => {
    const { active, passive } = await twoNodes();
    const { code } = active.link.pairOpen('a test');
    expect((await passive.link.pairJoin('a test', code.toLowerCase().replaceAll('-', ' '))).accepted).toBe(true);
    const again = await passive.link.pairJoin('a test', code);
    expect(again).toEqual({
      accepted: false,
      sentence: expect.stringContaining('No pairing is open on 127.0.0.31'),
      why: 'not-open',
    });
  });

  it('after five wrong tries the right one comes too late', async () => {
    const { active, passive } = await twoNodes();
    const { code } = active.link.pairOpen('a test');
    for (let left = 4; left >= 0; left--) {
      const { accepted, sentence, why } = await passive.link.pairJoin('a test', wrongCode(code));
      expect([accepted, why]).toEqual([false, 'wrong']);
      expect(sentence).toContain(['too often', 'one try is left', '2 tries', '3 tries', '4 tries'][left]);
    }
    expect((await passive.link.pairJoin('a test', code)).accepted).toBe(false);
    expect(active.link.view()).toMatchObject({ state: 'unpaired', pairing: { state: 'ended', paired: false } });
    expect(active.notes.map(({ rule }) => rule)).toContain('peer.pairing-ended');
  });

  it('a slip of the finger is said without a try', async () => {
    const { active, passive } = await twoNodes();
    const { code } = active.link.pairOpen('a test');
    const slip = `${code.startsWith('7') ? '8' : '7'}${code.slice(1)}`;
    const { sentence, why } = await passive.link.pairJoin('a test', slip);
    expect(why).toBe('unreadable');
    expect(sentence).toContain('a character of the code is wrong');
    expect(active.link.view().pairing).toMatchObject({ state: 'open', triesLeft: 5 });
  });

  it.each([
    ['another pair', { pair: 'branch' }, 'of different pairs'],
    ['another FQDN', { fqdn: 'other.example.com' }, 'different FQDNs'],
    ['the same address', { place: '127.0.0.31' }, 'Both take 127.0.0.31 for their own address'],
  ])('%s is refused in words, and costs no try', async (_, change, words) => {
    const { active, passive } = await twoNodes(change);
    const { code } = active.link.pairOpen('a test');
    const { accepted, sentence, why } = await passive.link.pairJoin('a test', code);
    expect([accepted, sentence, why]).toEqual([false, expect.stringContaining(words), 'other-pair']);
    expect(active.link.view().pairing).toMatchObject({ state: 'open', triesLeft: 5 });
    expect(passive.link.state().paired).toBe(false);
  });

  it('somebody in between with a certificate of its own gets nothing, though it passes every byte on', async () => {
    const { active, passive } = await twoNodes();
    const { code } = active.link.pairOpen('a test');
    const middle = await twoNodes();
    const { key, cert } = await middle.active.identity();
    let passed = 0;
    const { port } = passive.ends.address;
    const between = tlsServer(
      { key, cert, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false },
      (inner) => {
        const outer: TLSSocket = connect({ host: '127.0.0.31', port, key, cert, rejectUnauthorized: false });
        for (const [from, to] of [
          [inner, outer],
          [outer, inner],
        ] as const) {
          from.on('data', (bytes) => {
            passed += bytes.length;
            to.write(bytes);
          });
          from.on('error', () => to.destroy());
          from.on('close', () => to.destroySoon());
        }
      },
    );
    servers.push(between);
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.33', resolve));
    const bound = between.address();
    const there = { host: '127.0.0.33', port: typeof bound === 'object' && bound ? bound.port : 0 };
    await passive.link.configure({ ...passive.ends, address: there });
    const { accepted, sentence } = await passive.link.pairJoin('a test', code);
    expect([accepted, sentence]).toEqual([false, expect.stringContaining('somebody stands between the two nodes')]);
    expect(passed).toBeGreaterThan(0);
    expect(active.link.state().paired).toBe(false);
    expect(passive.link.state().paired).toBe(false);
    expect(active.link.view().pairing).toMatchObject({ state: 'open', triesLeft: 4 });
  });

  it('one that answers without knowing the code is not pinned', async () => {
    const { passive } = await twoNodes();
    const other = await twoNodes();
    // It has a pairing of its own open: all it lacks is this code.
    other.active.link.pairOpen('a test');
    await passive.link.configure({ ...passive.ends, address: other.active.ends.listen });
    expect((await passive.link.pairJoin('a test', newCode({ hex }))).accepted).toBe(false);
    expect(passive.link.state().paired).toBe(false);
  });

  it('what was proven but never confirmed here is confirmed by the next word', async () => {
    const { active, passive } = await twoNodes();
    const { code } = active.link.pairOpen('a test');
    // A wire that passes on the two requests of the proof, and swallows the third connection.
    let connections = 0;
    const { host, port } = active.ends.listen;
    const wire = createServer((inner) => {
      connections += 1;
      if (connections === 3) {
        inner.destroy();
        return;
      }
      const outer = tcp({ host, port });
      inner.pipe(outer).pipe(inner);
      inner.on('error', () => outer.destroy());
      outer.on('error', () => inner.destroy());
    });
    servers.push(wire);
    await new Promise<void>((resolve) => wire.listen(0, '127.0.0.33', resolve));
    const bound = wire.address();
    const there = { host: '127.0.0.33', port: typeof bound === 'object' && bound ? bound.port : 0 };
    await passive.link.configure({ ...passive.ends, address: there });
    expect((await passive.link.pairJoin('a test', code)).accepted).toBe(true);
    await until('the other node to be paired too', () => active.link.view().state === 'up');
  });

  it('a request of somebody who proved nothing makes no pairing', async () => {
    const { active, passive } = await twoNodes();
    active.link.pairOpen('a test');
    const clock = new RealClock();
    const to = passive.ends.address;
    const common = {
      clock,
      identity: await passive.identity(),
      to,
      pin: null,
      timeoutMs: 4000,
      signal: new AbortController().signal,
    };
    expect((await call({ ...common, path: '/hello' })).status).toBe(401);
    const prove = { session: hex(16), proof: hex(32) };
    expect((await call({ ...common, path: '/pair/prove', body: prove })).status).toBe(409);
    expect(active.link.state().paired).toBe(false);
    clock.close();
  });

  it('removed on one side, the other is told so in words', async () => {
    const { active, passive } = await pairedNodes();
    expect(active.link.pairRemove('a test')).toEqual({ was: true });
    await until('the passive to be told', () => passive.link.view().trouble?.includes('does not know this one'));
    expect(active.link.view()).toMatchObject({ state: 'unpaired', lastHeardAt: null });
    await until('it counts as down', () => passive.link.view().state === 'down');
    expect(passive.link.view().unprotected).toContain('stand-down');
  });

  it('a node set up anew is no longer the one that was paired, until it is paired again', async () => {
    const { active, passive } = await pairedNodes();
    const { rmSync } = await import('node:fs');
    rmSync(join(active.secrets, 'peer-key'));
    await active.restart();
    await until('the stranger to be noticed', () =>
      passive.link.view().trouble?.includes('not the one this node was paired with'),
    );
    const { code } = active.link.pairOpen('a test');
    expect((await passive.link.pairJoin('a test', code)).accepted).toBe(true);
    await until('words', () => passive.link.view().state === 'up' && active.link.view().state === 'up');
  });
});
