/** S3 against Ceph's radosgw, which keeps conditions, and OpenStack Swift, which refuses them: the contract, then what only S3 has. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import { checkLocation } from '../../../src-main/backup/check-location.ts';
import { type Progress, temporaryPrefix } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { disks } from '../fixtures/file-server.ts';
import { buckets, type ObjectStore } from '../fixtures/object-store.ts';
import { radosgwPrograms, startRadosgw } from '../fixtures/radosgw.ts';
import { startSwift, swiftPrograms } from '../fixtures/swift.ts';
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

const region = 'us-east-1';
/** More than one part of an upload: its first part is on its way before its end is known. */
const begunBytes = 17 * 1024 * 1024;
const dayMs = 24 * 3600_000;

let running: ObjectStore | null = null;
/** The store behind the rig that runs now. */
function store(): ObjectStore {
  if (running === null) throw new Error('no store runs');
  return running;
}

function client(): S3Client {
  const { port, owner } = store();
  return new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: owner.id, secretAccessKey: owner.secret },
  });
}

async function inside(s3: S3Client, Bucket: string, folder: string): Promise<string[]> {
  const Prefix = folder === '' ? '' : `${folder}/`;
  const keys: (string | undefined)[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket, Prefix })) {
    keys.push(...Contents.map(({ Key }) => Key));
  }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  const nameOf = (key = ''): string => key.slice(Prefix.length);
  return [...keys.map(nameOf), ...Uploads.map(({ Key }) => `${temporaryPrefix}${nameOf(Key)}`)].sort();
}

async function s3Rig(started: ObjectStore): Promise<Rig> {
  running = started;
  const s3 = client();
  return bucketRig({
    store: started,
    begunBytes,
    secretOf: ({ secret }) => secret,
    config: ({ id, ...at }) => ({ kind: 's3', ...at, region, keyId: id, key: 'location' }),
    inside: (bucket, folder) => inside(s3, bucket, folder),
  });
}

async function radosgwRig(): Promise<Rig> {
  const started = await startRadosgw();
  const rig = await s3Rig(started);
  const s3 = client();
  for (const Bucket of Object.values(buckets)) await s3.send(new CreateBucketCommand({ Bucket }));
  started.limit(buckets.small);
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: [`arn:aws:iam:::user/${started.reader.id}`] },
    Action: ['s3:GetObject', 's3:ListBucket'],
    Resource: [`arn:aws:s3:::${buckets.readOnly}`, `arn:aws:s3:::${buckets.readOnly}/*`],
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await s3.send(new PutBucketPolicyCommand({ Bucket: buckets.readOnly, Policy }));
  return rig;
}

function everywhere(rig: () => Rig): void {
  it('lists page by page', async () => {
    const location = rig().open();
    const names = Array.from({ length: 45 }, (_, i) => `a-${i}.zip`);
    for (const name of names) await put(location, name, noise(1));
    expect(await namesIn(location)).toEqual(names.sort());
  });

  it('D5 a bucket that is not there is said to be missing', async () => {
    const { port, owner } = store();
    const at = { kind: 's3', bucket: 'nowhere', folder: 'x', region, key: 'k', keyId: owner.id } as const;
    const location = openLocation({ ...at, endpoint: `http://127.0.0.1:${port}` }, usualNeeds({}));
    const works = [() => location.list('', never), () => put(location, 'a.zip', noise(10))];
    for (const work of works) {
      const error = await faultOf(work());
      expect([error.fault, error.todo]).toEqual(['missing', expect.stringContaining('bucket')]);
    }
    await location.close();
  });

  it('D5 a clock that is off is said to be that, as long as it is off', async () => {
    const location = rig().open();
    await put(location, 'a.zip', noise(10));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3600_000 });
    try {
      const list = () => location.list('', never);
      for (const work of [list, () => location.stat('a.zip', never), list]) {
        const error = await faultOf(work());
        expect([error.fault, error.todo]).toEqual(['credentials', expect.stringContaining('clock')]);
      }
    } finally {
      vi.useRealTimers();
    }
    expect(await namesIn(location)).toEqual(['a.zip']);
  });
}

function withConditions(rig: () => Rig): void {
  everywhere(rig);

  it('is proven right by right, and leaves nothing of that', async () => {
    const folder = newName();
    const proven = await checkLocation(rig().open({ folder }), clock, never);
    expect(proven.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(await rig().inside?.(folder)).toEqual([]);
  });

  for (const percent of [10, 50, 99]) {
    it(`D5 a part that was cut at ${percent} % of an upload is sent again, once the line is back`, async () => {
      const location = rig().open({ wired: true });
      const bytes = noise(begunBytes + 12_345);
      const told: number[] = [];
      const onProgress = ({ bytes: through }: Progress): void => void told.push(through);
      const budget = (bytes.length * percent) / 100;
      rig().wire?.cutAfter('up', budget);
      const writing = location.write('a.zip', sourceOf(bytes), null, { signal: never, onProgress });
      await until('the cut', () => (rig().wire?.passed().up ?? 0) >= budget);
      rig().wire?.heal();
      await writing;
      expect(told.every((now, i) => i === 0 || now >= (told[i - 1] ?? 0))).toBe(true);
      expect(told.at(-1)).toBe(bytes.length);
      expect((await allOf(await location.read('a.zip', 0, { signal: never }))).equals(bytes)).toBe(true);
    });
  }

  it('D7 abandons what dead writers left, once it is a day old', async () => {
    const folder = newName();
    const at = { Bucket: buckets.backups };
    await client().send(new CreateMultipartUploadCommand({ ...at, Key: `${folder}/dead.zip` }));
    const trial = `${temporaryPrefix}${Date.now() - 3600_000}-0123`;
    await client().send(new PutObjectCommand({ ...at, Key: `${folder}/${trial}`, Body: Buffer.from('first') }));
    const left = [`${temporaryPrefix}dead.zip`, trial];
    const bytes = noise(begunBytes);
    const now = rig().open({ folder });
    await put(now, 'a.zip', bytes);
    expect(await rig().inside?.(folder)).toEqual([...left, 'a.zip'].sort());
    expect(await namesIn(now)).toEqual(['a.zip']);
    await put(rig().open({ folder, needs: { clock: clockAhead(2 * dayMs) } }), 'b.zip', bytes);
    expect(await rig().inside?.(folder)).toEqual(['a.zip', 'b.zip']);
  });
}

function withoutConditions(rig: () => Rig): void {
  everywhere(rig);

  it('makes no claim where the endpoint has no condition for it, and says so', async () => {
    const folder = newName();
    const error = await faultOf(rig().open({ folder }).createExclusive('epoch-1', 'node-a', never));
    expect([error.fault, error.todo]).toEqual(['unsupported', expect.stringContaining('another')]);
    expect(await rig().inside?.(folder)).toEqual([]);
  });

  it('is proven right by right but for claims', async () => {
    const proven = await checkLocation(rig().open(), clock, never);
    const outcomes = Object.fromEntries(proven.map(({ right, outcome }) => [right, outcome]));
    const fine = { connect: 'ok', write: 'ok', list: 'ok', read: 'ok', replace: 'ok', remove: 'ok' };
    expect(outcomes).toEqual({ ...fine, claim: 'failed', 'claim-once': 'skipped' });
  });

  it('D5 a quota that is used up in the midst of an upload is said to be that, and nothing is left', async () => {
    const folder = `${disks.small}/${newName()}`;
    expect((await faultOf(put(rig().open({ folder }), 'large.zip', noise(begunBytes)))).fault).toBe('full');
    expect(await rig().inside?.(folder)).toEqual([]);
  });
}

const hasFolders = false;
describeLocation('s3 (radosgw)', radosgwPrograms, radosgwRig, { hasFolders, more: withConditions });
describeLocation('s3 (swift)', swiftPrograms, async () => s3Rig(await startSwift()), {
  hasFolders,
  hasClaims: false,
  more: withoutConditions,
});
