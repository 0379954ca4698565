/** A stream cut into parts of one size. Must not know where they go. */
import type { Readable } from 'node:stream';
import { letGo } from '../let-go.ts';

export interface Part {
  bytes: Buffer;
  isLast: boolean;
}

/** Most objects are words, of a few bytes. */
const smallBytes = 64 * 1024;

/**
 * Parts of exactly so many bytes, the last one of as many or less; an empty stream is one empty part. The next part is gathered
 * while the consumer is busy with one: two are in memory. A part's bytes are good until the next one is asked for.
 * @throws what the stream fails with
 */
export async function* partsOf(source: Readable, partBytes: number): AsyncGenerator<Part, void, void> {
  const parts = gathered(source, partBytes);
  let next = parts.next();
  for (;;) {
    const now = await next;
    if (now.done === true) return;
    next = parts.next();
    // It may fail while nobody waits for it yet.
    next.catch(() => {});
    yield now.value;
  }
}

async function* gathered(source: Readable, partBytes: number): AsyncGenerator<Part, void, void> {
  // Two in turn: fresh ones for each part would pile up faster than they are collected.
  const large: Buffer[] = [];
  let count = 0;
  let held: Buffer = Buffer.allocUnsafeSlow(Math.min(smallBytes, partBytes));
  let size = 0;
  for await (const chunk of source) {
    let rest = chunk as Buffer;
    while (rest.length > 0) {
      // A full one waits for the next byte: it may be the last.
      if (size === partBytes) {
        yield { bytes: held, isLast: false };
        count += 1;
        size = 0;
      }
      if (held.length < partBytes ? size + rest.length > held.length : size === 0) {
        const larger = large[count % 2] ?? Buffer.allocUnsafeSlow(partBytes);
        large[count % 2] = larger;
        held.copy(larger, 0, 0, size);
        held = larger;
      }
      const fits = rest.copy(held, size, 0, partBytes - size);
      size += fits;
      rest = rest.subarray(fits);
    }
    letGo(chunk as Buffer);
  }
  yield { bytes: held.subarray(0, size), isLast: true };
}
