/** Locations in buckets where no real server behaves so: conditions passed over, answers lost, marks of somebody else. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LocationError, temporaryPrefix } from '../../../src-main/backup/location.ts';
import type { Bucket, BucketObject, Sending, Upload } from '../../../src-main/backup/locations/bucket.ts';
import { locationFault } from '../../../src-main/backup/locations/faults.ts';
import { googleFault } from '../../../src-main/backup/locations/google-faults.ts';
import { ObjectLocation } from '../../../src-main/backup/locations/object-location.ts';
import { type Part, partsOf } from '../../../src-main/backup/locations/parts.ts';
import { s3Fault } from '../../../src-main/backup/locations/s3-faults.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';

const place = { title: 's3://b/f', secrets: ['the-secret'] };
const never = new AbortController().signal;
const clock = new RealClock();

/** A bucket in memory. */
class MemoryBucket implements Bucket {
  readonly place = place;
  readonly partBytes = 10;
  readonly keepsConditions = false;
  readonly objects = new Map<string, { bytes: Buffer; mark: string | null }>();
  /** keys that were asked for on condition, in order */
  readonly conditions: string[] = [];
  ignoresConditions = false;
  /** the next answer to a write is lost: after it was done, or before; `missing` is not simply tried again */
  lost: { isDone: boolean; fault: 'connection' | 'missing' } | null = null;
  abandoned = 0;

  async entries(prefix: string) {
    const all = [...this.objects].filter(([key]) => key.startsWith(prefix));
    return all.map(([key, { bytes }]) => ({ key, size: bytes.length, modifiedAt: null }));
  }

  async entry(key: string): Promise<BucketObject | null> {
    const found = this.objects.get(key);
    if (found === undefined) return null;
    return { key, size: found.bytes.length, modifiedAt: null, version: '1', mark: found.mark };
  }

  async read({ key }: BucketObject, from: number): Promise<Readable> {
    return Readable.from([this.objects.get(key)?.bytes.subarray(from) ?? Buffer.alloc(0)], { objectMode: false });
  }

  async put(key: string, bytes: Buffer, mark: string): Promise<void> {
    this.#write(() => this.objects.set(key, { bytes: Buffer.from(bytes), mark }));
  }

  async putNew(key: string, bytes: Buffer): Promise<boolean> {
    this.conditions.push(key);
    if (!this.ignoresConditions && this.objects.has(key)) return false;
    this.#write(() => this.objects.set(key, { bytes, mark: null }));
    return true;
  }

  async begin(key: string, mark: string): Promise<Upload> {
    const parts = new Map<number, Buffer>();
    return {
      part: async (bytes: Buffer, _isLast: boolean, { from }: Sending) =>
        this.#write(() => parts.set(from, Buffer.from(bytes))),
      finish: async () => this.#write(() => this.objects.set(key, { bytes: Buffer.concat([...parts.values()]), mark })),
      abandon: async () => {
        this.abandoned += 1;
      },
    };
  }

  async remove(key: string): Promise<void> {
    this.objects.delete(key);
  }

  async abandonUploads(): Promise<void> {}
  async close(): Promise<void> {}

  #write(work: () => void): void {
    const { lost } = this;
    this.lost = null;
    if (lost?.isDone !== false) work();
    if (lost !== null) throw locationFault(place, lost.fault, 'the answer was lost');
  }
}

const faultOf = (work: Promise<unknown>): Promise<LocationError> =>
  work.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: unknown) => {
      if (error instanceof LocationError) return error;
      throw error;
    },
  );

describe('a location in a bucket', () => {
  it('claims nothing where the endpoint passes over conditions, and has tried that on another name', async () => {
    const bucket = new MemoryBucket();
    bucket.ignoresConditions = true;
    const location = new ObjectLocation(bucket, 'f', clock);
    const error = await faultOf(location.createExclusive('epoch-1', 'node-a', never));
    expect([error.fault, error.message]).toEqual([
      'unsupported',
      expect.stringContaining('two nodes could own one epoch'),
    ]);
    expect(bucket.conditions.every((key) => key.startsWith(`f/${temporaryPrefix}`))).toBe(true);
    expect([...bucket.objects.keys()]).toEqual([]);
  });

  it('tries conditions once, and anew after it was closed', async () => {
    const bucket = new MemoryBucket();
    const location = new ObjectLocation(bucket, 'f', clock);
    expect(await location.createExclusive('epoch-1', 'node-a', never)).toBe(true);
    expect(await location.createExclusive('epoch-1', 'node-b', never)).toBe(false);
    expect(bucket.conditions).toHaveLength(4);
    await location.close();
    expect(await location.createExclusive('epoch-1', 'node-a', never)).toBe(true);
    expect(bucket.conditions).toHaveLength(7);
  });

  it('asks after a claim whose answer was lost', async () => {
    const bucket = new MemoryBucket();
    const location = new ObjectLocation(bucket, 'f', clock);
    expect(await location.createExclusive('epoch-1', 'node-a', never)).toBe(true);
    bucket.lost = { isDone: true, fault: 'connection' };
    expect(await location.createExclusive('epoch-3', 'node-a', never)).toBe(true);
    bucket.lost = { isDone: false, fault: 'connection' };
    expect((await faultOf(location.createExclusive('epoch-2', 'node-a', never))).fault).toBe('connection');
    expect(await location.createExclusive('epoch-2', 'node-b', never)).toBe(true);
    expect(await location.createExclusive('epoch-2', 'node-a', never)).toBe(false);
  });

  it('knows an object whose last answer was lost by its own mark, and not one of somebody else', async () => {
    const bucket = new MemoryBucket();
    const location = new ObjectLocation(bucket, 'f', clock);
    const write = (bytes: number) =>
      location.write('a.zip', Readable.from([Buffer.alloc(bytes)], { objectMode: false }), null, { signal: never });
    bucket.lost = { isDone: true, fault: 'missing' };
    expect(await write(5)).toMatchObject({ name: 'a.zip', size: 5 });
    bucket.objects.set('f/a.zip', { bytes: Buffer.alloc(5), mark: 'of somebody else' });
    bucket.put = async () => {
      throw locationFault(place, 'missing', 'the answer was lost');
    };
    expect((await faultOf(write(5))).fault).toBe('missing');
  });

  it('abandons an upload whose part is refused', async () => {
    const bucket = new MemoryBucket();
    const location = new ObjectLocation(bucket, '', clock);
    const begin = bucket.begin.bind(bucket);
    bucket.begin = async (key, mark) => ({
      ...(await begin(key, mark)),
      part: async () => {
        throw locationFault(place, 'full', 'the quota is used up');
      },
    });
    const source = Readable.from([Buffer.alloc(25)], { objectMode: false });
    expect((await faultOf(location.write('a.zip', source, null, { signal: never }))).fault).toBe('full');
    expect([bucket.abandoned, bucket.objects.size]).toEqual([1, 0]);
  });

  it('makes one object of many parts, byte for byte', async () => {
    const bucket = new MemoryBucket();
    const location = new ObjectLocation(bucket, '', clock);
    const bytes = Buffer.from(Array.from({ length: 1234 }, (_, i) => i % 251));
    const chunks = Array.from({ length: 178 }, (_, i) => bytes.subarray(i * 7, (i + 1) * 7));
    await location.write('a.zip', Readable.from(chunks, { objectMode: false }), bytes.length, { signal: never });
    expect(bucket.objects.get('a.zip')?.bytes.equals(bytes)).toBe(true);
  });

  it('cuts a stream into parts of one size, the last one known as such', async () => {
    for (const [total, sizes] of [
      [0, [0]],
      [9, [9]],
      [10, [10]],
      [11, [10, 1]],
      [30, [10, 10, 10]],
      [37, [10, 10, 10, 7]],
    ] as const) {
      for (const chunk of [1, 4, 10, 40]) {
        const bytes = Buffer.from(Array.from({ length: total }, (_, i) => i));
        const chunks = Array.from({ length: Math.ceil(total / chunk) }, (_, i) =>
          bytes.subarray(i * chunk, (i + 1) * chunk),
        );
        const parts: Part[] = [];
        for await (const { bytes: some, isLast } of partsOf(Readable.from(chunks, { objectMode: false }), 10)) {
          // its bytes are good until the next one is asked for
          parts.push({ bytes: Buffer.from(some), isLast });
        }
        expect(parts.map((part) => part.bytes.length)).toEqual(sizes);
        expect(parts.map(({ isLast }) => isLast)).toEqual(sizes.map((_, i) => i === sizes.length - 1));
        expect(Buffer.concat(parts.map((part) => part.bytes)).equals(bytes)).toBe(true);
      }
    }
  });
});

describe('what services say', () => {
  const s3 = (name: string, httpStatusCode: number) =>
    s3Fault(place, Object.assign(new Error('of the-secret'), { name, $metadata: { httpStatusCode } }), 'a.zip');

  it('has a name for each word of S3', () => {
    for (const [name, status, fault] of [
      ['ExpiredToken', 400, 'credentials'],
      ['InvalidAccessKeyId', 403, 'credentials'],
      ['AccessDenied', 403, 'permission'],
      ['Unknown', 403, 'permission'],
      ['InsufficientStorage', 507, 'full'],
      ['Whatever', 507, 'full'],
      ['SlowDown', 503, 'busy'],
      ['TooManyRequests', 429, 'busy'],
      ['Whatever', 503, 'busy'],
      ['RequestTimeout', 400, 'timeout'],
      ['NotImplemented', 501, 'unsupported'],
      ['Whatever', 400, 'other'],
    ] as const) {
      expect([name, status, s3(name, status).fault]).toEqual([name, status, fault]);
    }
    expect(s3('Whatever', 400).message).toBe('s3://b/f: a.zip: the endpoint says "of ***" (HTTP 400).');
  });

  it('has a name for each word of Google Storage', () => {
    for (const [status, reason, fault] of [
      [401, 'authError', 'credentials'],
      [403, 'forbidden', 'permission'],
      [403, 'rateLimitExceeded', 'busy'],
      [403, 'quotaExceeded', 'full'],
      [404, 'notFound', 'missing'],
      [413, 'uploadTooLarge', 'too-large'],
      [429, '', 'busy'],
      [503, 'backendError', 'busy'],
      [418, '', 'other'],
    ] as const) {
      const said = { error: { message: 'of the-secret', errors: [{ reason }] } };
      const error = googleFault(place, status, said, 'a.zip');
      expect([status, reason, error.fault]).toEqual([status, reason, fault]);
      expect(error.message).not.toContain('the-secret');
    }
    expect(googleFault(place, 502, null, 'a.zip').fault).toBe('busy');
  });
});
