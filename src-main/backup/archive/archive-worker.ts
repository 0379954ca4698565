/** The archive's worker: one task, then it ends. All hashing, compression and encryption happens here. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { decrypted, type Encryption, encrypted, looksLike } from './encryption.ts';
import { Extraction } from './extract.ts';
import { ArchiveError, asArchiveError } from './faults.ts';
import { type Manifest, manifestFormat } from './manifest.ts';
import { pack } from './pack.ts';
import { type Proven, readArchive } from './read-archive.ts';
import { survey } from './survey.ts';
import {
  type CreateTask,
  chunkBytes,
  type FromWorker,
  type ReadTask,
  type Task,
  type ToWorker,
  window,
} from './worker-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('this is a worker');
const say = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

/** Progress at most ten times a second. */
let bytesDone = 0;
let toldAt = 0;
function tell(bytes: number): void {
  bytesDone += bytes;
  const now = performance.now();
  if (now - toldAt < 100) return;
  toldAt = now;
  say({ say: 'progress', bytes: bytesDone });
}

/** Sends blocks on in even chunks, never more at once than the other side asked for. */
class Outlet {
  size = 0;
  readonly #hash = createHash('sha256');
  #chunk = new Uint8Array(chunkBytes);
  #used = 0;
  #credit = window;
  #waiting: (() => void) | null = null;

  more(): void {
    this.#credit += 1;
    this.#waiting?.();
  }

  async write(block: Uint8Array): Promise<void> {
    this.#hash.update(block);
    this.size += block.length;
    for (let at = 0; at < block.length; ) {
      const part = block.subarray(at, at + chunkBytes - this.#used);
      this.#chunk.set(part, this.#used);
      this.#used += part.length;
      at += part.length;
      if (this.#used === chunkBytes) await this.#send();
    }
  }

  async end(): Promise<string> {
    if (this.#used > 0) await this.#send();
    return this.#hash.digest('hex');
  }

  async #send(): Promise<void> {
    while (this.#credit === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#credit -= 1;
    const bytes = this.#chunk.subarray(0, this.#used);
    this.#chunk = new Uint8Array(chunkBytes);
    this.#used = 0;
    say({ say: 'chunk', bytes }, [bytes.buffer]);
  }
}

async function throughEncryption<T>(
  packing: (put: (block: Uint8Array) => Promise<void>) => Promise<T>,
  encryption: Encryption,
  outlet: Outlet,
): Promise<T> {
  const clear = new PassThrough({ highWaterMark: chunkBytes });
  const stream = await encrypted(clear, encryption);
  // Its own copy: what is packed is written over.
  const put = async (block: Uint8Array): Promise<void> => {
    if (!clear.write(Buffer.from(block))) await once(clear, 'drain');
  };
  const send = async (): Promise<void> => {
    try {
      for await (const block of stream) await outlet.write(block as Uint8Array);
    } catch (error) {
      clear.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  };
  const sending = send();
  sending.catch(() => {});
  let done: T;
  try {
    done = await packing(put);
    clear.end();
  } catch (error) {
    clear.destroy();
    throw error;
  }
  await sending;
  return done;
}

async function create({ paths, about, createdAt, encryption }: CreateTask): Promise<void> {
  const found = await survey(paths, tell);
  const { roots, items, leftOut } = found;
  const at = { wall: createdAt, iso: new Date(createdAt).toISOString() };
  const manifest: Manifest = { format: manifestFormat, ...about, createdAt: at, roots, items, leftOut };
  say({ say: 'manifest', manifest });
  const outlet = new Outlet();
  port?.on('message', () => outlet.more());
  const packing = (put: (block: Uint8Array) => Promise<void>) => pack(manifest, found.from, put, tell);
  const changes =
    encryption === null
      ? await packing((block) => outlet.write(block))
      : await throughEncryption(packing, encryption, outlet);
  const sha256 = await outlet.end();
  const torn = items.flatMap((item) =>
    item.kind === 'file' && item.changed === true && !changes.some(({ path }) => path === item.path)
      ? [{ path: item.path, how: 'changed' as const, size: item.size, sha256: item.sha256 }]
      : [],
  );
  say({ say: 'created', created: { size: outlet.size, sha256, manifest, changes: [...changes, ...torn] } });
}

/** Where to put it, asked of the engine's thread. */
function placesOf(channel: NonNullable<typeof port>, proven: Proven): Promise<ReadonlyMap<string, string>> {
  return new Promise((resolve) => {
    channel.once('message', (message: ToWorker) => resolve(new Map(message.say === 'into' ? message.into : [])));
    say({ say: 'holds', proven });
  });
}

/** Reads the archive itself, or what an encrypted one holds. */
async function read({ file, key, scratch, expect, extract }: ReadTask): Promise<void> {
  const kind = await looksLike(file);
  if (kind === null) throw new ArchiveError('unknown-format', 'It is neither a zip nor encrypted with age.');
  const extraction = extract && port !== null ? new Extraction((proven) => placesOf(port, proven)) : null;
  let plain = file;
  try {
    if (kind === 'age') {
      plain = scratch;
      const source = createReadStream(file, { highWaterMark: chunkBytes });
      const clear = await decrypted(source, key);
      await pipeline(clear, createWriteStream(scratch, { flags: 'wx', mode: 0o600 }));
      if ((await looksLike(scratch)) !== 'zip') {
        throw new ArchiveError('unknown-format', 'What was encrypted in it is no zip.');
      }
    }
    const proven = await readArchive(plain, expect, extraction, tell);
    if (extraction === null) say({ say: 'holds', proven });
    await extraction?.end();
    say({ say: 'read', ownersLost: extraction?.ownersLost ?? 0 });
  } finally {
    if (plain !== file) rmSync(scratch, { force: true });
  }
}

const task = workerData as Task;
try {
  await (task.kind === 'create' ? create(task) : read(task));
} catch (error) {
  const { fault, message } = asArchiveError(error, task.kind === 'create' ? 'It cannot be made' : 'It cannot be read');
  // Whatever fails while one is made is no damage of anything: it is where it comes from.
  say({ say: 'failed', fault: task.kind === 'create' && fault === 'damaged' ? 'source' : fault, message });
}
port.close();
