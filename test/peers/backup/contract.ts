/** What every kind of location keeps, with the same assertions for all of them: D7, B6, D5. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isObjectName, type Location, type Progress, temporaryPrefix } from '../../../src-main/backup/location.ts';
import { disks } from '../fixtures/file-server.ts';
import { describeWithPeers, type PeerName } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { cutClaims, cutLines, silence } from './contract-lines.ts';
import { strangers } from './contract-strangers.ts';
import { allOf, faultOf, namesIn, never, newName, noise, onDisk, put, type Rig, sourceOf } from './rig.ts';

const dayMs = 24 * 3600_000;

export interface Traits {
  /** default: yes, there is one that can be cut, and a login */
  hasLine?: boolean;
  /** default: yes; no: objects in a bucket, their unfinished ones in the store's own keeping */
  hasFolders?: boolean;
  /** default: yes; no: the server knows no way to create something exclusively */
  hasClaims?: boolean;
  /** what only this kind has, with the same server */
  more?: (rig: () => Rig) => void;
}

export function describeLocation(
  kind: string,
  peers: readonly PeerName[],
  start: () => Promise<Rig>,
  { hasLine = true, hasFolders = true, hasClaims = true, more }: Traits = {},
): void {
  describeWithPeers(`a location by ${kind}`, hasFolders ? ['mounts', 'openssl', ...peers] : peers, () => {
    let rig: Rig;
    beforeAll(async () => {
      rig = await start();
    }, 120_000);
    afterAll(() => rig?.stop());
    const theRig = (): Rig => rig;
    objects(theRig);
    if (hasFolders) {
      leftovers(theRig);
      strangers(theRig);
    }
    if (hasClaims) claims(theRig);
    cancelled(theRig, hasClaims);
    refused(theRig, hasFolders);
    if (hasLine) {
      cutLines(theRig);
      if (hasClaims) cutClaims(theRig);
      silence(theRig);
    }
    more?.(theRig);
  });
}

function objects(rig: () => Rig): void {
  it('gives back what was written, byte for byte, from any offset', async () => {
    const location = rig().open();
    const bytes = noise(1_300_003);
    const told: Progress[] = [];
    const stored = await location.write('a.zip', sourceOf(bytes), bytes.length, {
      signal: never,
      onProgress: (progress) => told.push(progress),
    });
    expect(stored).toMatchObject({ name: 'a.zip', size: bytes.length });
    expect(Math.abs((stored.modifiedAt ?? Date.now()) - Date.now())).toBeLessThan(dayMs / 2);
    expect(told.at(-1)).toEqual({ bytes: bytes.length, total: bytes.length });
    expect(told.every(({ bytes: now }, i) => i === 0 || now >= (told[i - 1]?.bytes ?? 0))).toBe(true);
    for (const from of [0, 1, 700_001, bytes.length - 1, bytes.length]) {
      const read = await allOf(await location.read('a.zip', from, { signal: never }));
      expect(read.equals(bytes.subarray(from))).toBe(true);
    }
    expect(await location.stat('a.zip', never)).toEqual(stored);
    expect(await location.list('a', never)).toEqual([stored]);
  });

  it('replaces, lists by prefix, one folder deep, and removes', async () => {
    const location = rig().open();
    await put(location, 'a.zip', noise(5000));
    await put(location, 'a.zip', noise(70));
    await put(location, 'epoch-7/owner', noise(1));
    await put(location, 'epoch-8/owner', noise(3));
    expect(await namesIn(location)).toEqual(['a.zip', 'epoch-7/owner', 'epoch-8/owner']);
    expect((await location.stat('a.zip', never))?.size).toBe(70);
    expect((await location.list('epoch-7', never)).map(({ name }) => name)).toEqual(['epoch-7/owner']);
    expect((await location.list('epoch-8/o', never)).map(({ name }) => name)).toEqual(['epoch-8/owner']);
    expect(await location.stat('b.zip', never)).toBeNull();
    expect(await location.stat('epoch-7', never)).toBeNull();
    await location.remove('a.zip', never);
    await location.remove('a.zip', never);
    // a folder is no object
    await location.remove('epoch-7', never);
    expect(await namesIn(location)).toEqual(['epoch-7/owner', 'epoch-8/owner']);
  });

  it('D7 shows nothing of what is being written', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    await put(location, 'old.zip', noise(100));
    const source = new PassThrough();
    const writing = location.write('new.zip', source, null, { signal: never });
    source.write(noise(rig().begunBytes ?? 300_000));
    await until('some of it to be there', async () =>
      (await onDisk(rig(), folder)).some((name) => name.startsWith(temporaryPrefix)),
    );
    expect(await namesIn(location)).toEqual(['old.zip']);
    expect(await location.stat('new.zip', never)).toBeNull();
    source.end();
    await writing;
    expect(await namesIn(location)).toEqual(['new.zip', 'old.zip']);
  });

  it('D7 publishes nothing when its source fails, ends early or is shorter than said', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    const failing = Readable.from(
      (function* () {
        yield noise(200_000);
        throw new Error('the archive broke');
      })(),
      { objectMode: false },
    );
    await expect(location.write('a.zip', failing, null, { signal: never })).rejects.toThrow('the archive broke');
    const short = await faultOf(location.write('a.zip', sourceOf(noise(999)), 1000, { signal: never }));
    expect(short.message).toContain('999');
    const dropped = new PassThrough();
    const writing = location.write('a.zip', dropped, null, { signal: never });
    dropped.write(noise(1000), () => dropped.destroy());
    await expect(writing).rejects.toThrow('ended early');
    expect(await onDisk(rig(), folder)).toEqual([]);
  });
}

function leftovers(rig: () => Rig): void {
  it('D7 shows nothing of what dead writers left, and removes it', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    await put(location, 'old.zip', noise(100));
    await put(location, 'new.zip', noise(100));
    const left = (name: string, begunAgo: number, touchedAgo: number): string => {
      const full = `${temporaryPrefix}${Date.now() - begunAgo}-${name}`;
      const path = join(rig().home, folder, full);
      writeFileSync(path, 'half');
      utimesSync(path, (Date.now() - touchedAgo) / 1000, (Date.now() - touchedAgo) / 1000);
      return full;
    };
    const dead = left('dead', 2 * dayMs, 2 * dayMs);
    const growing = left('growing', 2 * dayMs, 1000);
    const young = left('young', 3600_000, 3600_000);
    writeFileSync(join(rig().home, folder, 'notes by hand.txt'), 'not ours');
    mkdirSync(join(rig().home, folder, '.hidden'));
    await put(location, 'new.zip', noise(10));
    expect(await onDisk(rig(), folder)).toEqual(
      [growing, young, '.hidden', 'new.zip', 'notes by hand.txt', 'old.zip'].sort(),
    );
    expect(await onDisk(rig(), folder)).not.toContain(dead);
    expect((await namesIn(location)).every(isObjectName)).toBe(true);
  });
}

function claims(rig: () => Rig): void {
  it('claims for one owner only, who may ask again', async () => {
    const folder = newName();
    const [mine, other] = [rig().open({ folder }), rig().open({ folder })];
    expect(await mine.createExclusive('epoch-7', 'node-a', never)).toBe(true);
    expect(await other.createExclusive('epoch-7', 'node-b', never)).toBe(false);
    expect(await mine.createExclusive('epoch-7', 'node-a', never)).toBe(true);
    expect(await namesIn(other)).toEqual(['epoch-7']);
    expect((await allOf(await other.read('epoch-7', 0, { signal: never }))).toString()).toBe('node-a');
    expect(await onDisk(rig(), folder)).toEqual(['epoch-7']);
    await other.remove('epoch-7', never);
    expect(await namesIn(mine)).toEqual([]);
    expect(await other.createExclusive('epoch-7', 'node-b', never)).toBe(true);
    // a name that is taken by something else
    await put(mine, 'a.zip', noise(5));
    expect(await mine.createExclusive('a.zip', 'node-a', never)).toBe(false);
  });

  it('B6 of two claims at the same instant exactly one wins, 50 times', async () => {
    const folder = newName();
    const [a, b] = [rig().open({ folder }), rig().open({ folder })];
    for (let epoch = 1; epoch <= 50; epoch += 1) {
      const name = `epoch-${epoch}`;
      const won = await Promise.all([
        a.createExclusive(name, 'node-a', never),
        b.createExclusive(name, 'node-b', never),
      ]);
      expect(won.filter(Boolean), `epoch ${epoch}`).toHaveLength(1);
      if (epoch % 10 === 0) {
        const owner = (await allOf(await a.read(name, 0, { signal: never }))).toString();
        expect(owner).toBe(won[0] ? 'node-a' : 'node-b');
      }
    }
    expect(await onDisk(rig(), folder)).toHaveLength(50);
  }, 240_000);
}

function cancelled(rig: () => Rig, hasClaims: boolean): void {
  it('ends within a second when it is cancelled, and nothing is listed', async () => {
    const folder = newName();
    const location = rig().open({ folder });
    await put(location, 'there.zip', noise(500_000));
    const end = async (
      work: (signal: AbortSignal) => Promise<unknown>,
      when: (cancel: () => void) => void,
    ): Promise<void> => {
      const stop = new AbortController();
      let at = 0;
      const working = faultOf(work(stop.signal));
      when(() => {
        at = performance.now();
        stop.abort();
      });
      expect((await working).fault).toBe('cancelled');
      expect(performance.now() - at).toBeLessThan(1000);
    };
    const stalled = (): Readable => {
      const source = new PassThrough();
      source.write(noise(rig().begunBytes ?? 400_000));
      return source;
    };
    const write = (signal: AbortSignal) => location.write('new.zip', stalled(), null, { signal });
    await end(write, (cancel) => cancel());
    await end(write, (cancel) => setImmediate(cancel));
    let told = (): void => {};
    await end(
      (signal) => location.write('new.zip', stalled(), null, { signal, onProgress: () => told() }),
      (cancel) => {
        told = cancel;
      },
    );
    const works: ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => location.list('', signal),
      (signal) => location.stat('there.zip', signal),
    ];
    if (hasClaims) works.push((signal) => location.createExclusive('epoch-1', 'node-a', signal));
    for (const work of works) await end(work, (cancel) => cancel());
    await end(
      async (signal) => {
        const stream = await location.read('there.zip', 0, { signal, bandwidth: 1000, onProgress: () => told() });
        return allOf(stream);
      },
      (cancel) => {
        told = cancel;
      },
    );
    expect(await namesIn(location)).toEqual(['there.zip']);
    // what was begun goes away too, as soon as the server hears of it
    await until('nothing to be left', async () => (await onDisk(rig(), folder)).join() === 'there.zip');
    await put(location, 'new.zip', noise(10));
    expect(await namesIn(location)).toEqual(['new.zip', 'there.zip']);
  });
}

function refused(rig: () => Rig, hasFolders: boolean): void {
  const smallWrite = (location: Location): Promise<unknown> => put(location, 'a.zip', noise(100));

  it('D5 a full disk is said to be one; nothing is listed, and there is room again', async () => {
    const location = rig().open({ folder: `${disks.small}/${newName()}` });
    await rig().open({ folder: disks.small }).list('', never);
    const error = await faultOf(put(location, 'large.zip', noise(12_000_000)));
    expect(error.fault).toBe('full');
    expect(await namesIn(location)).toEqual([]);
    await put(location, 'small.zip', noise(1_000_000));
    expect(await namesIn(location)).toEqual(['small.zip']);
  });

  it('D5 a folder that cannot be written is said to be that', async () => {
    for (const folder of [disks.readOnly, `${disks.readOnly}/new`]) {
      const location = rig().open({ folder });
      const error = await faultOf(smallWrite(location));
      expect(error.fault).toBe('permission');
      expect(error.todo).not.toBe('');
    }
    expect(await namesIn(rig().open({ folder: disks.readOnly }))).toEqual([]);
  });

  it('D5 a folder that is not there is missing, and made by the first write', async () => {
    const location = rig().open();
    if (hasFolders) expect((await faultOf(location.list('', never))).fault).toBe('missing');
    else expect(await location.list('', never)).toEqual([]);
    expect((await faultOf(location.read('a.zip', 0, { signal: never }))).fault).toBe('missing');
    expect(await location.stat('a.zip', never)).toBeNull();
    await location.remove('a.zip', never);
    await smallWrite(location);
    expect(await namesIn(location)).toEqual(['a.zip']);
  });

  it('takes no name that leads elsewhere', async () => {
    const location = rig().open();
    for (const name of ['../a', 'a/../b', '.hidden', 'a/b/c', 'a b', '', 'a;b', 'a"b']) {
      expect((await faultOf(location.remove(name, never))).message).toContain('no name for an object');
    }
  });
}
