/** H3: archives with anything in them. Each ends in an error of ours or, where the change meant nothing, in the very same files. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArchiveError, archiveFaults } from '../../../src-main/backup/archive/faults.ts';
import type { FileItem } from '../../../src-main/backup/archive/manifest.ts';
import { readArchive, type Sink } from '../../../src-main/backup/archive/read-archive.ts';
import { Bench, expected } from './workbench.ts';

let bench: Bench;
let good: Buffer;
const contents = new Map<string, string>();
beforeAll(async () => {
  bench = new Bench();
  mkdirSync(bench.at('pbx'));
  for (const [name, text] of [
    ['sip.conf', 'port=5060\n'.repeat(30)],
    ['empty', ''],
    ['key.zip', 'stored as it is'],
  ] as const) {
    writeFileSync(bench.at('pbx', name), text);
    contents.set(`0-pbx/${name}`, text);
  }
  good = readFileSync((await bench.archive('good.zip', [bench.at('pbx')])).file);
});
afterAll(() => bench[Symbol.dispose]());

/** Reads in this very thread, where an uncaught error would end the test run. */
async function outcome(bytes: Buffer): Promise<'refused' | ReadonlyMap<string, string>> {
  const file = bench.at('fuzzed.zip');
  writeFileSync(file, bytes);
  const got = new Map<string, string>();
  const sink: Sink = {
    begin: async () => {},
    folder: async () => {},
    link: async () => {},
    file: async ({ path }: FileItem) => {
      let text = '';
      return {
        take: async (block) => {
          text += block.toString('utf8');
        },
        end: async () => void got.set(path, text),
        drop: async () => {},
      };
    },
  };
  try {
    await readArchive(file, expected, sink, () => {});
    return got;
  } catch (error) {
    expect(error).toBeInstanceOf(ArchiveError);
    expect(archiveFaults).toContain((error as ArchiveError).fault);
    return 'refused';
  } finally {
    rmSync(file);
  }
}

/** Changes of one archive: bytes overwritten, cut out, doubled, put in; 32-bit fields set to what overflows. */
const mutations = fc.array(
  fc.record({
    how: fc.constantFrom<Mutation['how']>('overwrite', 'cut', 'double', 'insert', 'huge'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
  }),
  { minLength: 1, maxLength: 4 },
);
interface Mutation {
  how: 'overwrite' | 'cut' | 'double' | 'insert' | 'huge';
  at: number;
  bytes: Uint8Array;
}

function mutate(bytes: Buffer, { how, at, bytes: other }: Mutation): Buffer {
  const place = Math.floor(at * Math.max(0, bytes.length - 1));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (how) {
    case 'overwrite':
      return Buffer.concat([before, other, after.subarray(other.length)]);
    case 'cut':
      return Buffer.concat([before, after.subarray(other.length)]);
    case 'double':
      return Buffer.concat([before, after.subarray(0, 40), after]);
    case 'insert':
      return Buffer.concat([before, other, after]);
    default:
      return Buffer.concat([before, Buffer.from([255, 255, 255, 255]), after.subarray(4)]);
  }
}

describe('H3 fuzzed zip files', () => {
  it('H3 random changes: an error or the same files, never a crash, never a hang', async () => {
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutations, async (list) => {
        const got = await outcome(list.reduce<Buffer>((bytes, one) => mutate(bytes, one), good));
        if (got === 'refused') refused += 1;
        else expect(got).toEqual(contents);
      }),
      { numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(300);
  }, 120_000);

  it('H3 each single byte flipped', async () => {
    for (let at = 0; at < good.length; at += 3) {
      const bytes = Buffer.from(good);
      bytes[at] = (bytes[at] ?? 0) ^ 0x81;
      const got = await outcome(bytes);
      if (got !== 'refused') expect([at, got]).toEqual([at, contents]);
    }
  }, 120_000);

  it('H3 bytes that are no zip at all, with its end behind them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.boolean(), async (bytes, withEnd) => {
        expect(await outcome(Buffer.concat(withEnd ? [bytes, good.subarray(-80)] : [bytes]))).toBe('refused');
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
