/**
 * Writes a zip in one go, to where it cannot seek back: sizes that are not known beforehand stand behind their entry. Holds one
 * block at a time, whatever the size. Must not know the manifest. Layout: PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5.
 *
 * yazl wrote these first; its CRC in JavaScript, a stream of zlib's for every entry and a list that it walks from the beginning cost
 * half the time and memory that grew with the number of files.
 */
import { crc32, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { letGoChunk, ownBytes } from '../let-go.ts';

/** As quick as `zip -1`; the CPU at hand is a small site's server that carries calls. */
const level = 1;
const most32 = 0xffff_ffff;
const most16 = 0xffff;
/** Below 4 GiB with room for a file that does not shrink. */
const zip64From = 0xf000_0000;
/** UTF-8 names; and: CRC and sizes stand behind the data. */
const nameFlag = 0x0800;
const behindFlag = 0x0008;
const chunkSize = 256 * 1024;

export interface EntryHead {
  /** `/` between parts, at its end for a folder */
  name: string;
  /** wall milliseconds */
  mtime: number;
  /** st_mode, the type bits with it */
  mode: number;
  /** deflate it, or store it as it is */
  packed: boolean;
}

interface Written extends EntryHead {
  crc: number;
  packedSize: number;
  size: number;
  offset: number;
  flags: number;
}

/** Date and time as DOS had them, local, from 1980 on: what old readers show. The exact time is in the extra field. */
function dosTime(mtime: number): { date: number; time: number } {
  const at = new Date(Math.max(mtime, new Date(1980, 0, 1).getTime()));
  const year = Math.min(at.getFullYear(), 2107) - 1980;
  return {
    date: (year << 9) | ((at.getMonth() + 1) << 5) | at.getDate(),
    time: (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1),
  };
}

/** Extra field 0x5455: the modification time in whole seconds of 1970. */
function timeField(mtime: number): Buffer {
  const field = Buffer.alloc(9);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(Math.max(-0x8000_0000, Math.min(0x7fff_ffff, Math.floor(mtime / 1000))), 5);
  return field;
}

/** Extra field 0x0001: what does not fit into 32 bits. */
function largeField(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(0x0001, 0);
  field.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => void field.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  return field;
}

/** What local and central headers share, from the version that is needed on. */
function common(entry: Written, large: boolean, sizes: { crc: number; packed: number; size: number }): Buffer {
  const head = Buffer.alloc(24);
  const { date, time } = dosTime(entry.mtime);
  head.writeUInt16LE(large ? 45 : 20, 0);
  head.writeUInt16LE(entry.flags, 2);
  head.writeUInt16LE(entry.packed ? 8 : 0, 4);
  head.writeUInt16LE(time, 6);
  head.writeUInt16LE(date, 8);
  head.writeUInt32LE(sizes.crc, 10);
  head.writeUInt32LE(sizes.packed, 14);
  head.writeUInt32LE(sizes.size, 18);
  head.writeUInt16LE(Buffer.byteLength(entry.name), 22);
  return head;
}

const word32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const word16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};

export class ZipWriter {
  readonly #put: (block: Uint8Array) => Promise<void>;
  readonly #central: Buffer[] = [];
  #offset = 0;

  /** @param put takes what is to be written next; it keeps no block once it has resolved */
  constructor(put: (block: Uint8Array) => Promise<void>) {
    this.#put = put;
  }

  /** An entry that is held in memory anyway. */
  async whole(head: EntryHead, bytes: Buffer): Promise<void> {
    // In one chunk, which can be let go: it is no longer than what it is made of, or not wanted.
    const room = { chunkSize: Math.max(ownBytes, bytes.length) };
    const deflated = head.packed ? deflateRawSync(bytes, { level, ...room }) : bytes;
    const packed = deflated.length < bytes.length;
    const entry: Written = {
      ...head,
      packed,
      crc: crc32(bytes),
      packedSize: packed ? deflated.length : bytes.length,
      size: bytes.length,
      offset: this.#offset,
      flags: nameFlag,
    };
    const sizes = { crc: entry.crc, packed: entry.packedSize, size: entry.size };
    await this.#local(entry, common(entry, false, sizes), []);
    await this.#write(packed ? deflated : bytes);
    if (head.packed) letGoChunk(deflated);
    this.#close(entry);
  }

  /**
   * An entry of any size, block by block. A block may be written over once the next one is asked for.
   * @param atMost it has no more bytes than that
   */
  async streamed(head: EntryHead, blocks: AsyncIterable<Buffer>, atMost: number): Promise<void> {
    const large = atMost > zip64From;
    const flags = nameFlag | behindFlag;
    const entry: Written = { ...head, crc: 0, packedSize: 0, size: 0, offset: this.#offset, flags };
    await this.#local(entry, common(entry, large, { crc: 0, packed: 0, size: 0 }), large ? [largeField([0, 0])] : []);
    const begun = this.#offset;
    if (head.packed) await this.#deflate(entry, blocks);
    else {
      for await (const block of blocks) {
        entry.crc = crc32(block, entry.crc);
        entry.size += block.length;
        await this.#write(block);
      }
    }
    entry.packedSize = this.#offset - begun;
    const behind = Buffer.alloc(large ? 24 : 16);
    behind.writeUInt32LE(0x0807_4b50, 0);
    behind.writeUInt32LE(entry.crc, 4);
    if (large) {
      behind.writeBigUInt64LE(BigInt(entry.packedSize), 8);
      behind.writeBigUInt64LE(BigInt(entry.size), 16);
    } else {
      behind.writeUInt32LE(entry.packedSize, 8);
      behind.writeUInt32LE(entry.size, 12);
    }
    await this.#write(behind);
    this.#close(entry);
  }

  /** The directory, and the end. */
  async end(): Promise<void> {
    const at = this.#offset;
    const count = this.#central.length;
    for (const header of this.#central) await this.#write(header);
    const bytes = this.#offset - at;
    if (count >= most16 || bytes >= most32 || at >= most32) await this.#write(this.#largeEnd(count, bytes, at));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x0605_4b50, 0);
    end.writeUInt16LE(Math.min(count, most16), 8);
    end.writeUInt16LE(Math.min(count, most16), 10);
    end.writeUInt32LE(Math.min(bytes, most32), 12);
    end.writeUInt32LE(Math.min(at, most32), 16);
    await this.#write(end);
  }

  #largeEnd(count: number, bytes: number, at: number): Buffer {
    const end = Buffer.alloc(56 + 20);
    end.writeUInt32LE(0x0606_4b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE((3 << 8) | 45, 12);
    end.writeUInt16LE(45, 14);
    [count, count, bytes, at].forEach((value, i) => void end.writeBigUInt64LE(BigInt(value), 24 + 8 * i));
    end.writeUInt32LE(0x0706_4b50, 56);
    end.writeBigUInt64LE(BigInt(this.#offset), 64);
    end.writeUInt32LE(1, 72);
    return end;
  }

  async #deflate(entry: Written, blocks: AsyncIterable<Buffer>): Promise<void> {
    const deflate = createDeflateRaw({ level, chunkSize });
    const drain = async (): Promise<void> => {
      for await (const block of deflate as AsyncIterable<Buffer>) {
        await this.#write(block);
        if (block.byteOffset + block.length === block.buffer.byteLength) letGoChunk(block);
      }
    };
    const feed = async (): Promise<void> => {
      try {
        for await (const block of blocks) {
          entry.crc = crc32(block, entry.crc);
          entry.size += block.length;
          await new Promise<void>((resolve, reject) =>
            deflate.write(block, (error) => (error ? reject(error) : resolve())),
          );
        }
        deflate.end();
      } catch (error) {
        deflate.destroy(error instanceof Error ? error : new Error(String(error)));
        throw error;
      }
    };
    try {
      const draining = drain();
      draining.catch(() => {});
      await feed();
      await draining;
    } finally {
      deflate.destroy();
    }
  }

  async #local(entry: Written, head: Buffer, extras: readonly Buffer[]): Promise<void> {
    const extra = Buffer.concat([...extras, timeField(entry.mtime)]);
    await this.#write(Buffer.concat([word32(0x0403_4b50), head, word16(extra.length), Buffer.from(entry.name), extra]));
  }

  #close(entry: Written): void {
    const { crc, packedSize, size, offset, mode, name } = entry;
    const tooLarge = [size, packedSize, offset].filter((value) => value >= most32);
    const extra = Buffer.concat([...(tooLarge.length > 0 ? [largeField(tooLarge)] : []), timeField(entry.mtime)]);
    const sizes = { crc, packed: Math.min(packedSize, most32), size: Math.min(size, most32) };
    const tail = Buffer.alloc(16);
    tail.writeUInt16LE(extra.length, 0);
    // Comment, disk and internal attributes are none; the outer ones are Unix's in the upper half, DOS's folder bit below.
    tail.writeUInt32LE(((mode << 16) | (name.endsWith('/') ? 0x10 : 0)) >>> 0, 8);
    tail.writeUInt32LE(Math.min(offset, most32), 12);
    const made = word16((3 << 8) | 45);
    const head = common(entry, tooLarge.length > 0, sizes);
    this.#central.push(Buffer.concat([word32(0x0201_4b50), made, head, tail, Buffer.from(name), extra]));
  }

  async #write(block: Uint8Array): Promise<void> {
    if (block.length === 0) return;
    this.#offset += block.length;
    await this.#put(block);
  }
}
