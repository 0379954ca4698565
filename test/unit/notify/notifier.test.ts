/** Deliveries over a real estepe.db: tried again, bounded, never held by another channel, at least once over a kill -9. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Letter, SendEnd } from '../../../src-main/notify/channel.ts';
import { mostAttempts } from '../../../src-main/notify/policy.ts';
import { Bench, refusedForNow, wrongPassword } from './bench.ts';

const min = 60_000;
const hour = 60 * min;

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const sent: SendEnd = { how: 'sent', said: '250 taken' };

it('a message goes through every channel once, and is written down as sent with what the other end said', async () => {
  const { email, webhook, notifier, work } = bench;
  bench.tell('isolated');
  await work.settle();
  expect([email.keys, webhook.keys]).toEqual([['isolated'], ['isolated']]);
  expect(notifier.list(9)).toMatchObject([
    { channel: 'webhook', key: 'isolated', state: 'sent', attempts: 1, said: '250 taken' },
    { channel: 'email', key: 'isolated', state: 'sent', attempts: 1, said: '250 taken' },
  ]);
  expect(bench.view('email')).toMatchObject({
    lastSentAt: work.clock.wall(),
    failing: false,
    waiting: 0,
    nextAt: null,
  });
  await work.pass(24 * hour);
  expect(email.letters).toHaveLength(1);
});

it('what failed is tried again with growing pauses under the same id, and the last end is told though it is slight', async () => {
  const { email, work } = bench;
  bench.least = 'alert';
  bench.notifier.reconfigured();
  email.answer = refusedForNow;
  bench.tell('isolated');
  await work.settle();
  expect(bench.view('email')).toMatchObject({ waiting: 1, failing: true, nextAt: work.clock.wall() + 10_000 });
  await work.pass(10_000);
  expect(email.letters).toHaveLength(2);
  await work.pass(29_000);
  expect(email.letters).toHaveLength(2);
  email.answer = sent;
  await work.pass(1_000);
  expect(email.letters.map(({ id }) => id)).toEqual(Array(3).fill(email.letters[0]?.id));
  bench.tell('recovered', 'info');
  bench.tell('drill.recovered', 'info');
  await work.settle();
  expect(bench.states('email')).toEqual(['recovered sent', 'isolated sent']);
});

it('a channel that hangs ends by its time-out, and holds neither the other one nor who tells', async () => {
  const { email, webhook, work } = bench;
  email.answer = null;
  bench.tell('isolated');
  bench.tell('recovered', 'info');
  await work.settle();
  expect(webhook.keys).toEqual(['isolated', 'recovered']);
  expect(email.letters).toHaveLength(1);
  await work.pass(29_999);
  expect([email.aborted, bench.view('email').failing]).toEqual([0, false]);
  await work.pass(1);
  expect(email.aborted).toBe(1);
  // it does not mind its signal, and is left behind
  await work.pass(5_000);
  expect(bench.view('email')).toMatchObject({ failing: true, waiting: 2 });
  expect(bench.view('email').lastFailure?.sentence).toBe('it did not end within 30 s');
  email.answer = sent;
  await work.pass(30_000);
  expect(bench.states('email')).toEqual(['recovered sent', 'isolated sent']);
});

it('dying between sending and writing sends again: at least once, and says so', async () => {
  const { email, work } = bench;
  let took: Letter | null = null;
  email.answer = (letter) => {
    took = letter;
    // The other end has it; we die before its answer is heard.
    return new Promise(() => {});
  };
  bench.tell('promoted');
  await work.settle();
  expect(took).not.toBeNull();
  email.answer = sent;
  await bench.killed();
  expect(email.letters).toHaveLength(2);
  expect(email.letters[1]?.id).toBe(took!.id);
  expect(bench.notifier.list(9).find(({ channel }) => channel === 'email')).toMatchObject({
    state: 'sent',
    attempts: 2,
  });
});

it('dying before an attempt sends once; the pause goes on where it was, whatever the wall clock does', async () => {
  const { email, work } = bench;
  email.answer = refusedForNow;
  bench.tell('isolated');
  await work.settle();
  // five failures: the next attempt in five minutes
  await work.pass(10_000 + 30_000 + min + 2 * min);
  const before = email.letters.length;
  expect(before).toBe(5);
  work.stepWall(-30 * 24 * hour);
  await bench.killed(min);
  expect(email.letters).toHaveLength(before);
  expect(bench.view('email')).toMatchObject({ waiting: 1, failing: true });
  expect(bench.notifier.troubles()).toMatchObject([{ key: 'notify.email' }]);
  await work.pass(hour);
  expect(email.letters.length).toBeGreaterThan(before);
});

it('what an earlier life has said is not said again at once; graver, later or after its end it is', async () => {
  const { webhook, work } = bench;
  bench.tell('isolated');
  await work.settle();
  await bench.killed();
  bench.tell('isolated');
  await work.settle();
  expect(webhook.keys).toEqual(['isolated']);
  bench.tell('recovered', 'info');
  bench.tell('isolated');
  await work.settle();
  expect(webhook.keys).toEqual(['isolated', 'recovered', 'isolated']);
  await bench.killed(hour);
  bench.tell('isolated');
  await work.settle();
  expect(webhook.keys).toHaveLength(4);
});

it('bounded: after a day it is given up, never called sent, and history says what was not told', async () => {
  const { email, work } = bench;
  email.answer = refusedForNow;
  bench.tell('isolated', 'alert', 'This node seems cut off.');
  await work.pass(26 * hour);
  const [delivery] = bench.notifier.list(9).filter(({ key, channel }) => key === 'isolated' && channel === 'email');
  expect(delivery).toMatchObject({
    state: 'given-up',
    said: expect.stringMatching(/^given up after \d+ attempts: the server/),
  });
  expect(email.letters.length).toBeLessThanOrEqual(mostAttempts);
  expect(bench.notes).toContainEqual({
    rule: 'notify.given-up',
    sentence: expect.stringContaining('This node seems cut off.'),
  });
  const tries = email.letters.length;
  await work.pass(48 * hour);
  expect(email.letters).toHaveLength(tries);
});

it('a channel that fails persistently is a trouble, told on the others, until something gets through', async () => {
  const { email, webhook, work } = bench;
  email.answer = refusedForNow;
  bench.tell('isolated');
  await work.pass(10_000);
  expect(bench.notifier.troubles()).toEqual([]);
  await work.pass(30_000);
  const [trouble] = bench.notifier.troubles();
  expect(trouble).toEqual({
    key: 'notify.email',
    sentence: 'Messages do not get through by e-mail: the server says 451.',
    todo: 'Wait. Then test it: `estepe notify test email`.',
  });
  expect(webhook.keys).toEqual(['isolated', 'notify.email.failing']);
  expect(email.keys).not.toContain('notify.email.failing');
  email.answer = sent;
  await work.pass(min);
  expect(bench.notifier.troubles()).toEqual([]);
  expect(webhook.keys).toEqual(['isolated', 'notify.email.failing', 'notify.email.recovered']);
  expect(bench.notes.map(({ rule }) => rule)).toEqual(['notify.failing', 'notify.recovered']);
});

it('a wrong password is a trouble at once, and is not tried every few seconds, however much is told', async () => {
  const { email, work } = bench;
  email.answer = wrongPassword;
  for (let i = 0; i < 10; i += 1) {
    bench.tell(`halted.${i}`);
    await work.pass(6_000);
  }
  expect(email.letters.length).toBeLessThanOrEqual(2);
  expect(bench.notifier.troubles()).toHaveLength(1);
  // mended, and the configuration read anew: at once; the wall clock was set back meanwhile
  work.stepWall(-24 * hour);
  email.answer = sent;
  bench.notifier.reconfigured();
  await work.settle();
  expect(bench.view('email')).toMatchObject({ waiting: 0, failing: false });
});

it('no storm: after ten in an hour what comes is gathered into one letter every five minutes', async () => {
  const { webhook, work } = bench;
  for (let i = 0; i < 90; i += 1) {
    bench.tell(i % 2 === 0 ? 'isolated' : 'recovered', i % 2 === 0 ? 'alert' : 'info', `Flap ${i}.`);
    await work.pass(20_000);
  }
  await work.pass(hour);
  expect(webhook.letters.length).toBeLessThanOrEqual(10 + 12);
  expect(webhook.keys).toHaveLength(90);
});

it('of several recipients only those who have it not are tried again', async () => {
  const { email, work } = bench;
  email.answer = { ...refusedForNow, reached: ['a@example.com'] } as SendEnd;
  bench.tell('isolated');
  await work.settle();
  expect(bench.states('email')).toEqual(['isolated waiting']);
  await bench.killed();
  await work.pass(10_000);
  expect(email.reached).toEqual([[], ['a@example.com']]);
  // another message is for all: it does not travel with this one
  bench.tell('backup.failed');
  email.answer = sent;
  await work.pass(10_000);
  expect(
    email.reached
      .slice(2)
      .map((one) => one.length)
      .sort(),
  ).toEqual([0, 1]);
  expect(email.letters.slice(2).map(({ items }) => items.length)).toEqual([1, 1]);
});

it('what cannot be written down is sent all the same, and is no fault of whoever tells', async () => {
  const { email, work } = bench;
  const full = (): never => {
    throw new Error('database or disk is full');
  };
  bench.around = (journal) => ({ ...journal, add: full, trying: full, ended: full });
  bench.tell('history-full');
  await work.settle();
  expect(email.keys).toEqual(['history-full']);
  expect(bench.view('email').waiting).toBe(0);
  expect(bench.faults.length).toBeGreaterThan(0);
  // written before, and its end not: sent, and once more by the next life
  bench.around = (journal) => ({ ...journal, ended: full });
  bench.tell('isolated');
  await work.settle();
  bench.around = (journal) => journal;
  await bench.killed();
  expect(email.keys).toEqual(['history-full', 'isolated', 'isolated']);
});

it('a test really sends beside what waits, answers what was said, and what waits follows when it got through', async () => {
  const { email, work, notifier } = bench;
  email.answer = refusedForNow;
  bench.tell('isolated');
  await work.pass(min);
  const failed = await notifier.test('email');
  expect(failed.results).toMatchObject([{ channel: 'email', sent: false, said: 'the server says 451', todo: 'wait' }]);
  email.answer = sent;
  const done = await notifier.test(null);
  expect(done.results.map(({ channel, sent: through }) => [channel, through])).toEqual([
    ['email', true],
    ['webhook', true],
  ]);
  await work.settle();
  expect(bench.states('email')).toEqual([...['notify.test sent', 'notify.test given-up', 'isolated sent']]);
  expect(email.letters.filter(({ test }) => test)).toHaveLength(2);
  await expect(notifier.test('desktop')).rejects.toMatchObject({ code: 'not-found' });
});

it('a test of a channel that hangs ends in time for whoever waits; a second one is not begun', async () => {
  const { email, work, notifier } = bench;
  email.answer = null;
  const first = notifier.test('email');
  await work.settle();
  expect((await notifier.test('email')).results).toMatchObject([{ sent: false, said: 'a test is under way' }]);
  expect(bench.view('email').testing).toBe(true);
  await work.pass(14_000);
  expect((await first).results).toMatchObject([{ sent: false, said: 'it did not end within 9 s' }]);
  expect(email.letters).toHaveLength(1);
});

it('a channel that is taken out of the configuration keeps nothing waiting, now or at the next start', async () => {
  const { email, work } = bench;
  email.answer = refusedForNow;
  bench.tell('isolated');
  await work.settle();
  bench.configured = [bench.webhook];
  bench.notifier.reconfigured();
  await work.settle();
  expect(bench.states('email')).toEqual(['isolated given-up']);
  expect(bench.notifier.view().channels.map(({ name }) => name)).toEqual(['webhook']);
  bench.configured = [email];
  bench.notifier.reconfigured();
  bench.tell('conflicting');
  await work.settle();
  bench.configured = [];
  await bench.killed();
  expect(bench.states('email')).toEqual(['conflicting given-up', 'isolated given-up']);
});

it('an orderly end cuts off what is under way, and the next life sends it; no secret is written down', async () => {
  const { email, work } = bench;
  email.answer = () => new Promise(() => {});
  bench.tell('isolated', 'alert', `It was never-shown to anybody.`);
  await work.settle();
  const closing = bench.notifier.close();
  await work.pass(5_000);
  await closing;
  email.answer = { how: 'sent', said: 'taken with never-shown' };
  await bench.killed();
  const rows = JSON.stringify(bench.notifier.list(9));
  expect(bench.states('email')).toEqual(['isolated sent']);
  expect(rows).toContain('taken with [secret]');
  expect(rows).not.toContain('never-shown');
});
