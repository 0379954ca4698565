/**
 * Windows' icon files, written and taken apart. Up to 32 pixels as bitmaps, which every reader of icons takes; beyond that as
 * PNG, which Windows takes since Vista and which is a tenth as large.
 */

/** One picture: RGBA, not premultiplied, rows from the top; and the same as a PNG file. */
export interface Picture {
  size: number;
  rgba: Buffer;
  png: Buffer;
}

export interface Entry {
  size: number;
  kind: 'png' | 'bitmap';
  data: Buffer;
}

const headerBytes = 6;
const entryBytes = 16;
const bitmapHeaderBytes = 40;

/** @param pictures square, at most 256 pixels, in the order they are to stand in the file */
export function writeIco(pictures: readonly Picture[]): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(pictures.length, 4);
  let at = headerBytes + entryBytes * pictures.length;
  const entries: Buffer[] = [];
  const bodies: Buffer[] = [];
  for (const picture of pictures) {
    const body = picture.size <= 32 ? bitmap(picture) : picture.png;
    const entry = Buffer.alloc(entryBytes);
    // 256 does not fit into a byte and is written as 0
    entry.writeUInt8(picture.size % 256, 0);
    entry.writeUInt8(picture.size % 256, 1);
    entry.writeUInt16LE(1, 4);
    entry.writeUInt16LE(32, 6);
    entry.writeUInt32LE(body.length, 8);
    entry.writeUInt32LE(at, 12);
    at += body.length;
    entries.push(entry);
    bodies.push(body);
  }
  return Buffer.concat([header, ...entries, ...bodies]);
}

/** @throws when this is no icon file, or an entry of it lies outside */
export function readIco(file: Buffer): Entry[] {
  if (file.length < headerBytes || file.readUInt16LE(0) !== 0 || file.readUInt16LE(2) !== 1) {
    throw new Error('This is no icon file: it does not begin with its type.');
  }
  return Array.from({ length: file.readUInt16LE(4) }, (_, i) => {
    const entry = headerBytes + entryBytes * i;
    const length = file.readUInt32LE(entry + 8);
    const at = file.readUInt32LE(entry + 12);
    if (at + length > file.length) throw new Error(`Picture ${i + 1} of the icon lies outside of the file.`);
    const data = file.subarray(at, at + length);
    return {
      size: file.readUInt8(entry) || 256,
      kind: data.subarray(1, 4).toString('latin1') === 'PNG' ? ('png' as const) : ('bitmap' as const),
      data,
    };
  });
}

/** A device-independent bitmap with alpha: rows from the bottom as BGRA, then the mask of one bit a pixel for readers without alpha. */
function bitmap({ size, rgba }: Picture): Buffer {
  const maskRow = Math.ceil(size / 32) * 4;
  const out = Buffer.alloc(bitmapHeaderBytes + size * size * 4 + maskRow * size);
  out.writeUInt32LE(bitmapHeaderBytes, 0);
  out.writeInt32LE(size, 4);
  // picture and mask together are twice as high
  out.writeInt32LE(size * 2, 8);
  out.writeUInt16LE(1, 12);
  out.writeUInt16LE(32, 14);
  out.writeUInt32LE(size * size * 4 + maskRow * size, 20);
  const mask = bitmapHeaderBytes + size * size * 4;
  for (let y = 0; y < size; y++) {
    const row = size - 1 - y;
    for (let x = 0; x < size; x++) {
      const from = (y * size + x) * 4;
      const to = bitmapHeaderBytes + (row * size + x) * 4;
      const alpha = rgba.readUInt8(from + 3);
      out.writeUInt8(rgba.readUInt8(from + 2), to);
      out.writeUInt8(rgba.readUInt8(from + 1), to + 1);
      out.writeUInt8(rgba.readUInt8(from), to + 2);
      out.writeUInt8(alpha, to + 3);
      if (alpha >= 128) continue;
      const bit = mask + row * maskRow + (x >> 3);
      out.writeUInt8(out.readUInt8(bit) | (0x80 >> (x & 7)), bit);
    }
  }
  return out;
}
