/**
 * A zip opened for reading with nothing in it believed: every offset is held against the file, entries may not overlap,
 * what is named twice is refused. Must not know the manifest.
 */
import { close as closeFd, createReadStream, fstatSync, openSync, read as readFd } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { ArchiveError } from './faults.ts';

/** No PBX has so many files. */
const maxEntries = 2_000_000;
/** DEFLATE gives at most 1032 bytes for one; more is an entry that lies. */
const maxRatio = 1100;

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

  override createReadStream({ start, end }: { start: number; end: number }): Readable {
    if (!this.#inside(start, end)) {
      return new Readable({
        read() {
          this.destroy(new Error('an entry lies outside the file'));
        },
      });
    }
    if (start === end) return Readable.from([]);
    return createReadStream('', { fd: this.#fd, start, end: end - 1, autoClose: false, highWaterMark: 64 * 1024 });
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return this.createReadStream({ start, end });
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytes?: number) => void,
  ): void {
    if (!this.#inside(position, position + length)) {
      setImmediate(() => callback(new Error('a part of it lies outside the file: it was cut short')));
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

  private constructor(zip: ZipFile, entries: readonly ZipEntry[]) {
    this.#zip = zip;
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
      return new OpenZip(zip, entries);
    } catch (error) {
      zip.close();
      throw error;
    }
  }

  close(): void {
    this.#zip.close();
  }

  /**
   * An entry's bytes, unpacked, given to `take` one block after the other.
   * @throws ArchiveError `bomb` when more come than its directory says, `damaged` when fewer
   */
  async unpack({ packed, name, size }: ZipEntry, take: (block: Buffer) => void | Promise<void>): Promise<void> {
    const shown = name.slice(0, 200);
    const header = await this.#zip.readLocalFileHeaderPromise(packed);
    if (!header.fileName.equals(packed.fileNameRaw)) throw new ArchiveError('damaged', `${shown} has two names.`);
    const raw = await this.#zip.openReadStreamPromise(packed, { decodeFileData: false });
    const inflate = packed.compressionMethod === 8 ? createInflateRaw({ chunkSize: 64 * 1024 }) : null;
    let bytes = 0;
    const sink = async (blocks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const block of blocks) {
        bytes += block.length;
        if (bytes > size) throw new ArchiveError('bomb', `${shown} unpacks to more than it says.`);
        await take(block);
      }
    };
    if (inflate === null) await pipeline(raw, sink);
    else await pipeline(raw, inflate, sink);
    // Behind the end of the packed data nothing may hide.
    const unread = inflate !== null && inflate.bytesWritten !== packed.compressedSize;
    if (bytes !== size || unread) throw new ArchiveError('damaged', `${shown} is shorter than it should be.`);
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
