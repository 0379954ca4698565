/** The part of the contract about bad lines and hanging servers: D5, with a wire that is cut at a byte, SIGSTOP, and a server that says nothing. */
import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { passing } from '../../../src-main/backup/location.ts';
import { freePort } from '../fixtures/free-port.ts';
import { allOf, faultOf, namesIn, never, newName, noise, put, type Rig, shortSilenceMs, sourceOf } from './rig.ts';

const size = 3_000_000;

export function cutLines(rig: () => Rig): void {
  afterEach(() => rig().wire?.heal());

  for (const percent of [10, 50, 99]) {
    it(`D5 cut at ${percent} % of a write: nothing is listed, and the next one goes through`, async () => {
      const folder = newName();
      const location = rig().open({ folder, wired: true });
      await put(location, 'before.zip', noise(10));
      const bytes = noise(size);
      rig().wire?.cutAfter('up', (size * percent) / 100);
      const error = await faultOf(put(location, 'new.zip', bytes));
      expect([error.fault, error.message]).toEqual(['connection', error.message]);
      rig().wire?.heal();
      expect(await namesIn(location)).toEqual(['before.zip']);
      await put(location, 'new.zip', bytes);
      expect((await allOf(await location.read('new.zip', 0, { signal: never }))).equals(bytes)).toBe(true);
    });

    it(`D5 cut at ${percent} % of a read: it fails, it never just ends, and goes on from where it was`, async () => {
      const location = rig().open({ wired: true });
      const bytes = noise(size);
      await put(location, 'a.zip', bytes);
      rig().wire?.cutAfter('down', (size * percent) / 100);
      const got: Buffer[] = [];
      const reading = async (): Promise<void> => {
        for await (const piece of await location.read('a.zip', 0, { signal: never })) got.push(piece as Buffer);
      };
      const error = await faultOf(reading());
      expect([error.fault, error.message]).toEqual(['connection', error.message]);
      rig().wire?.heal();
      const first = Buffer.concat(got);
      const rest = await allOf(await location.read('a.zip', first.length, { signal: never }));
      expect(Buffer.concat([first, rest]).equals(bytes)).toBe(true);
    });
  }
}

export function cutClaims(rig: () => Rig): void {
  it('B6 a claim whose answer was lost is nobody else’s, wherever the line was cut', async () => {
    const folder = newName();
    const mine = rig().open({ folder, wired: true });
    const other = rig().open({ folder });
    await put(other, 'a.zip', noise(1));
    rig().wire?.heal();
    expect(await mine.createExclusive('epoch-0', 'node-a', never)).toBe(true);
    const needed = rig().wire?.passed().down ?? 0;
    expect(needed).toBeGreaterThan(100);
    const outcomes = new Set<string>();
    const steps = 10;
    for (let step = 1; step <= steps; step += 1) {
      const name = `epoch-${step}`;
      // a new connection each time: otherwise the login would not be cut
      await mine.close();
      rig().wire?.cutAfter('down', Math.ceil((needed * step) / (steps + 1)));
      const first = await mine.createExclusive(name, 'node-a', never).catch((error: { fault: 'connection' }) => {
        expect(passing.has(error.fault)).toBe(true);
        return null;
      });
      const rival = await other.createExclusive(name, 'node-b', never);
      rig().wire?.heal();
      const again = await mine.createExclusive(name, 'node-a', never);
      expect([again, rival].filter(Boolean), `cut ${step}`).toHaveLength(1);
      if (first !== null) expect(first).toBe(again);
      outcomes.add(`${first} ${again}`);
    }
    // the cuts came before and after the point of no return
    expect(outcomes.has('null false')).toBe(true);
  }, 120_000);
}

export function silence(rig: () => Rig): void {
  it('D5 a server that stops answering is a time-out, before and in the midst of a write', async () => {
    const { server } = rig();
    const folder = newName();
    const location = rig().open({ folder, silenceMs: shortSilenceMs });
    await put(location, 'a.zip', noise(10));
    await server?.freeze();
    try {
      expect((await faultOf(location.list('', never))).fault).toBe('timeout');
      const stop = new AbortController();
      const waiting = faultOf(location.list('', stop.signal));
      const at = performance.now();
      stop.abort();
      expect((await waiting).fault).toBe('cancelled');
      expect(performance.now() - at).toBeLessThan(1000);
    } finally {
      server?.thaw();
    }
    let frozen: Promise<void> | undefined;
    const onProgress = (): void => {
      frozen ??= server?.freeze();
    };
    try {
      const source = sourceOf(noise(20_000_000));
      const error = await faultOf(
        location.write('b.zip', source, null, { signal: never, onProgress, bandwidth: 20_000_000 }),
      );
      expect(error.fault).toBe('timeout');
      await frozen;
    } finally {
      server?.thaw();
    }
    expect(await namesIn(location)).toEqual(['a.zip']);
  });

  it('D5 a server that accepts and says nothing is a time-out; none at all is no connection', async () => {
    const port = await freePort();
    expect((await faultOf(rig().open({ port }).list('', never))).fault).toBe('connection');
    const mute = createServer(() => {});
    await new Promise<void>((resolve) => mute.listen(port, '127.0.0.1', resolve));
    try {
      expect((await faultOf(rig().open({ port, silenceMs: shortSilenceMs }).list('', never))).fault).toBe('timeout');
    } finally {
      mute.close();
    }
  });

  it('D5 a wrong password and an unknown user are said to be that, without the password', async () => {
    const wrong = rig().open({ password: 'not-the-password' });
    expect((await faultOf(wrong.list('', never), ['not-the-password'])).fault).toBe('credentials');
    const stranger = rig().open({ user: 'nobody-knows' });
    const error = await faultOf(put(stranger, 'a.zip', noise(10)));
    expect(error.fault).toBe('credentials');
    expect(error.todo).toContain('estepe secret set');
  });
}
