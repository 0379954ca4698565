/**
 * A zip opened for reading with nothing in it believed: every offset is held against the file, entries may not overlap,
 * what is named twice is refused. Must not know the manifest.
 */
import { close as closeFd, fstatSync, openSync, read as readFd, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { ArchiveError } from './faults.ts';
import { Unpacker } from './unpack.ts';

/** No PBX has so many files. */
const maxEntries = 2_000_000;
/** DEFLATE gives at most 1032 bytes for one; more is an entry that lies. */
const maxRatio = 1100;

const outside = 'a part of it lies outside the file: it was cut short';

/** A file's bytes by position. yauzl's own would throw, where nobody catches, on an offset beyond what Node takes. */
class Bytes extends RandomAccessReader {
  readonly size: number;
  readonly #fd: number;

  constructor(path: string) {
    super();
    this.#fd = openSync(path, 'r');
    this.size = fstatSync(this.#fd).size;
  }

  #inside(start: number, end: number): boolean {
    return Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= this.size;
  }

  /** Entries are read with `fill`. */
  override _readStreamForRange(): Readable {
    return new Readable({ read: () => {} }).destroy(new Error('this zip is not read as a stream'));
  }

  /** Reads so many bytes, all of them. Blocks this thread: it is a worker's. */
  fill(buffer: Buffer, position: number): Buffer {
    if (!this.#inside(position, position + buffer.length)) throw new Error(outside);
    for (let at = 0; at < buffer.length; ) {
      const count = readSync(this.#fd, buffer, at, buffer.length - at, position + at);
      if (count === 0) throw new Error(outside);
      at += count;
    }
    return buffer;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytes?: number) => void,
  ): void {
    if (!this.#inside(position, position + length)) {
      setImmediate(() => callback(new Error(outside)));
    } else readFd(this.#fd, buffer, offset, length, position, callback);
  }

  override close(callback: (error: Error | null) => void): void {
    closeFd(this.#fd, callback);
  }
}

export interface ZipEntry {
  /** as stored, `/` between parts */
  name: string;
  kind: 'file' | 'folder' | 'link';
  /** bytes, as the directory says */
  size: number;
  /** 0 is the first in the file */
  offset: number;
  packed: Entry;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
// S_IFREG, S_IFDIR, S_IFLNK of <sys/stat.h>, shifted to their four bits; 0: not written by a Unix.
const kinds: Readonly<Record<number, ZipEntry['kind']>> = { 0: 'file', 8: 'file', 4: 'folder', 10: 'link' };

function entryOf(packed: Entry): ZipEntry {
  let name: string;
  try {
    name = decoder.decode(packed.fileNameRaw);
  } catch (error) {
    throw new ArchiveError('unsafe', 'It holds a name that is not UTF-8.', error);
  }
  const shown = name.slice(0, 200);
  // The type bits of st_mode, where a Unix wrote them.
  const type = (packed.externalFileAttributes >>> 28) & 0xf;
  const kind = kinds[type];
  if (kind === undefined) throw new ArchiveError('unsafe', `It holds a device or pipe: ${shown}.`);
  if ((kind === 'folder') !== name.endsWith('/') && kind !== 'file') {
    throw new ArchiveError('unsafe', `It holds something whose name and kind differ: ${shown}.`);
  }
  if (packed.isEncrypted()) throw new ArchiveError('damaged', `It holds an entry with zip's own encryption: ${shown}.`);
  if (packed.compressionMethod !== 0 && packed.compressionMethod !== 8) {
    throw new ArchiveError('damaged', `It holds an entry packed in an unknown way: ${shown}.`);
  }
  if (packed.uncompressedSize > packed.compressedSize * maxRatio + 64) {
    throw new ArchiveError('bomb', `${shown} says that it unpacks to more than ${maxRatio} times its size.`);
  }
  return {
    name,
    kind: name.endsWith('/') ? 'folder' : kind,
    size: packed.uncompressedSize,
    offset: packed.relativeOffsetOfLocalHeader,
    packed,
  };
}

/** An open zip. Its entries in the order in which they lie in the file. */
export class OpenZip {
  readonly entries: readonly ZipEntry[];
  readonly #zip: ZipFile;
  readonly #bytes: Bytes;
  readonly #unpacker: Unpacker;

  private constructor(zip: ZipFile, bytes: Bytes, entries: readonly ZipEntry[]) {
    this.#zip = zip;
    this.#bytes = bytes;
    this.#unpacker = new Unpacker((buffer, position) => bytes.fill(buffer, position));
    this.entries = entries;
  }

  /** @throws ArchiveError `damaged`, `unsafe` or `bomb`; what yauzl says, for what it cannot read */
  static async open(path: string): Promise<OpenZip> {
    const bytes = new Bytes(path);
    const zip = await fromRandomAccessReaderPromise(bytes, bytes.size, { autoClose: false, decodeStrings: false });
    try {
      if (zip.entryCount > maxEntries)
        throw new ArchiveError('bomb', `It says that it holds ${zip.entryCount} entries.`);
      const entries: ZipEntry[] = [];
      for await (const entry of zip.eachEntry()) entries.push(entryOf(entry));
      entries.sort((a, b) => a.offset - b.offset);
      checkPlaces(entries, bytes.size);
      return new OpenZip(zip, bytes, entries);
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  close(): void {
    this.#zip.close();
  }

  /**
   * An entry's bytes, unpacked, given to `take` one block after the other; a block is written over once `take` has resolved.
   * @throws ArchiveError `bomb` when more come than its directory says, `damaged` when fewer
   */
  unpack(entry: ZipEntry, take: (block: Buffer) => void | Promise<void>): Promise<void> {
    const { name, size, packed } = entry;
    const { compressedSize: packedSize, compressionMethod } = packed;
    const at = this.#dataOf(entry);
    return this.#unpacker.unpack(
      { name: name.slice(0, 200), deflated: compressionMethod === 8, at, packedSize, size },
      take,
    );
  }

  /** Where its data begins: behind a header of its own, which must name it as the directory does (APPNOTE 4.3.7). */
  #dataOf({ name, offset, packed }: ZipEntry): number {
    const { fileNameRaw } = packed;
    const header = this.#bytes.fill(Buffer.allocUnsafe(30 + fileNameRaw.length), offset);
    const shown = name.slice(0, 200);
    if (header.readUInt32LE(0) !== 0x0403_4b50)
      throw new ArchiveError('damaged', `${shown} is not where it should be.`);
    const [nameLength, extraLength] = [header.readUInt16LE(26), header.readUInt16LE(28)];
    if (nameLength !== fileNameRaw.length || !header.subarray(30).equals(fileNameRaw)) {
      throw new ArchiveError('damaged', `${shown} has two names.`);
    }
    return offset + header.length + extraLength;
  }
}

/** Entries that share bytes are how a small file unpacks to petabytes; those named twice have two contents. */
function checkPlaces(entries: readonly ZipEntry[], size: number): void {
  const names = new Set<string>();
  let end = 0;
  for (const { name, offset, packed } of entries) {
    if (names.has(name)) throw new ArchiveError('unsafe', `It holds the same name twice: ${name.slice(0, 200)}.`);
    names.add(name);
    if (offset < end) throw new ArchiveError('bomb', `Its entries share their bytes: ${name.slice(0, 200)}.`);
    end = offset + 30 + packed.fileNameLength + packed.compressedSize;
    if (end > size) throw new ArchiveError('damaged', `It was cut short: ${name.slice(0, 200)} lies beyond its end.`);
  }
}
