/**
 * The file that 3CX's own schedule stores: which is the newest one, whether it is complete, and its bytes. 3CX writes it under
 * its final name, so that it may be seen half.
 */
import { closeSync, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EstepeError } from '../../contract/errors.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Location, Stored } from '../location.ts';

const pattern = /^3CXScheduledBackup(?:\.(\d{1,4}))?\.zip$/;

/** 3CX's own files, the newest first: the one without a number, then `.1`, `.2` … */
export function scheduledFiles(stored: readonly Stored[]): Stored[] {
  const rank = ({ name }: Stored): number => Number(pattern.exec(name)?.[1] ?? 0);
  return stored.filter(({ name }) => pattern.test(name)).sort((a, b) => rank(a) - rank(b));
}

/** A zip's last record and the longest comment behind it. */
const tailBytes = 22 + 0xffff;

/** Whether these last bytes of a file of that size are the end of a whole zip. */
export function isZipEnd(tail: Buffer, size: number): boolean {
  const start = size - tail.length;
  for (let i = tail.length - 22; i >= 0; i--) {
    if (tail.readUInt32LE(i) !== 0x06054b50 || i + 22 + tail.readUInt16LE(i + 20) !== tail.length) continue;
    const [bytes, offset] = [tail.readUInt32LE(i + 12), tail.readUInt32LE(i + 16)];
    // Over 4 GiB the true numbers stand in the zip64 record, whose locator is right in front.
    if (offset === 0xffff_ffff || bytes === 0xffff_ffff) return i >= 20 && tail.readUInt32LE(i - 20) === 0x07064b50;
    if (offset + bytes <= start + i) return true;
  }
  return false;
}

/** A file here. */
function isWhole(file: string, size: number): boolean {
  const fd = openSync(file, 'r');
  try {
    if (fstatSync(fd).size !== size) return false;
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    for (let at = 0; at < tail.length; ) {
      const count = readSync(fd, tail, at, tail.length - at, size - tail.length + at);
      if (count === 0) return false;
      at += count;
    }
    return isZipEnd(tail, size);
  } finally {
    closeSync(fd);
  }
}

async function bytesOf(stream: Readable): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block as Buffer);
  return Buffer.concat(blocks);
}

export interface Taken {
  stored: Stored;
  /** those newer ones that were not complete */
  passedOver: string[];
}

/**
 * Takes the newest complete one into a file: its size is the same at two looks, and its end is a zip's.
 * @param settleMs between the two looks
 * @throws EstepeError `backup` when there is none; LocationError
 */
export async function takeScheduled(
  place: Pick<Location, 'list' | 'read' | 'title'>,
  into: string,
  clock: Clock,
  settleMs: number,
  signal: AbortSignal,
): Promise<Taken> {
  const first = new Map((await place.list('3CXScheduledBackup', signal)).map((stored) => [stored.name, stored]));
  await new Promise<void>((resolve) => clock.after(settleMs, resolve));
  const passedOver: string[] = [];
  for (const stored of scheduledFiles(await place.list('3CXScheduledBackup', signal))) {
    const { name, size } = stored;
    const before = first.get(name);
    const stable = before !== undefined && before.size === size && before.modifiedAt === stored.modifiedAt;
    const from = Math.max(0, size - tailBytes);
    if (stable && size > 0 && isZipEnd(await bytesOf(await place.read(name, from, { signal })), size)) {
      await pipeline(await place.read(name, 0, { signal }), createWriteStream(into, { mode: 0o600 }), { signal });
      // Since that look 3CX may have rotated it away and begun the next one under its name.
      if (isWhole(into, size)) return { stored, passedOver };
    }
    passedOver.push(name);
  }
  const found = passedOver.length === 0 ? 'there is none' : `none is complete (${passedOver.join(', ')})`;
  throw new EstepeError(
    'backup',
    `Of the backups that 3CX's own schedule stores in ${place.title}, ${found}.`,
    "look at 3CX's backup schedule and its place, or choose `backup.source.from: command`",
  );
}
