/** A bucket of Amazon S3, or of what speaks like it. Must not know what is stored. */
import { Readable } from 'node:stream';
import type { CompletedPart, S3Client } from '@aws-sdk/client-s3';
import type { Bucket, BucketEntry, BucketObject, Sending, Upload } from './bucket.ts';
import { locationFault, type Place } from './faults.ts';
import { HttpLine, type HttpSettings, type Manner } from './http-line.ts';
import { s3Fault, wordOf } from './s3-faults.ts';

export interface S3Settings extends HttpSettings {
  bucket: string;
  region: string;
  /** null: Amazon's own */
  endpoint: string | null;
  /** the bucket's name in the path, not before the host's */
  pathStyle: boolean;
  keyId: string;
  key: string;
}

/** All parts but the last have one size (some endpoints want it so); there are 10,000 at most: 160 GB. */
const partBytes = 16 * 1024 * 1024;
const maxParts = 10_000;
/** Putting the parts together takes minutes on some endpoints. */
const finishSilenceMs = 300_000;
const askFirstBytes = 256 * 1024;
const markKey = 'estepe-write';

type Sdk = typeof import('@aws-sdk/client-s3');

/** What a question is asked with. */
interface Asking {
  sdk: Sdk;
  client: S3Client;
  options: Options;
}

export class S3Bucket implements Bucket {
  readonly place: Place;
  readonly partBytes = partBytes;
  readonly keepsConditions = false;
  readonly #settings: S3Settings;
  readonly #line: HttpLine;
  #opened: Promise<{ sdk: Sdk; client: S3Client }> | null = null;

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.place = settings.place;
    this.#line = new HttpLine(settings);
  }

  /** The SDK takes 0.1 s to load: who stores elsewhere does not wait for it. */
  async #open(): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await import('@aws-sdk/client-s3');
    const { region, endpoint, pathStyle, keyId, key } = this.#settings;
    const client = new sdk.S3Client({
      region,
      ...(endpoint === null ? {} : { endpoint }),
      ignoreConfiguredEndpointUrls: true,
      forcePathStyle: pathStyle,
      followRegionRedirects: true,
      credentials: { accessKeyId: keyId, secretAccessKey: key },
      // What is worth another attempt is decided here, with the clock port.
      maxAttempts: 1,
      // Endpoints other than Amazon's own refuse checksums behind a body, or store them as part of it.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // A refusal is heard before the body is on its way: after it, it may be lost with the connection.
      expectContinueHeader: askFirstBytes,
      requestHandler: overLine(this.#line),
    });
    client.middlewareStack.add(hashed, { step: 'build' });
    // The SDK would sign by the server's clock after a refusal: then a call fails and the next does not, and nobody sets the clock right.
    Object.defineProperty(client.config, 'systemClockOffset', { get: () => 0, set: () => {} });
    return { sdk, client };
  }

  async entries(prefix: string, signal: AbortSignal): Promise<BucketEntry[]> {
    const found: BucketEntry[] = [];
    let token: string | undefined;
    do {
      const input = { Bucket: this.#settings.bucket, Prefix: prefix, ContinuationToken: token };
      const page = await this.#said('the bucket', { signal }, ({ sdk, client, options }) =>
        client.send(new sdk.ListObjectsV2Command(input), options),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key !== undefined) found.push({ key: Key, size: Size ?? 0, modifiedAt: wholeSeconds(LastModified) });
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return found;
  }

  async entry(key: string, signal: AbortSignal): Promise<BucketObject | null> {
    try {
      const head = await this.#asked(key, { signal }, ({ sdk, client, options }) =>
        client.send(new sdk.HeadObjectCommand(this.#of(key)), options),
      );
      return {
        key,
        size: head.ContentLength ?? 0,
        modifiedAt: wholeSeconds(head.LastModified),
        version: head.ETag ?? '',
        mark: head.Metadata?.[markKey] ?? null,
      };
    } catch (error) {
      const { status } = wordOf(error);
      if (status === 404) return null;
      if (status !== 400 && status !== 403) throw s3Fault(this.place, error, key);
      // An answer to HEAD has no words: the same question by GET says why.
      const input = { ...this.#of(key), Range: 'bytes=0-0' };
      await this.#said(key, { signal }, ({ sdk, client, options }) =>
        client.send(new sdk.GetObjectCommand(input), options),
      );
      throw s3Fault(this.place, error, key);
    }
  }

  async read({ key, version }: BucketObject, from: number, signal: AbortSignal): Promise<Readable> {
    const input = { ...this.#of(key), Range: `bytes=${from}-`, ...(version === '' ? {} : { IfMatch: version }) };
    const { Body, ContentRange } = await this.#said(key, { signal, streamed: true }, ({ sdk, client, options }) =>
      client.send(new sdk.GetObjectCommand(input), options),
    );
    if (!(Body instanceof Readable)) throw locationFault(this.place, 'other', `${key}: the answer has no bytes`);
    if (from > 0 && ContentRange?.startsWith(`bytes ${from}-`) !== true) {
      Body.destroy();
      throw locationFault(this.place, 'unsupported', `${key}: the endpoint cannot read from the middle of an object`);
    }
    return Body;
  }

  async put(key: string, bytes: Buffer, mark: string, sending: Sending): Promise<void> {
    const input = { ...this.#of(key), Body: bytes, Metadata: { [markKey]: mark } };
    await this.#said(key, { signal: sending.signal, sending }, ({ sdk, client, options }) =>
      client.send(new sdk.PutObjectCommand(input), options),
    );
  }

  async putNew(key: string, bytes: Buffer, signal: AbortSignal): Promise<boolean> {
    const input = { ...this.#of(key), Body: bytes, IfNoneMatch: '*' };
    try {
      await this.#asked(key, { signal }, ({ sdk, client, options }) =>
        client.send(new sdk.PutObjectCommand(input), options),
      );
      return true;
    } catch (error) {
      if (wordOf(error).status === 412) return false;
      throw s3Fault(this.place, error, key);
    }
  }

  async begin(key: string, mark: string, signal: AbortSignal): Promise<Upload> {
    const input = { ...this.#of(key), Metadata: { [markKey]: mark } };
    const { UploadId } = await this.#said(key, { signal }, ({ sdk, client, options }) =>
      client.send(new sdk.CreateMultipartUploadCommand(input), options),
    );
    if (UploadId === undefined) {
      throw locationFault(this.place, 'unsupported', `${key}: the endpoint takes no objects in parts`);
    }
    const id = { ...this.#of(key), UploadId };
    const parts: CompletedPart[] = [];
    return {
      part: async (bytes, _isLast, sending) => {
        const PartNumber = sending.from / partBytes + 1;
        if (PartNumber > maxParts) {
          throw locationFault(this.place, 'too-large', `${key}: more than ${maxParts} parts of ${partBytes} bytes`);
        }
        const part = { ...id, PartNumber, Body: bytes };
        const manner = { signal: sending.signal, sending };
        const { ETag } = await this.#said(key, manner, ({ sdk, client, options }) =>
          client.send(new sdk.UploadPartCommand(part), options),
        );
        parts[PartNumber - 1] = { PartNumber, ETag };
      },
      finish: async (later) => {
        const whole = { ...id, MultipartUpload: { Parts: parts } };
        const manner = { signal: later, silenceMs: Math.max(finishSilenceMs, this.#settings.silenceMs) };
        await this.#said(key, manner, ({ sdk, client, options }) =>
          client.send(new sdk.CompleteMultipartUploadCommand(whole), options),
        );
      },
      abandon: (soon) => this.#abandon(key, UploadId, soon),
    };
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#asked(key, { signal }, ({ sdk, client, options }) =>
        client.send(new sdk.DeleteObjectCommand(this.#of(key)), options),
      );
    } catch (error) {
      const { status, code } = wordOf(error);
      if (status !== 404 || code === 'NoSuchBucket') throw s3Fault(this.place, error, key);
    }
  }

  async abandonUploads(prefix: string, before: number, signal: AbortSignal): Promise<void> {
    const input = { Bucket: this.#settings.bucket, Prefix: prefix };
    // One page: what is left of more than a thousand goes with the next write.
    const { Uploads } = await this.#said('unfinished uploads', { signal }, ({ sdk, client, options }) =>
      client.send(new sdk.ListMultipartUploadsCommand(input), options),
    );
    for (const { Key, UploadId, Initiated } of Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) continue;
      if (Initiated.getTime() < before) await this.#abandon(Key, UploadId, signal);
    }
  }

  async #abandon(key: string, UploadId: string, signal: AbortSignal): Promise<void> {
    const input = { ...this.#of(key), UploadId };
    await this.#said(key, { signal }, ({ sdk, client, options }) =>
      client.send(new sdk.AbortMultipartUploadCommand(input), options),
    );
  }

  async close(): Promise<void> {
    this.#line.close();
  }

  #of(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: key };
  }

  async #said<T>(what: string, manner: Manner, work: (asking: Asking) => Promise<T>): Promise<T> {
    try {
      return await this.#asked(what, manner, work);
    } catch (error) {
      throw s3Fault(this.place, error, what);
    }
  }

  /** @throws what the SDK throws */
  async #asked<T>(what: string, manner: Manner, work: (asking: Asking) => Promise<T>): Promise<T> {
    this.#opened ??= this.#open();
    const options = { abortSignal: manner.signal, manner, what };
    return work({ ...(await this.#opened), options });
  }
}

/** A list has milliseconds on some endpoints, a head never: one object has one time. */
const wholeSeconds = (time: Date | undefined): number | null =>
  time === undefined ? null : Math.floor(time.getTime() / 1000) * 1000;

/** What the SDK hands through from `send` to `handle`. */
interface Options {
  abortSignal: AbortSignal;
  manner: Manner;
  what: string;
}

interface SignedRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

/** The SDK would hash a part on the engine's thread: 60 ms and more on a small machine. */
function hashed<A extends object, R>(next: (args: A) => Promise<R>): (args: A) => Promise<R> {
  return async (args) => {
    const { headers, body } = Reflect.get(args, 'request') as SignedRequest;
    if (body instanceof Uint8Array) {
      const digest = await crypto.subtle.digest('SHA-256', body as Uint8Array<ArrayBuffer>);
      headers['x-amz-content-sha256'] = Buffer.from(digest).toString('hex');
    }
    return next(args);
  };
}

/** The SDK signs and reads; the line carries. */
function overLine(line: HttpLine) {
  return {
    handle: async (request: SignedRequest, { manner, what }: Options) => {
      const { method, headers, body } = request;
      const content =
        body instanceof Uint8Array ? { body: Buffer.from(body.buffer, body.byteOffset, body.length) } : {};
      const text = typeof body === 'string' ? { body: Buffer.from(body) } : content;
      const answer = await line.ask({ method, url: urlOf(request), headers, ...text }, manner, what);
      const plain = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      return { response: { statusCode: answer.status, headers: Object.fromEntries(plain), body: answer.body } };
    },
  };
}

function urlOf({ protocol, hostname, port, path, query }: SignedRequest): URL {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  const words = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => (one === null ? escaped(name) : `${escaped(name)}=${escaped(one)}`)),
  );
  return new URL(`${protocol}//${host}${port === undefined ? '' : `:${port}`}${path}?${words.join('&')}`);
}

/** As it was signed: RFC 3986's unreserved characters only stay. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
