/** An entry's bytes in each of the three ways: in one go, block by block, stored. What lies is refused in each with the same word. */
import { createHash, randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Packed, Unpacker, wholeBytes } from '../../../src-main/backup/archive/unpack.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Half of it noise, so that packed it is large, too. */
function mixed(bytes: number): Buffer {
  const all = Buffer.alloc(bytes, 'port=5060\n');
  const noise = randomBytes(bytes >> 1);
  noise.copy(all);
  return all;
}

/** Unpacks what begins at byte 3 of a file. */
async function unpacked(data: Buffer, more: Partial<Packed> & Pick<Packed, 'size'>) {
  const file = Buffer.concat([Buffer.from('abc'), data, Buffer.from('what comes behind it')]);
  const reads: number[] = [];
  const unpacker = new Unpacker((buffer, position) => {
    reads.push(buffer.length);
    file.copy(buffer, 0, position, position + buffer.length);
    return buffer;
  });
  const hash = createHash('sha256');
  const blocks: number[] = [];
  let bytes = 0;
  const take = async (block: Buffer): Promise<void> => {
    // Later than any block could come that is not waited for.
    await new Promise(setImmediate);
    hash.update(block);
    blocks.push(block.length);
    bytes += block.length;
  };
  try {
    await unpacker.unpack({ name: 'sip.conf', deflated: true, at: 3, packedSize: data.length, ...more }, take);
    return { fault: null, message: '', bytes, hash: hash.digest('hex'), blocks, reads };
  } catch (error) {
    const fault: unknown = error instanceof Error ? Reflect.get(error, 'fault') : null;
    return { fault: fault ?? 'zlib', message: String(error), bytes, hash: '', blocks, reads };
  }
}

const sizes = [0, 1, 70_000, wholeBytes - 1, wholeBytes, wholeBytes + 1, 5 * wholeBytes + 7];

describe('an entry', () => {
  it.each(sizes)('deflated, %i bytes: as it was', async (size) => {
    const bytes = mixed(size);
    const got = await unpacked(deflateRawSync(bytes), { size });
    expect(got).toMatchObject({ fault: null, bytes: size, hash: sha256(bytes) });
    // In one go up to the limit, and never more than a block at a time behind it.
    if (size <= wholeBytes) expect(got.blocks.length).toBe(size > 0 ? 1 : 0);
    else expect(Math.max(...got.reads)).toBeLessThan(wholeBytes);
  });

  it.each(sizes)('stored, %i bytes: as it was', async (size) => {
    const bytes = mixed(size);
    const got = await unpacked(bytes, { size, deflated: false });
    expect(got).toMatchObject({ fault: null, bytes: size, hash: sha256(bytes) });
    expect(Math.max(0, ...got.blocks)).toBeLessThan(wholeBytes);
  });

  it('one after the other, in turn each way: no bytes of one in the next', async () => {
    const files = sizes.flatMap((size) => [mixed(size), mixed(size)]);
    const packed = files.map((bytes, i) => (i % 2 === 0 ? deflateRawSync(bytes) : bytes));
    const file = Buffer.concat(packed);
    const unpacker = new Unpacker((buffer, position) => {
      file.copy(buffer, 0, position, position + buffer.length);
      return buffer;
    });
    let at = 0;
    for (const [i, bytes] of files.entries()) {
      const packedSize = packed[i]?.length ?? 0;
      const hash = createHash('sha256');
      const entry = { name: `${i}`, deflated: i % 2 === 0, at, packedSize, size: bytes.length };
      await unpacker.unpack(entry, (block) => void hash.update(block));
      expect([i, hash.digest('hex')]).toEqual([i, sha256(bytes)]);
      at += packedSize;
    }
  });
});

describe.each([
  ['in one go', 1000],
  ['block by block', 3 * wholeBytes],
])('D2 what lies, %s', (_, size) => {
  const bytes = mixed(size);
  const data = deflateRawSync(bytes);

  it('D2 a bomb: no more is taken than it says', async () => {
    const zeros = deflateRawSync(Buffer.alloc(200 * wholeBytes));
    const got = await unpacked(zeros, { size });
    expect(got).toMatchObject({ fault: 'bomb', message: expect.stringContaining('unpacks to more than it says') });
    expect(got.bytes).toBeLessThanOrEqual(size);
  });

  it('D2 one byte more than it says', async () => {
    expect(await unpacked(data, { size: size - 1 })).toMatchObject({ fault: 'bomb' });
  });

  it('D2 one byte less than it says', async () => {
    const got = await unpacked(data, { size: size + 1 });
    expect(got).toMatchObject({ fault: 'damaged', message: expect.stringContaining('shorter') });
  });

  it.each([1, 5000, 600_000])('D2 %i bytes hide behind its end', async (more) => {
    const got = await unpacked(Buffer.concat([data, randomBytes(more)]), { size });
    expect(got).toMatchObject({ fault: 'damaged' });
  });

  it('D2 its end is missing', async () => {
    const got = await unpacked(data.subarray(0, data.length - 5), { size });
    expect(got).toMatchObject({ fault: 'zlib', message: expect.stringContaining('unexpected end of file') });
    const open = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    expect((await unpacked(open, { size })).fault).not.toBeNull();
  });

  it('D2 no deflated bytes at all', async () => {
    const got = await unpacked(Buffer.alloc(data.length, 0xff), { size });
    expect(got).toMatchObject({ fault: 'zlib', message: expect.stringContaining('invalid') });
  });

  it('D2 stored, it says another size', async () => {
    expect(await unpacked(bytes, { size: size - 1, deflated: false })).toMatchObject({ fault: 'bomb', bytes: 0 });
    expect(await unpacked(bytes, { size: size + 1, deflated: false })).toMatchObject({ fault: 'damaged', bytes: 0 });
  });

  it('a disk that fails while it is read, and whoever takes it failing', async () => {
    const failing = new Unpacker((_buffer, position) => {
      if (position > 100_000 || size < 100_000) throw new Error('EIO: the disk');
      return _buffer;
    });
    const entry = { name: 'x', deflated: false, at: 0, packedSize: size, size };
    await expect(failing.unpack(entry, () => {})).rejects.toThrow('EIO: the disk');
    const deflated = new Unpacker(() => {
      throw new Error('EIO: the disk');
    });
    await expect(deflated.unpack({ ...entry, deflated: true }, () => {})).rejects.toThrow('EIO: the disk');
    const good = new Unpacker((buffer, position) => {
      data.copy(buffer, 0, position, position + buffer.length);
      return buffer;
    });
    const full = async (): Promise<void> => {
      throw new Error('ENOSPC: full');
    };
    await expect(good.unpack({ ...entry, deflated: true, packedSize: data.length }, full)).rejects.toThrow('ENOSPC');
  });
});
