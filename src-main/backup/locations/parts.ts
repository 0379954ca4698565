/** A stream cut into parts of one size. Must not know where they go. */
import type { Readable } from 'node:stream';

export interface Part {
  bytes: Buffer;
  isLast: boolean;
}

/**
 * Parts of exactly so many bytes, the last one of as many or less; an empty stream is one empty part. The next part is gathered
 * while the consumer is busy with one: two are in memory.
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
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    let rest = chunk as Buffer;
    // A full one waits for the next byte: it may be the last.
    while (size + rest.length > partBytes) {
      const fits = rest.subarray(0, partBytes - size);
      yield { bytes: Buffer.concat([...held, fits]), isLast: false };
      rest = rest.subarray(fits.length);
      held = [];
      size = 0;
    }
    held.push(rest);
    size += rest.length;
  }
  yield { bytes: Buffer.concat(held), isLast: true };
}
