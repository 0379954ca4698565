import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LocationError, type Progress } from '../../../src-main/backup/location.ts';
import { locationFault, quoted } from '../../../src-main/backup/locations/faults.ts';
import { answerOf, Meter, SilenceWatch } from '../../../src-main/backup/locations/flow.ts';
import { Clockwork } from '../clockwork.ts';

const never = new AbortController().signal;

describe('a meter', () => {
  it('passes no more bytes a second than it may, and tells of them at most four times a second', async () => {
    const clockwork = new Clockwork();
    const told: Progress[] = [];
    const transfer = { signal: never, bandwidth: 1000, onProgress: (progress: Progress) => told.push(progress) };
    const meter = new Meter(transfer, 10_000, clockwork.clock);
    let through = 0;
    let ended = false;
    meter.on('data', (piece: Buffer) => {
      through += piece.length;
    });
    meter.on('end', () => {
      ended = true;
    });
    meter.end(Buffer.alloc(10_000));
    for (let second = 1; second <= 9; second += 1) {
      await clockwork.pass(1000);
      await turn();
      expect(through).toBeGreaterThanOrEqual(second * 1000 - 100);
      expect(through).toBeLessThanOrEqual(second * 1000 + 100);
    }
    await clockwork.pass(1000);
    await turn();
    expect([through, ended]).toEqual([10_000, true]);
    expect(told.length).toBeLessThanOrEqual(42);
    expect(told.at(-1)).toEqual({ bytes: 10_000, total: 10_000 });
  });

  it('counts from where a read went on, and fails when it ends too early', async () => {
    const clockwork = new Clockwork();
    const meter = new Meter({ signal: never }, 50, clockwork.clock, {
      from: 10,
      atEnd: (bytes) => (bytes < 50 ? new Error(`only ${bytes}`) : null),
    });
    const failed = new Promise((resolve) => meter.once('error', resolve));
    meter.resume();
    meter.end(Buffer.alloc(20));
    expect(await failed).toEqual(new Error('only 30'));
  });
});

describe('waiting for an answer', () => {
  it('ends by silence, by cancellation, or by the answer, and drops what comes later', async () => {
    const clockwork = new Clockwork();
    const stop = new AbortController();
    const gone: string[] = [];
    const manner = (letGo: string) => ({
      clock: clockwork.clock,
      silenceMs: 5000,
      signal: stop.signal,
      silent: () => new Error('silent'),
      cancelled: () => new Error('cancelled'),
      letGo: () => void gone.push(letGo),
    });
    const { promise: late, resolve } = Promise.withResolvers<string>();
    const silent = expect(answerOf(late, manner('first'))).rejects.toThrow('silent');
    await clockwork.pass(5000);
    await silent;
    resolve('late');
    expect(await answerOf(Promise.resolve('here'), manner('second'))).toBe('here');
    const cancelled = expect(answerOf(new Promise(() => {}), manner('third'))).rejects.toThrow('cancelled');
    stop.abort();
    await cancelled;
    expect(gone).toEqual(['first', 'third']);
    expect(clockwork.time.next()).toBeNull();
  });

  it('counts silence only while it is the other side’s turn', async () => {
    const clockwork = new Clockwork();
    let waiting = false;
    let silences = 0;
    const watch = new SilenceWatch(
      clockwork.clock,
      4000,
      () => waiting,
      () => {
        silences += 1;
      },
    );
    await clockwork.pass(60_000);
    expect(silences).toBe(0);
    waiting = true;
    await clockwork.pass(3000);
    watch.moved();
    await clockwork.pass(3000);
    expect(silences).toBe(0);
    await clockwork.pass(2000);
    expect(silences).toBe(1);
    watch.end();
  });
});

describe('a fault', () => {
  it('repeats no secret, whatever the server sends back', () => {
    const key = '-----BEGIN KEY-----\nAAAAbbbbCCCC\n-----END KEY-----';
    const place = { title: 'ftps://pbx@nas:21/x', secrets: ['s3cret', key, 'xy'] };
    const error = locationFault(place, 'credentials', `the server says "530 s3cret\r\nAAAAbbbbCCCC xy no"`);
    expect(error).toBeInstanceOf(LocationError);
    expect(error.message).toBe('ftps://pbx@nas:21/x: the server says "530 *** *** *** no".');
    expect(error.cause).toBeUndefined();
    expect(quoted('a\u0000b\u001b[2J', [])).toBe('a b [2J');
  });
});
