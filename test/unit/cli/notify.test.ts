/** `estepe notify`: a test through the engine, with the exit code of what became of it; channels and deliveries. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { someChannels, someDeliveries } from '../console/notify-double.ts';
import { documentOf, type EngineUnderTest, engineUnderTest, estepe } from './estepe-process.ts';

// Each call is a process of its own; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let engine: EngineUnderTest;
beforeEach(async () => {
  engine = await engineUnderTest();
});
afterEach(() => engine.end());

const ask = (...args: string[]) => estepe('notify', ...args, '--data', engine.data);

it('test: one channel or all of them, exit 0 only when all got through', async () => {
  const one = await ask('test', 'email');
  expect(one).toMatchObject({ exit: 0, err: '' });
  expect(one.out).toContain('✓ sent   email, 120 ms: 250 queued as 4712');
  engine.desk.notify.answer = async () => ({
    results: [
      { channel: 'desktop', sent: false, said: 'notify-send is not installed', todo: 'install it', ms: 80 },
      { channel: 'email', sent: true, said: '250 queued', todo: '', ms: 120 },
    ],
  });
  const all = await ask('test');
  expect(all.exit).toBe(1);
  expect(all.out).toContain('✗ failed desktop, 80 ms: notify-send is not installed\n           → install it');
  const json = await ask('test', '--json');
  expect(json.exit).toBe(1);
  expect(documentOf(json)).toMatchObject({ results: [{ sent: false }, { sent: true }] });
  expect(engine.desk.asked).toMatchObject([
    { call: 'notify.test', ask: { by: expect.stringContaining('command line') as string, channel: 'email' } },
    { ask: { channel: null } },
    { ask: { channel: null } },
  ]);
});

it('test: an unknown channel is wrong usage', async () => {
  const ended = await ask('test', 'pigeon');
  expect(ended).toMatchObject({ exit: 2, out: '' });
  expect(ended.err).toContain('There is no channel `pigeon`.\nChannels are desktop, email, webhook.');
  expect(engine.desk.asked).toEqual([]);
});

it('list: the channels with their state, and the newest deliveries', async () => {
  expect((await ask('list')).out).toContain('No channel is configured');
  const now = Date.now();
  engine.desk.change({ notify: someChannels(now) });
  engine.desk.notify.show(someDeliveries(now));
  const { out, exit } = await ask('list', '--limit', '2');
  expect(exit).toBe(0);
  expect(out).toContain('email: admin@example.com by smtp.example.com:587, from warning on; last sent');
  expect(out).toContain('webhook: https://hooks.example.com, from info on; nothing sent yet, 2 waiting');
  expect(out).toContain('answered 502: Bad Gateway (look at the service there)');
  expect(out).toMatch(/webhook waiting {2}alert {3}This node seems cut off\.\n {4}answered 502/);
  expect(out).not.toContain('given up');
  const json = documentOf(await ask('list', '--json'));
  expect(json).toMatchObject({ channels: [{}, {}, {}], deliveries: [{ id: 4 }, {}, {}, {}] });
});
