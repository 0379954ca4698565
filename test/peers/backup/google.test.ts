/** Google Storage against a server that keeps its rules (see google-server.test.ts): the contract, then what only Google has. */
import { expect, it } from 'vitest';
import { checkLocation } from '../../../src-main/backup/check-location.ts';
import { type Progress, temporaryPrefix } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { type GoogleStorage, keyFileOf, startGoogleStorage } from '../fixtures/google-storage.ts';
import { until } from '../fixtures/until.ts';
import { bucketRig } from './bucket-rig.ts';
import { describeLocation } from './contract.ts';
import {
  allOf,
  clock,
  clockAhead,
  faultOf,
  namesIn,
  never,
  newName,
  noise,
  put,
  type Rig,
  sourceOf,
  usualNeeds,
} from './rig.ts';

const partBytes = 8 * 1024 * 1024;

let server: GoogleStorage;

async function googleRig(): Promise<Rig> {
  server = await startGoogleStorage();
  return bucketRig({
    store: server,
    begunBytes: partBytes + 1,
    config: ({ id: _, ...at }) => ({ kind: 'google', ...at, key: 'location' }),
    secretOf: ({ id, secret }, endpoint) => keyFileOf({ id, secret: keyOf(secret) }, endpoint),
    inside: async (bucket, folder) => {
      const { objects, uploads } = await server.inside(bucket, folder);
      return [...objects, ...uploads.map((name) => `${temporaryPrefix}${name}`)].sort();
    },
  });
}

/** The contract's wrong password is another account's key. */
const keyOf = (secret: string): string => (secret.startsWith('-----BEGIN') ? secret : server.reader.secret);

function only(rig: () => Rig): void {
  it('is proven right by right, and leaves nothing of that', async () => {
    const folder = newName();
    const proven = await checkLocation(rig().open({ folder }), clock, never);
    expect(proven.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(await rig().inside?.(folder)).toEqual([]);
  });

  it('lists page by page', async () => {
    const location = rig().open();
    const names = Array.from({ length: 45 }, (_, i) => `a-${i}.zip`);
    for (const name of names) await put(location, name, noise(1));
    expect(await namesIn(location)).toEqual(names.sort());
  });

  for (const percent of [10, 50, 99]) {
    it(`D5 goes on where it was cut at ${percent} % of an upload in parts, once the line is back`, async () => {
      const location = rig().open({ wired: true });
      const bytes = noise(2 * partBytes + 12_345);
      const told: number[] = [];
      const onProgress = ({ bytes: through }: Progress): void => void told.push(through);
      await location.list('', never);
      const budget = (bytes.length * percent) / 100;
      rig().wire?.cutAfter('up', budget);
      const writing = location.write('a.zip', sourceOf(bytes), null, { signal: never, onProgress });
      await until('the cut', () => (rig().wire?.passed().up ?? 0) >= budget);
      rig().wire?.heal();
      await writing;
      // what was there already was not sent again, but for a piece
      expect(rig().wire?.passed().up).toBeLessThan(bytes.length - budget + 2 * partBytes);
      expect(told.every((now, i) => i === 0 || now >= (told[i - 1] ?? 0))).toBe(true);
      expect((await allOf(await location.read('a.zip', 0, { signal: never }))).equals(bytes)).toBe(true);
    });
  }

  it('D5 an upload whose last answer was lost is known to be done', async () => {
    for (const size of [1000, partBytes + 1000]) {
      const folder = newName();
      const location = rig().open({ folder });
      const bytes = noise(size);
      await server.order({ loseAnswer: true });
      expect(await location.write('a.zip', sourceOf(bytes), null, { signal: never })).toMatchObject({ size });
      expect(await rig().inside?.(folder)).toEqual(['a.zip']);
    }
  });

  it('logs in anew when its token is not taken any more', async () => {
    const location = rig().open();
    await put(location, 'a.zip', noise(10));
    await server.order({ revoke: true });
    expect(await namesIn(location)).toEqual(['a.zip']);
  });

  it('D5 what the service says has a name: no bucket, to wait, trouble, a clock that is off, no key', async () => {
    const endpoint = `http://127.0.0.1:${server.port}`;
    const key = keyFileOf(server.owner, endpoint);
    const config = { kind: 'google', bucket: 'nowhere', folder: 'x', key: 'k', endpoint } as const;
    const nowhere = openLocation(config, { ...usualNeeds({}), secretOf: () => key });
    const noBucket = await faultOf(nowhere.list('', never), [server.owner.secret]);
    expect([noBucket.fault, noBucket.todo]).toEqual(['missing', expect.stringContaining('bucket')]);
    expect((await faultOf(nowhere.createExclusive('epoch-1', 'a', never))).fault).toBe('missing');

    const location = rig().open();
    await location.list('', never);
    for (const status of [429, 503, 500]) {
      await server.order({ refuse: { times: 1, status } });
      expect((await faultOf(location.list('', never))).fault).toBe('busy');
    }
    await server.order({ refuse: { times: 2, status: 503 } });
    await put(location, 'a.zip', noise(10));

    const dayMs = 24 * 3600_000;
    const late = { ...usualNeeds({}), secretOf: () => key, clock: clockAhead(dayMs) };
    const wrongClock = await faultOf(openLocation({ ...config, bucket: 'backups' }, late).list('', never));
    expect([wrongClock.fault, wrongClock.todo]).toEqual(['credentials', expect.stringContaining('clock')]);
    const half = JSON.stringify({ ...JSON.parse(key), private_key: server.owner.secret.slice(0, 400) });
    const secrets = [server.owner.secret.slice(40, 100)];
    const opening = async (): Promise<unknown> => openLocation(config, { ...usualNeeds({}), secretOf: () => half });
    expect((await faultOf(opening(), secrets)).fault).toBe('credentials');
  });
}

describeLocation('google', [], googleRig, { hasFolders: false, more: only });
