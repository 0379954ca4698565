/**
 * An entry's packed bytes turned into what they were: small ones in one go, large ones block by block, no more of either than the
 * directory says. Its buffers are used again and again, and zlib's are let go at once: left to the garbage collector they add up to
 * far more than all else. Must not know zip's headers. Runs in the archive's worker: it blocks its thread.
 */
import { createInflateRaw, inflateRawSync } from 'node:zlib';
import { letGoChunk, ownBytes } from '../let-go.ts';
import { ArchiveError, codeOf } from './faults.ts';

/** Up to so many bytes, packed and unpacked, in one go. */
export const wholeBytes = 1024 * 1024;
const blockBytes = 256 * 1024;

export interface Packed {
  /** for sentences */
  name: string;
  /** or stored as it is */
  deflated: boolean;
  /** position of its first packed byte */
  at: number;
  packedSize: number;
  /** unpacked, as the directory says */
  size: number;
}

type Take = (block: Buffer) => void | Promise<void>;

const tooMuch = ({ name }: Packed): ArchiveError => new ArchiveError('bomb', `${name} unpacks to more than it says.`);
const tooLittle = ({ name }: Packed): ArchiveError =>
  new ArchiveError('damaged', `${name} is shorter than it should be.`);

export class Unpacker {
  readonly #fill: (buffer: Buffer, position: number) => Buffer;
  readonly #buffer = Buffer.allocUnsafe(wholeBytes);

  /** @param fill reads as many bytes as the buffer has, or throws */
  constructor(fill: (buffer: Buffer, position: number) => Buffer) {
    this.#fill = fill;
  }

  /**
   * @param take is given one block after the other; each is written over once it has resolved
   * @throws ArchiveError `bomb`, `damaged`; zlib's own error for what is none of its
   */
  async unpack(packed: Packed, take: Take): Promise<void> {
    const { deflated, packedSize, size } = packed;
    if (!deflated) await this.#stored(packed, take);
    else if (packedSize <= wholeBytes && size <= wholeBytes) await this.#whole(packed, take);
    else await this.#streamed(packed, take);
  }

  async #stored(packed: Packed, take: Take): Promise<void> {
    const { at, packedSize, size } = packed;
    if (packedSize > size) throw tooMuch(packed);
    if (packedSize < size) throw tooLittle(packed);
    for (const block of this.#blocks(at, packedSize)) await take(block);
  }

  async #whole(packed: Packed, take: Take): Promise<void> {
    const { at, packedSize, size } = packed;
    const { buffer, engine } = inflated(packed, this.#fill(this.#buffer.subarray(0, packedSize), at));
    if (buffer.length > size) throw tooMuch(packed);
    // Behind the end of the packed data nothing may hide.
    if (buffer.length !== size || engine.bytesWritten !== packedSize) throw tooLittle(packed);
    if (size > 0) await take(buffer);
    letGoChunk(buffer);
  }

  async #streamed(packed: Packed, take: Take): Promise<void> {
    const { at, packedSize, size } = packed;
    const inflate = createInflateRaw({ chunkSize: blockBytes });
    const feed = async (): Promise<void> => {
      for (const block of this.#blocks(at, packedSize)) {
        await new Promise<void>((resolve, reject) =>
          inflate.write(block, (error) => (error ? reject(error) : resolve())),
        );
      }
      inflate.end();
    };
    let bytes = 0;
    try {
      // Where the packed data ends too early zlib never asks for the rest: then only what comes out tells the end.
      feed().catch((error: unknown) => inflate.destroy(error instanceof Error ? error : new Error(String(error))));
      for await (const block of inflate as AsyncIterable<Buffer>) {
        bytes += block.length;
        if (bytes > size) throw tooMuch(packed);
        await take(block);
        if (block.byteOffset + block.length === block.buffer.byteLength) letGoChunk(block);
      }
    } finally {
      inflate.destroy();
    }
    if (bytes !== size || inflate.bytesWritten !== packedSize) throw tooLittle(packed);
  }

  *#blocks(from: number, bytes: number): Generator<Buffer> {
    for (let at = 0; at < bytes; at += blockBytes) {
      yield this.#fill(this.#buffer.subarray(0, Math.min(blockBytes, bytes - at)), from + at);
    }
  }
}

/** All of it, and how much of what was given zlib took. One byte more than there should be, and it stops. */
function inflated(packed: Packed, bytes: Buffer): { buffer: Buffer; engine: { bytesWritten: number } } {
  const { size } = packed;
  const limits = { chunkSize: Math.max(ownBytes, size + 1), maxOutputLength: Math.max(1, size) };
  try {
    const done: unknown = inflateRawSync(bytes, { ...limits, info: true });
    return done as { buffer: Buffer; engine: { bytesWritten: number } };
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooMuch(packed);
    throw error;
  }
}
