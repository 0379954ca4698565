/**
 * The second pass: what the survey found, as a zip with the manifest first. Every file is hashed again while it is
 * compressed; what turned out different is said in a last entry. Runs in the archive's worker.
 */
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { letGoChunk, ownBytes } from '../let-go.ts';
import { ArchiveError, codeOf } from './faults.ts';
import {
  type Change,
  changesName,
  entryNameOf,
  type FileItem,
  type Manifest,
  manifestName,
  maxManifestBytes,
} from './manifest.ts';
import { openFile } from './survey.ts';
import { ZipWriter } from './zip-writer.ts';

/** Packed already: compressing again costs time and gains nothing. */
const packedAlready = new Set(
  '.zip .gz .tgz .bz2 .xz .zst .7z .rar .jpg .jpeg .png .gif .webp .mp3 .ogg .opus .m4a .mp4 .g729 .age'.split(' '),
);
/** A file up to this size is read and packed in one go. */
const wholeBytes = 1024 * 1024;
const blockBytes = 256 * 1024;
/** Tried on a piece of the beginning and one of the middle: recordings and what is encrypted shrink nowhere. */
const sampleBytes = 32 * 1024;
const worthwhile = 0.95;

const fileType = 0o100000;
const linkType = 0o120000;
const folderType = 0o040000;

/** A file while it is packed: hashed as it passes, and what is not as the survey had it is noted. */
class Packing {
  readonly #item: FileItem;
  readonly #changes: Change[];
  readonly #tell: (bytes: number) => void;
  readonly #hash = createHash('sha256');
  #at = 0;

  constructor(item: FileItem, changes: Change[], tell: (bytes: number) => void) {
    this.#item = item;
    this.#changes = changes;
    this.#tell = tell;
  }

  /** So many bytes from its beginning, in blocks that are written over: two, so that one may be packed while the next is read. */
  async *blocks(handle: FileHandle, buffers: readonly [Buffer, Buffer]): AsyncGenerator<Buffer, void, void> {
    const { size } = this.#item;
    for (let turn = 0; this.#at < size; turn ^= 1) {
      const buffer = buffers[turn as 0 | 1];
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - this.#at), this.#at);
      if (bytesRead === 0) break;
      yield this.#pass(buffer.subarray(0, bytesRead));
    }
    this.end();
  }

  async whole(handle: FileHandle, buffer: Buffer): Promise<Buffer> {
    const { size } = this.#item;
    while (this.#at < size) {
      const { bytesRead } = await handle.read(buffer, this.#at, size - this.#at, this.#at);
      if (bytesRead === 0) break;
      this.#pass(buffer.subarray(this.#at, this.#at + bytesRead));
    }
    this.end();
    return buffer.subarray(0, this.#at);
  }

  gone(): void {
    this.#changes.push({ path: this.#item.path, how: 'gone' });
  }

  end(): void {
    const sha256 = this.#hash.digest('hex');
    const { path } = this.#item;
    if (sha256 !== this.#item.sha256) this.#changes.push({ path, how: 'changed', size: this.#at, sha256 });
  }

  #pass(block: Buffer): Buffer {
    this.#hash.update(block);
    this.#at += block.length;
    this.#tell(block.length);
    return block;
  }
}

/** Null: it is no longer there, or no longer a file. */
async function opened(source: string): Promise<FileHandle | null> {
  return openFile(source).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return null;
    throw error;
  });
}

async function isWorthPacking(handle: FileHandle, { size, path }: FileItem, buffer: Buffer): Promise<boolean> {
  if (packedAlready.has(extname(path).toLowerCase())) return false;
  for (const at of [0, Math.floor(size / 2)]) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(sampleBytes, size), at);
    const sample = buffer.subarray(0, bytesRead);
    const deflated = deflateRawSync(sample, { level: 1, chunkSize: ownBytes });
    const { length } = deflated;
    letGoChunk(deflated);
    if (length < sample.length * worthwhile) return true;
  }
  return false;
}

/**
 * Writes the zip.
 * @param from absolute path by item path
 * @param put takes what comes next; it keeps no block once it has resolved
 * @returns what was not, while it was packed, what the survey had found
 */
export async function pack(
  manifest: Manifest,
  from: ReadonlyMap<string, string>,
  put: (block: Uint8Array) => Promise<void>,
  tell: (bytes: number) => void,
): Promise<Change[]> {
  const zip = new ZipWriter(put);
  const changes: Change[] = [];
  const { wall } = manifest.createdAt;
  const own = { mtime: wall, mode: fileType | 0o600, packed: true };
  const buffers = [Buffer.allocUnsafe(blockBytes), Buffer.allocUnsafe(blockBytes)] as const;
  const large = Buffer.allocUnsafe(wholeBytes);

  const file = async (item: FileItem): Promise<void> => {
    const { mtime, size } = item;
    const head = { name: entryNameOf(item), mtime, mode: fileType | item.mode };
    const packing = new Packing(item, changes, tell);
    const handle = await opened(from.get(item.path) ?? '');
    if (handle === null) {
      packing.gone();
      return zip.whole({ ...head, packed: false }, Buffer.alloc(0));
    }
    try {
      const packed = await isWorthPacking(handle, item, large);
      if (size <= wholeBytes) await zip.whole({ ...head, packed }, await packing.whole(handle, large));
      else await zip.streamed({ ...head, packed }, packing.blocks(handle, buffers), size);
    } finally {
      await handle.close();
    }
  };

  const described = Buffer.from(JSON.stringify(manifest));
  // Made nevertheless it would be read back equal and counted, and every restore would refuse it.
  if (described.length > maxManifestBytes) {
    throw new ArchiveError(
      'source',
      `There are too many files for one backup (${manifest.items.length}): what says what they are is larger than ${maxManifestBytes} bytes.`,
    );
  }
  await zip.whole({ ...own, name: manifestName }, described);
  for (const item of manifest.items) {
    const { mtime } = item;
    const name = entryNameOf(item);
    if (item.kind === 'file') await file(item);
    else if (item.kind === 'folder') {
      await zip.whole({ name, mtime, mode: folderType | item.mode, packed: false }, Buffer.alloc(0));
    } else {
      await zip.whole({ name, mtime, mode: linkType | 0o777, packed: false }, Buffer.from(item.target));
    }
  }
  if (changes.length > 0) await zip.whole({ ...own, name: changesName }, Buffer.from(JSON.stringify(changes)));
  await zip.end();
  return changes;
}
