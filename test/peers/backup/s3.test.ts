/** S3 against Ceph's radosgw, which keeps conditions, and OpenStack Swift, which refuses them: the contract, then what only S3 has. */
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { checkLocation } from '../../../src-main/backup/check-location.ts';
import { type Progress, temporaryPrefix } from '../../../src-main/backup/location.ts';
import { openLocation } from '../../../src-main/backup/locations/open.ts';
import { buckets, type ObjectStore } from '../fixtures/object-store.ts';
import { radosgwPrograms, startRadosgw } from '../fixtures/radosgw.ts';
import { startSwift, swiftPrograms } from '../fixtures/swift.ts';
import { bucketRig } from './bucket-rig.ts';
import { describeLocation } from './contract.ts';
import { allOf, clock, faultOf, namesIn, never, newName, noise, put, type Rig, sourceOf, usualNeeds } from './rig.ts';

const region = 'us-east-1';
/** More than one part of an upload: its first part is on its way before its end is known. */
const begunBytes = 17 * 1024 * 1024;

const clientOf = ({ port, owner: { id, secret } }: ObjectStore): S3Client =>
  new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: id, secretAccessKey: secret },
  });

async function insideOf(client: S3Client, Bucket: string, folder: string): Promise<string[]> {
  const Prefix = folder === '' ? '' : `${folder}/`;
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
  const name = (key = ''): string => key.slice(Prefix.length);
  return [
    ...Contents.map(({ Key }) => name(Key)),
    ...Uploads.map(({ Key }) => `${temporaryPrefix}${name(Key)}`),
  ].sort();
}

async function s3Rig(store: ObjectStore): Promise<Rig> {
  const client = clientOf(store);
  return bucketRig({
    store,
    begunBytes,
    secretOf: ({ secret }) => secret,
    config: ({ id, ...at }) => ({ kind: 's3', ...at, region, keyId: id, key: 'location' }),
    inside: (bucket, folder) => insideOf(client, bucket, folder),
  });
}

const shared: { store: ObjectStore; rig: Rig } | null = null;

async function radosgwRig(): Promise<Rig> {
  const store = await startRadosgw();
  const client = clientOf(store);
  for (const Bucket of Object.values(buckets)) await client.send(new CreateBucketCommand({ Bucket }));
  store.limit(buckets.small);
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: [`arn:aws:iam:::user/${store.reader.id}`] },
    Action: ['s3:GetObject', 's3:ListBucket'],
    Resource: [`arn:aws:s3:::${buckets.readOnly}`, `arn:aws:s3:::${buckets.readOnly}/*`],
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new PutBucketPolicyCommand({ Bucket: buckets.readOnly, Policy }));
  return s3Rig(store);
}

describeLocation('s3 (radosgw)', radosgwPrograms, radosgwRig, { hasFolders: false });
describeLocation('s3 (swift)', swiftPrograms, async () => s3Rig(await startSwift()), {
  hasFolders: false,
  hasClaims: false,
});
