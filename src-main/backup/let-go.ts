/**
 * Memory of blocks that went through, given back at once. Left to the garbage collector some 60 MB of them stand about at any time,
 * which is half of all that a backup or restore takes. Must not know what is in them.
 */

/** What is smaller may lie in Node's pool of small buffers, which others share: zlib is given chunks of at least this size. */
export const ownBytes = 2 * Buffer.poolSize;

/** The block's reader is done with it and nobody else has it. One that is a part of something larger is left alone. */
export function letGo({ buffer, length }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && length > 0 && length === buffer.byteLength) buffer.transfer(0);
}

/** The same for what zlib made: a chunk is mostly a part of a larger buffer, and this was the last that is wanted of it. */
export function letGoChunk({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= ownBytes) buffer.transfer(0);
}
