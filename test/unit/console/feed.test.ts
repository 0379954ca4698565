import { MessageChannel } from 'node:worker_threads';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { frames } from '../../../src-main/console/frames.ts';
import { makePortServer } from '../../../src-main/console/transport-ports.ts';
import type { FeedFrame, Snapshot } from '../../../src-main/contract/snapshot.ts';
import { afterFrame } from '../../../src-main/contract/view.ts';
import { type Client, consoleUnderTest } from './console-under-test.ts';
import { makeDeskDouble } from './desk-double.ts';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const kindOf = (result: IteratorResult<FeedFrame, unknown>) => (result.done ? 'end' : result.value.kind);

describe('one feed', () => {
  test('the snapshot first, then slices and pulses in order', async () => {
    const desk = makeDeskDouble();
    const feed = frames(desk, undefined);
    expect(kindOf(await feed.next())).toBe('snapshot');
    desk.change({ overlays: { maintenance: null, observeOnly: true } });
    desk.pulse();
    expect(await feed.next()).toMatchObject({ value: { kind: 'slice', change: { overlays: { observeOnly: true } } } });
    expect(kindOf(await feed.next())).toBe('pulse');
    await feed.return();
    expect(desk.subscribers).toBe(0);
  });

  test('what happens while the first snapshot is under way is not lost', async () => {
    const desk = makeDeskDouble();
    const feed = frames(desk, undefined);
    const first = feed.next();
    desk.change({ overlays: { maintenance: null, observeOnly: true } });
    let held: Snapshot | null = null;
    held = afterFrame(held, (await first).value as FeedFrame);
    held = afterFrame(held, (await feed.next()).value as FeedFrame);
    expect(held?.overlays.observeOnly).toBe(true);
    await feed.return();
  });

  test('a reader that falls behind gets one fresh snapshot, and memory stays bounded', async () => {
    const desk = makeDeskDouble();
    const feed = frames(desk, undefined, 4);
    await feed.next();
    for (let i = 0; i < 1000; i++) desk.change({ offset: { state: 'known', ageMs: i, maxMs: 1, verified: true } });
    expect(await feed.next()).toMatchObject({ value: { kind: 'snapshot', snapshot: { offset: { ageMs: 999 } } } });
    desk.pulse();
    expect(kindOf(await feed.next())).toBe('pulse');
    await feed.return();
  });

  test('a reader within the limit loses nothing', async () => {
    const desk = makeDeskDouble();
    const feed = frames(desk, undefined, 4);
    await feed.next();
    for (let i = 0; i < 4; i++) desk.change({ offset: { state: 'known', ageMs: i, maxMs: 1, verified: true } });
    const ages: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const { value } = await feed.next();
      ages.push(value?.kind === 'slice' ? value.change.offset?.ageMs : null);
    }
    expect(ages).toEqual([0, 1, 2, 3]);
    await feed.return();
  });

  test('an abort ends a feed that waits, and its subscription', async () => {
    const desk = makeDeskDouble();
    const gone = new AbortController();
    const feed = frames(desk, gone.signal);
    await feed.next();
    const waiting = feed.next();
    gone.abort();
    expect(kindOf(await waiting)).toBe('end');
    expect(desk.subscribers).toBe(0);
  });
});

async function followTwo(client: Client): Promise<string[]> {
  const kinds: string[] = [];
  for await (const frame of await client.feed()) {
    kinds.push(frame.kind);
    if (kinds.length === 2) break;
  }
  return kinds;
}

describe('the feed over HTTP', () => {
  test('arrives live, and a client that leaves takes its subscription along', async () => {
    const under = await consoleUnderTest();
    ended.push(() => under.end());
    const following = followTwo(under.client);
    await vi.waitUntil(() => under.desk.subscribers === 1);
    under.desk.pulse();
    expect(await following).toEqual(['snapshot', 'pulse']);
    await vi.waitUntil(() => under.desk.subscribers === 0);
  });

  test('closing the console ends every feed at the client and at the desk', async () => {
    const under = await consoleUnderTest();
    const feed = await under.client.feed();
    await feed.next();
    const next = feed.next().then(
      (result) => (result.done ? 'ended' : 'went on'),
      () => 'failed',
    );
    await under.end();
    expect(['ended', 'failed']).toContain(await next);
    await vi.waitUntil(() => under.desk.subscribers === 0);
  });

  test('a feed that breaks in the middle says `internal` and nothing of what it was', async () => {
    const under = await consoleUnderTest();
    ended.push(() => under.end());
    under.desk.fault = new Error('secret-in-a-message');
    const broken = (async () => {
      for await (const _ of await under.client.feed()) break;
    })();
    await expect(broken).rejects.toMatchObject({ data: { code: 'internal' } });
    await broken.catch((error: Error) => expect(JSON.stringify([error.message, error])).not.toContain('secret'));
  });
});

describe('the same router over message ports', () => {
  function portClient() {
    const desk = makeDeskDouble();
    const channel = new MessageChannel();
    makePortServer({ desk })(channel.port1);
    const client: Client = createORPCClient(new RPCLink({ port: channel.port2 }));
    channel.port2.start();
    ended.push(() => channel.port2.close());
    return { desk, client, port: channel.port2 };
  }

  test('calls, typed errors and the feed', async () => {
    const { desk, client } = portClient();
    expect((await client.snapshot()).pair.name).toBe('head-office');
    await expect(client.maintenance.on({ by: 'test', forMs: 1 })).rejects.toMatchObject({ data: { code: 'usage' } });
    const following = followTwo(client);
    await vi.waitUntil(() => desk.subscribers === 1);
    desk.pulse();
    expect(await following).toEqual(['snapshot', 'pulse']);
    await vi.waitUntil(() => desk.subscribers === 0);
  });

  test('a window that closes takes its feed along', async () => {
    const { desk, client, port } = portClient();
    const feed = await client.feed();
    await feed.next();
    expect(desk.subscribers).toBe(1);
    port.close();
    await vi.waitUntil(() => desk.subscribers === 0);
  });
});
