/** The server that stands in for Google Storage, held against Google's own client: it speaks as that client expects. */
import { Storage } from '@google-cloud/storage';
import { JWT } from 'google-auth-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GoogleStorage, startGoogleStorage } from '../fixtures/google-storage.ts';
import { buckets } from '../fixtures/object-store.ts';
import { noise } from './rig.ts';

const scopes = ['https://www.googleapis.com/auth/devstorage.read_write'];

describe("Google's own client at the Google Storage of the tests", () => {
  let server: GoogleStorage;
  beforeAll(async () => {
    server = await startGoogleStorage();
  });
  afterAll(() => server?.stop());

  const storageFor = ({ id, secret } = server.owner): Storage => {
    const root = `http://127.0.0.1:${server.port}`;
    const authClient = new JWT({ email: id, key: secret, scopes });
    // It knows one address only for tokens.
    authClient.transporter.interceptors.request.add({
      resolved: async (request) => {
        if (String(request.url).startsWith('https://oauth2.googleapis.com/')) request.url = new URL('/token', root);
        return request;
      },
    });
    return new Storage({
      apiEndpoint: root,
      projectId: 'estepe-test',
      authClient,
      useAuthWithCustomEndpoint: true,
      retryOptions: { autoRetry: false },
    });
  };
  const codeOf = async (work: Promise<unknown>): Promise<number> => {
    const error: unknown = await work.then(
      () => null,
      (why: unknown) => why,
    );
    return Number(typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : 200);
  };

  it('logs in with a signed JWT, and not with another key', async () => {
    const [found] = await storageFor().bucket(buckets.backups).getFiles();
    expect(found).toEqual([]);
    const stranger = storageFor({ id: server.owner.id, secret: server.reader.secret });
    await expect(stranger.bucket(buckets.backups).getFiles()).rejects.toThrow('invalid_grant');
  });

  it('stores in one piece and in parts, reads from the middle, lists by pages, removes', async () => {
    const bucket = storageFor().bucket(buckets.backups);
    const bytes = noise(1_500_000);
    await bucket
      .file('f/whole')
      .save(bytes, { resumable: false, validation: 'md5', metadata: { metadata: { mark: 'm' } } });
    // Its own login for this forgets that it is to log in.
    const [uri] = await bucket.file('f/parts').createResumableUpload();
    await bucket.file('f/parts').save(bytes, { uri, resumable: true, validation: 'md5', chunkSize: 512 * 1024 });
    for (const name of ['f/whole', 'f/parts']) {
      const [all] = await bucket.file(name).download({ validation: false });
      expect(all.equals(bytes)).toBe(true);
      const [some] = await bucket.file(name).download({ start: 1_000_001, validation: false });
      expect(some.equals(bytes.subarray(1_000_001))).toBe(true);
    }
    const [metadata] = await bucket.file('f/whole').getMetadata();
    expect(metadata).toMatchObject({ size: '1500000', metadata: { mark: 'm' } });
    for (let i = 0; i < 45; i += 1) await bucket.file(`g/${i}`).save('x', { resumable: false, validation: 'md5' });
    expect((await bucket.getFiles({ prefix: 'g/' }))[0]).toHaveLength(45);
    await bucket.file('f/whole').delete();
    expect(await codeOf(bucket.file('f/whole').delete())).toBe(404);
    expect((await bucket.getFiles({ prefix: 'f/' }))[0].map(({ name }) => name)).toEqual(['f/parts']);
  });

  it('keeps preconditions and rights', async () => {
    const file = storageFor().bucket(buckets.backups).file('epoch-1');
    const onlyNew = { resumable: false, validation: 'md5', preconditionOpts: { ifGenerationMatch: 0 } };
    await file.save('first', onlyNew);
    expect(await codeOf(file.save('second', onlyNew))).toBe(412);
    expect(await codeOf(file.createResumableUpload({ preconditionOpts: { ifGenerationMatch: 0 } }))).toBe(412);
    expect((await file.download({ validation: false }))[0].toString()).toBe('first');
    expect(await codeOf(storageFor().bucket('nowhere').getFiles())).toBe(404);
    const reader = storageFor(server.reader);
    expect(await codeOf(reader.bucket(buckets.readOnly).getFiles())).toBe(200);
    expect(
      await codeOf(reader.bucket(buckets.readOnly).file('x').save('x', { resumable: false, validation: 'md5' })),
    ).toBe(403);
    await server.order({ revoke: true });
    expect(await codeOf(reader.bucket(buckets.readOnly).getFiles())).toBe(401);
    const bucket = storageFor().bucket(buckets.backups);
    expect(await codeOf(bucket.getFiles())).toBe(200);
    await server.order({ refuse: { times: 1, status: 429 } });
    expect(await codeOf(bucket.getFiles())).toBe(429);
  });
});
