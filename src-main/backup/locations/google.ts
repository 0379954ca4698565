/**
 * A bucket of Google Storage, by its JSON interface. Google's own client is not used: it is 59 packages, repeats by itself, and most of
 * its calls cannot be cancelled. Must not know what is stored.
 */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Bucket, BucketEntry, BucketObject, Sending, Upload } from './bucket.ts';
import { locationFault, type Place } from './faults.ts';
import { googleFault } from './google-faults.ts';
import { GoogleToken, jsonOf, type ServiceKey } from './google-token.ts';
import { type Answer, HttpLine, type HttpSettings, type Manner, type Question } from './http-line.ts';

export const googleEndpoint = 'https://storage.googleapis.com';

export interface GoogleSettings extends HttpSettings {
  bucket: string;
  /** `https://storage.googleapis.com` */
  endpoint: string;
  key: ServiceKey;
}

/** A multiple of 256 KiB, as uploads want it. */
const partBytes = 8 * 1024 * 1024;
const markKey = 'estepe-write';

const objectAnswer = z.object({
  name: z.string(),
  size: z.coerce.number(),
  updated: z.iso.datetime({ offset: true }).optional(),
  generation: z.string(),
  metadata: z.record(z.string(), z.string()).optional(),
});
const listAnswer = z.object({ items: z.array(objectAnswer).default([]), nextPageToken: z.string().optional() });
const fields = 'name,size,updated,generation,metadata';

type Query = Readonly<Record<string, string | undefined>>;

interface Said {
  status: number;
  headers: Answer['headers'];
  json: unknown;
}

export class GoogleBucket implements Bucket {
  readonly place: Place;
  readonly partBytes = partBytes;
  /** "ifGenerationMatch: 0" is part of the interface. */
  readonly keepsConditions = true;
  readonly #settings: GoogleSettings;
  readonly #line: HttpLine;
  readonly #token: GoogleToken;

  constructor(settings: GoogleSettings) {
    this.#settings = settings;
    this.place = settings.place;
    this.#line = new HttpLine(settings);
    this.#token = new GoogleToken(settings.key, this.#line, settings.place, () => settings.clock.wall());
  }

  async entries(prefix: string, signal: AbortSignal): Promise<BucketEntry[]> {
    const found: BucketEntry[] = [];
    let pageToken: string | undefined;
    do {
      const query = { prefix, pageToken, fields: `nextPageToken,items(${fields})` };
      const { json } = await this.#get(this.#url('', query), signal, 'the bucket');
      const page = this.#read(listAnswer, json, 'the bucket');
      found.push(...page.items.map(entryOf));
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return found;
  }

  async entry(key: string, signal: AbortSignal): Promise<BucketObject | null> {
    const { status, json } = await this.#get(this.#url(key, { fields }), signal, key, [404]);
    return status === 404 ? null : entryOf(this.#read(objectAnswer, json, key));
  }

  async read({ key, version }: BucketObject, from: number, signal: AbortSignal): Promise<Readable> {
    const url = this.#url(key, { alt: 'media', generation: version });
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const answer = await this.#answer({ method: 'GET', url, headers }, { signal, streamed: true }, key);
    if (answer.status >= 300) throw googleFault(this.place, answer.status, await jsonOf(answer.body), key);
    if (from > 0 && answer.headers['content-range']?.startsWith(`bytes ${from}-`) !== true) {
      answer.body.destroy();
      throw locationFault(this.place, 'unsupported', `${key}: the endpoint cannot read from the middle of an object`);
    }
    return answer.body;
  }

  async put(key: string, bytes: Buffer, mark: string, sending: Sending): Promise<void> {
    const upload = await this.begin(key, mark, sending.signal);
    await upload.part(bytes, true, sending);
  }

  /** "Multipart upload": what is said of the object, then its bytes, in one body (RFC 2387). */
  async putNew(key: string, bytes: Buffer, signal: AbortSignal): Promise<boolean> {
    const boundary = `estepe-${randomBytes(18).toString('hex')}`;
    const json = [`--${boundary}`, 'content-type: application/json; charset=UTF-8', '', JSON.stringify({ name: key })];
    const head = [...json, `--${boundary}`, 'content-type: application/octet-stream', '', ''].join('\r\n');
    const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    const url = this.#uploadUrl({ uploadType: 'multipart', ifGenerationMatch: '0', fields: 'name' });
    const headers = { 'content-type': `multipart/related; boundary=${boundary}` };
    const { status } = await this.#ask({ method: 'POST', url, headers, body }, { signal }, key, [412]);
    return status !== 412;
  }

  /** "Resumable upload": its address is as good as the object's key, so it stands in no sentence. */
  async begin(key: string, mark: string, signal: AbortSignal): Promise<Upload> {
    const url = this.#uploadUrl({ uploadType: 'resumable', fields: 'name' });
    const body = Buffer.from(JSON.stringify({ name: key, metadata: { [markKey]: mark } }));
    const question = { method: 'POST', url, headers: { 'content-type': 'application/json; charset=UTF-8' }, body };
    const { headers } = await this.#ask(question, { signal }, key);
    if (headers.location === undefined) {
      throw locationFault(this.place, 'unsupported', `${key}: the endpoint takes no objects in parts`);
    }
    return new ResumableUpload(key, new URL(headers.location), this.#line, this.place);
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#ask({ method: 'DELETE', url: this.#url(key, {}), headers: {} }, { signal }, key, [404]);
  }

  /** Google ends them by itself after a week, and shows them to nobody. */
  async abandonUploads(): Promise<void> {}

  async close(): Promise<void> {
    this.#token.forget();
    this.#line.close();
  }

  #get(url: URL, signal: AbortSignal, what: string, alsoFine: readonly number[] = []): Promise<Said> {
    return this.#ask({ method: 'GET', url, headers: {} }, { signal }, what, alsoFine);
  }

  /** @param alsoFine statuses of 400 and more that are an answer, too */
  async #ask(question: Question, manner: Manner, what: string, alsoFine: readonly number[] = []): Promise<Said> {
    const { status, headers, body } = await this.#answer(question, manner, what);
    const json = await jsonOf(body);
    if (status >= 300 && !alsoFine.includes(status)) throw googleFault(this.place, status, json, what);
    return { status, headers, json };
  }

  /** With our token; with a new one where the old is not taken any more. */
  async #answer(question: Question, manner: Manner, what: string): Promise<Answer> {
    const asked = async (): Promise<Answer> => {
      const authorization = `Bearer ${await this.#token.text(manner.signal)}`;
      return this.#line.ask({ ...question, headers: { ...question.headers, authorization } }, manner, what);
    };
    const first = await asked();
    if (first.status !== 401) return first;
    first.body.destroy();
    this.#token.forget();
    return asked();
  }

  #read<T>(shape: z.ZodType<T>, json: unknown, what: string): T {
    const read = shape.safeParse(json);
    if (read.success) return read.data;
    const todo = 'check `endpoint` in backup.location';
    throw locationFault(this.place, 'unsupported', `${what}: this is no answer of Google Storage`, todo);
  }

  #url(key: string, query: Query): URL {
    const path = key === '' ? '' : `/${encodeURIComponent(key)}`;
    return this.#at(`/storage/v1/b/${encodeURIComponent(this.#settings.bucket)}/o${path}`, query);
  }

  #uploadUrl(query: Query): URL {
    return this.#at(`/upload/storage/v1/b/${encodeURIComponent(this.#settings.bucket)}/o`, query);
  }

  #at(path: string, query: Query): URL {
    const url = new URL(`${this.#settings.endpoint.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }
}

/** One upload; what was lost of a part is asked after, then sent again. */
class ResumableUpload implements Upload {
  readonly #key: string;
  readonly #session: URL;
  readonly #line: HttpLine;
  readonly #place: Place;
  /** a part was on its way when something failed: how much of it is there is not known */
  #isUnsure = false;

  constructor(key: string, session: URL, line: HttpLine, place: Place) {
    this.#key = key;
    this.#session = session;
    this.#line = line;
    this.#place = place;
  }

  async part(bytes: Buffer, isLast: boolean, sending: Sending): Promise<void> {
    const { from, signal } = sending;
    const end = from + bytes.length;
    const of = isLast ? String(end) : '*';
    let at: number | 'done' = this.#isUnsure ? await this.#put(`bytes */${of}`, { signal }) : from;
    // An empty object has no byte to send, but an end to tell.
    while (at !== 'done' && (at < end || isLast)) {
      if (at < from || at > end) throw this.#lost();
      const rest = bytes.subarray(at - from);
      const range = rest.length === 0 ? `bytes */${of}` : `bytes ${at}-${end - 1}/${of}`;
      const next: number | 'done' = await this.#put(range, { signal, sending: { ...sending, from: at } }, rest);
      if (next !== 'done' && next <= at) throw this.#lost();
      at = next;
    }
    if (at === 'done' && !isLast) throw this.#lost();
  }

  /** @returns how many bytes are there, or that the object is */
  async #put(range: string, manner: Manner, body: Buffer = Buffer.alloc(0)): Promise<number | 'done'> {
    this.#isUnsure = true;
    const question = { method: 'PUT', url: this.#session, headers: { 'content-range': range }, body };
    const { status, headers, body: answer } = await this.#line.ask(question, manner, this.#key);
    const said = await jsonOf(answer);
    if (status === 200 || status === 201) return 'done';
    // "308 Resume Incomplete", with the range that is kept; none: nothing yet.
    if (status !== 308) throw googleFault(this.#place, status === 404 ? 410 : status, said, this.#key);
    this.#isUnsure = false;
    const last = /^bytes=0-(\d+)$/.exec(String(headers.range ?? ''))?.[1];
    return last === undefined ? 0 : Number(last) + 1;
  }

  #lost() {
    return locationFault(this.#place, 'connection', `${this.#key}: what was sent is not all there; begin it anew`);
  }

  /** The last part published it. */
  async finish(): Promise<void> {}

  async abandon(signal: AbortSignal): Promise<void> {
    const question = { method: 'DELETE', url: this.#session, headers: {} };
    const { body } = await this.#line.ask(question, { signal }, this.#key);
    body.destroy();
  }
}

const entryOf = (found: z.infer<typeof objectAnswer>): BucketObject => ({
  key: found.name,
  size: found.size,
  modifiedAt: found.updated === undefined ? null : Date.parse(found.updated),
  version: found.generation,
  mark: found.metadata?.[markKey] ?? null,
});
