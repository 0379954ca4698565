import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../../src-main/peer/identity.ts';
import { wordWith } from '../../unit/peer/words.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { until } from '../fixtures/until.ts';
import { endAll, hex, type NodeUnderTest, pairedNodes, twoNodes } from './nodes.ts';
import { answerIn, connected, post, untilEnd } from './raw.ts';

afterEach(endAll);
const never = new AbortController().signal;

/** As the passive node would send it, but by our hand. */
async function sent(from: NodeUnderTest, to: NodeUnderTest, bytes: string) {
  const socket = await connected(to.ends.listen, await from.identity());
  return answerIn((await untilEnd(socket, bytes)).text);
}

let seq = 1_000_000;
const envelope = (from: NodeUnderTest, to: NodeUnderTest, body: unknown) => {
  seq += 1;
  return { id: hex(16), seq, life: from.life, toLife: to.life, body };
};
const wordOf = (from: NodeUnderTest, change = {}) =>
  wordWith({ ...from.self, life: from.life, role: 'passive', seq, ...change });

describe('H2 peer link', () => {
  it('H2 without a certificate, or with an unpaired one, everything is answered 401 and nothing is learnt', async () => {
    const { active } = await pairedNodes();
    const stranger = await identityOf(newFolder('stranger'), Date.now());
    for (const identity of [null, stranger]) {
      for (const bytes of [
        'GET /hello HTTP/1.1\r\nhost: x\r\n\r\n',
        'GET /facts HTTP/1.1\r\nhost: x\r\n\r\n',
        post('/pair/begin', {}),
        post('/stand-down', envelope(active, active, { epoch: 9, because: 'x' })),
      ]) {
        const { text } = await untilEnd(await connected(active.ends.listen, identity), bytes);
        expect(answerIn(text)).toEqual({ status: 401, data: null });
      }
    }
    expect(active.asked).toEqual([]);
    // one event for all of them
    expect(active.notes.filter(({ rule }) => rule === 'peer.stranger')).toHaveLength(1);
  });

  it('H2 a stranger who goes on is not even greeted, and the paired node still is', async () => {
    const { active, passive } = await pairedNodes();
    const stranger = await identityOf(newFolder('stranger'), Date.now());
    let greeted = 0;
    for (let tries = 0; tries < 30; tries++) {
      try {
        const socket = await connected({ ...active.ends.listen }, stranger);
        const { text } = await untilEnd(socket, 'GET /hello HTTP/1.1\r\nhost: x\r\n\r\n');
        if (answerIn(text).status === 401) greeted += 1;
      } catch {
        // closed before TLS was spoken
      }
    }
    expect(greeted).toBeGreaterThan(0);
    expect(greeted).toBeLessThan(30);
    // Words of the paired node go on the other way at least; from another address nobody is kept out.
    const before = active.words.length;
    await until('more words', () => active.words.length > before);
    expect(passive.link.view().paired).toBe(true);
  });

  it('H2 a replayed request is refused, and so is one that is older than another', async () => {
    const { active, passive } = await pairedNodes();
    const bytes = post('/word', envelope(passive, active, wordOf(passive)));
    expect((await sent(passive, active, bytes)).status).toBe(200);
    const refused = { status: 409, data: { refused: 'replayed', sentence: expect.any(String) } };
    expect(await sent(passive, active, bytes)).toEqual(refused);
    const older = { ...envelope(passive, active, wordOf(passive)), seq: 1 };
    expect(await sent(passive, active, post('/word', older))).toEqual(refused);
    expect(active.words.filter((word) => word.seq >= 1_000_000)).toHaveLength(1);
  });

  it('H2 what was recorded before a restart is worth nothing after it', async () => {
    const { active, passive } = await pairedNodes();
    const bytes = post('/stand-down', envelope(passive, active, { epoch: 9, because: 'recorded' }));
    await active.restart();
    const answer = await sent(passive, active, bytes);
    expect(answer).toEqual({ status: 409, data: { refused: 'other-life', sentence: expect.any(String) } });
    expect(active.asked).toEqual([]);
    // and words go on by themselves for the new life
    const before = active.words.length;
    await until('words for the new life', () => active.words.length > before && passive.link.view().trouble === null);
  });

  it.each([
    ['the same epoch', { standing: 3, highest: 3 }, 3],
    ['a lower epoch', { standing: 3, highest: 3 }, 2],
    ['an epoch below one claimed by somebody else', { standing: 3, highest: 7 }, 5],
  ])('H2 a request to stand down under %s is refused', async (_, epochs, epoch) => {
    const { active, passive } = await pairedNodes();
    active.epochs = epochs;
    const { outcome, sentence } = await passive.link.askStandDown(epoch, 'a test', never);
    expect([outcome, sentence]).toEqual(['refused', expect.stringContaining(`knows epoch ${epochs.highest}`)]);
    expect(active.asked).toEqual([]);
    expect(active.notes.map(({ rule }) => rule)).toContain('peer.lower-epoch');
  });

  it('a node that stood down by itself under that epoch, whose claim it saw, says so when it is asked', async () => {
    const { active, passive } = await pairedNodes();
    active.epochs = { standing: 3, highest: 3, active: false };
    active.standDown = async () => ({ accepted: true, sentence: 'passive under epoch 3' });
    expect(await passive.link.askStandDown(3, 'a test', never)).toMatchObject({ outcome: 'stood-down' });
    expect(await passive.link.askStandDown(2, 'a test', never)).toMatchObject({ outcome: 'refused' });
  });

  it('H2 an oversized body is refused, said or not said to be, before it is read to its end', async () => {
    const { active, passive } = await pairedNodes();
    const large = post('/word', 'x'.repeat(70_000));
    expect(await sent(passive, active, large)).toMatchObject({ status: 413, data: { refused: 'oversized' } });
    const head = 'POST /word HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    expect(await sent(passive, active, head + chunk.repeat(6))).toMatchObject({ status: 413 });
    // said to be huge, and never sent
    const promised = 'POST /word HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n';
    expect(await sent(passive, active, promised)).toMatchObject({ status: 413 });
    const expecting = 'POST /word HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n';
    expect(await sent(passive, active, expecting)).toMatchObject({ status: 413 });
  });

  it('H2 TLS 1.2 is refused', async () => {
    const { active } = await pairedNodes();
    const { host, port } = active.ends.listen;
    const with12 = ['s_client', '-connect', `${host}:${port}`, '-tls1_2'];
    const with13 = ['s_client', '-connect', `${host}:${port}`, '-tls1_3'];
    const run = (args: string[]) =>
      new Promise<string>((resolve) => {
        execFile('openssl', args, { timeout: 10_000 }, (_error, out, err) => resolve(out + err)).stdin?.end();
      });
    expect(await run(with12)).toMatch(/alert protocol version|no protocols available/);
    expect(await run(with13)).toMatch(/TLSv1\.3/);
  });

  it('H2 whoever sends slowly, or nothing at all, is ended', async () => {
    const { active, passive } = await pairedNodes();
    const identity = await passive.identity();
    const silent = untilEnd(await connected(active.ends.listen, identity), '');
    const slow = await connected(active.ends.listen, identity);
    const drip = setInterval(() => slow.writable && slow.write('x'), 200);
    const dripping = untilEnd(slow, 'POST /word HTTP/1.1\r\nhost: x\r\nx-slow: ');
    const body = await connected(active.ends.listen, identity);
    const dripBody = setInterval(() => body.writable && body.write('x'), 200);
    const drippingBody = untilEnd(body, 'POST /word HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n');
    const ended = await Promise.all([silent, dripping, drippingBody]);
    clearInterval(drip);
    clearInterval(dripBody);
    for (const { text } of ended) expect(text).not.toContain('200');
  }, 40_000);

  it.each([
    ['no envelope', (f: NodeUnderTest) => wordOf(f), 400, 'unreadable'],
    ['no JSON', () => 'half a wo', 400, 'unreadable'],
    [
      'a word of another pair',
      (f: NodeUnderTest, t: NodeUnderTest) => envelope(f, t, wordOf(f, { pair: 'branch' })),
      409,
      'not-this-pair',
    ],
    [
      'our own word',
      (f: NodeUnderTest, t: NodeUnderTest) => envelope(f, t, wordOf(f, { place: '127.0.0.31' })),
      409,
      'not-this-pair',
    ],
  ])('H2 a paired node that sends %s is refused by name', async (_, made, status, refused) => {
    const { active, passive } = await pairedNodes();
    const answer = await sent(passive, active, post('/word', made(passive, active)));
    expect(answer).toMatchObject({ status, data: { refused } });
    expect(active.faults).toEqual([]);
  });
});

describe('standing down over the link', () => {
  it('is answered when it is done, not before', async () => {
    const { active, passive } = await pairedNodes();
    let done = (_: { accepted: boolean; sentence: string }): void => {};
    active.standDown = () => new Promise((resolve) => (done = resolve));
    let answered: unknown = null;
    const asked = passive.link.askStandDown(4, 'the test wants it', never).then((answer) => {
      answered = answer;
    });
    await until('the request to arrive', () => active.asked.length === 1);
    const words = active.words.length;
    await until('two more words meanwhile', () => active.words.length > words + 1);
    expect(answered).toBeNull();
    done({ accepted: true, sentence: 'Services stopped, schedules off.' });
    await asked;
    expect(answered).toEqual({ outcome: 'stood-down', sentence: 'Services stopped, schedules off.' });
    expect(active.asked).toEqual([{ epoch: 4, because: 'the test wants it' }]);
  });

  it('a refusal, and a fault on the other side, are told as such', async () => {
    const { active, passive } = await pairedNodes();
    expect(await passive.link.askStandDown(4, '', never)).toEqual({
      outcome: 'refused',
      sentence: 'This engine does not stand down.',
    });
    active.standDown = () => Promise.reject(new Error('no disk'));
    expect(await passive.link.askStandDown(5, '', never)).toEqual({
      outcome: 'refused',
      sentence: 'It could not stand down: no disk',
    });
  });

  it('an engine that starts anew in the middle is asked again', async () => {
    const { active, passive } = await pairedNodes();
    active.standDown = () => new Promise(() => {});
    const asked = passive.link.askStandDown(4, 'a test', never);
    await until('the request to arrive', () => active.asked.length === 1);
    active.standDown = async () => ({ accepted: true, sentence: 'It stood down after its restart.' });
    await active.restart();
    expect(await asked).toEqual({ outcome: 'stood-down', sentence: 'It stood down after its restart.' });
    expect(active.asked).toHaveLength(2);
  }, 30_000);

  it('asked twice for one epoch, the engine is asked once', async () => {
    const { active, passive } = await pairedNodes();
    let done = (_: { accepted: boolean; sentence: string }): void => {};
    active.standDown = () => new Promise((resolve) => (done = resolve));
    const both = Promise.all([1, 2].map(() => passive.link.askStandDown(4, 'a test', never)));
    await until('the request to arrive', () => active.asked.length > 0);
    // The second waits for its turn behind the first; words come after both.
    const before = active.words.length;
    await until('words of later turns', () => active.words.length > before + 4);
    done({ accepted: true, sentence: 'Done.' });
    expect((await both).map(({ outcome }) => outcome)).toEqual(['stood-down', 'stood-down']);
    expect(active.asked).toHaveLength(1);
  });

  it('nobody there is unreachable, and so is what was cancelled', async () => {
    const { active, passive } = await pairedNodes();
    active.standDown = () => new Promise(() => {});
    const stop = new AbortController();
    const asked = passive.link.askStandDown(4, 'a test', stop.signal);
    await until('the request to arrive', () => active.asked.length === 1);
    stop.abort();
    expect((await asked).outcome).toBe('unreachable');
    await active.link.close();
    const gone = await passive.link.askStandDown(5, 'a test', never);
    expect(gone).toEqual({ outcome: 'unreachable', sentence: expect.stringContaining('Nobody listens on 127.0.0.31') });
  });

  it('without a pairing it says so', async () => {
    const { passive } = await twoNodes();
    expect(await passive.link.askStandDown(5, 'a test', never)).toEqual({
      outcome: 'unreachable',
      sentence: 'The two nodes are not paired.',
    });
    expect(await passive.link.facts(never)).toBe('The two nodes are not paired.');
    expect(await passive.link.calls(never)).toEqual({ count: null, sentence: 'The two nodes are not paired.' });
  });
});

describe('the link as such', () => {
  it('tells facts of the other node', async () => {
    const { active, passive } = await pairedNodes();
    expect(await passive.link.facts(never)).toMatchObject({ hostname: '127.0.0.31', ports: ['sip udp 5060'] });
    expect(await active.link.facts(never)).toMatchObject({ hostname: '127.0.0.32' });
    expect(await passive.link.calls(never)).toEqual({ count: 2, sentence: '2 calls are active' });
  });

  it('pairing outlives a restart, and both notice when the link goes and comes', async () => {
    const { active, passive } = await pairedNodes();
    await active.link.close();
    await until('the passive to miss it', () => passive.link.view().state === 'down');
    await until('that to be told', () => passive.notes.some(({ rule }) => rule === 'peer.down'));
    expect(passive.link.view()).toMatchObject({ paired: true, trouble: expect.stringContaining('Nobody listens') });
    await active.restart();
    const isUp = ({ link }: NodeUnderTest) => link.view().state === 'up' && link.view().trouble === null;
    await until('the link to be up both ways', () => isUp(passive) && isUp(active));
  }, 30_000);

  it('a damaged peer.json is said, and counts as no pairing', async () => {
    const { active } = await pairedNodes();
    const file = join(dirname(active.secrets), 'peer.json');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
    await active.restart();
    expect(active.link.view()).toMatchObject({
      paired: false,
      state: 'unpaired',
      trouble: expect.stringContaining('it is damaged'),
    });
    expect(active.link.pairRemove('a test')).toEqual({ was: true });
    expect(active.link.view().trouble).toBeNull();
  });

  it('a port that is taken is said, and taken when it is free', async () => {
    const { active, passive } = await twoNodes();
    await passive.link.configure({ ...passive.ends, listen: active.ends.listen });
    await until('it to be said', () => passive.link.view().trouble?.includes('another program has that port'));
    expect(() => passive.link.pairOpen('a test')).toThrow('another program has that port');
    await active.link.close();
    await until('it to listen', () => passive.link.state().listening, 20_000);
    expect(passive.link.view().trouble).toBeNull();
  }, 30_000);

  it('no section, no link: nothing listens, and what that leaves unprotected is told', async () => {
    const { active } = await pairedNodes();
    await active.link.configure(null);
    expect(active.link.view()).toMatchObject({ configured: false, state: 'off', listening: null });
    expect(active.link.view().unprotected).toEqual([
      'stand-down',
      'health-from-inside',
      'standing',
      'parity',
      'backup-news',
    ]);
    await expect(connected(active.ends.listen, null)).rejects.toThrow('ECONNREFUSED');
    expect(() => active.link.pairOpen('a test')).toThrow('No peer link is configured here.');
  });
});

describe('a backup asked for over the link', () => {
  const ask = { epoch: null, because: 'a switchover' };

  it('is made while its progress is told, and answered by its name', async () => {
    const { active, passive } = await pairedNodes();
    const made = { name: 'head-office-1.zip', createdAt: 7, verified: true };
    let finish = (): void => {};
    active.backup = (onProgress) => {
      onProgress('It is at the half.');
      return new Promise((go) => {
        finish = () => go({ made, sentence: 'It was made.' });
      });
    };
    const heard: string[] = [];
    const asked = passive.link.askBackup(ask, never, (sentence) => heard.push(sentence));
    await until('its progress', () => heard.includes('It is at the half.'));
    finish();
    expect(await asked).toEqual({ outcome: 'made', sentence: 'It was made.', ...made });
    expect(active.backupsAsked).toEqual([ask]);
  });

  it('is refused in words where the node is not the active one, and nothing is begun', async () => {
    const { active, passive } = await pairedNodes();
    active.noBackup = 'it is not the active one';
    expect(await passive.link.askBackup(ask, never, () => {})).toEqual({
      outcome: 'refused',
      sentence: 'The other node makes no backup: it is not the active one.',
    });
    expect(active.backupsAsked).toEqual([]);
  });

  it('that fails says why; one that is cancelled ends at once', async () => {
    const { active, passive } = await pairedNodes();
    expect(await passive.link.askBackup(ask, never, () => {})).toEqual({
      outcome: 'failed',
      sentence: 'The disk is full.',
    });
    active.backup = () => new Promise(() => {});
    const stop = new AbortController();
    const asked = passive.link.askBackup(ask, stop.signal, () => stop.abort());
    expect(await asked).toMatchObject({ outcome: 'unreachable' });
  });

  it('a replayed request for one is refused', async () => {
    const { active, passive } = await pairedNodes();
    const bytes = post('/backup', envelope(passive, active, ask));
    expect(await sent(passive, active, bytes)).toMatchObject({ status: 202 });
    expect(await sent(passive, active, bytes)).toMatchObject({ status: 409, data: { refused: 'replayed' } });
    expect(active.backupsAsked).toHaveLength(1);
  });
});
