/** A PBX's kinds of files in the sizes they have: recordings that nothing compresses, logs and dumps that are mostly text, many small ones. */
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const mib = 1024 * 1024;

/** A megabyte of lines as a call log has them: times, numbers, durations. */
function textBlock(): Buffer {
  let text = '';
  while (text.length < mib) {
    const at = new Date(Date.UTC(2026, 0, 1) + randomInt(31_536_000) * 1000).toISOString();
    text += `${at};${randomInt(100, 999)};+34${randomInt(600_000_000, 699_999_999)};answered;${randomInt(3600)};trunk-${randomInt(4)}\n`;
  }
  return Buffer.from(text.slice(0, mib));
}

function large(file: string, bytes: number, block: () => Buffer): void {
  const descriptor = openSync(file, 'w');
  try {
    for (let at = 0; at + 1 <= bytes; at += mib)
      writeSync(descriptor, block(), 0, Math.min(mib, Math.floor(bytes - at)));
  } finally {
    closeSync(descriptor);
  }
}

/** Fills a folder: half recordings of 2 MiB, four tenths text in files of 64 MiB, one tenth files of 4 to 64 KiB. */
export function mixedFiles(folder: string, bytes: number): { files: number } {
  const texts = Array.from({ length: 8 }, textBlock);
  let files = 0;
  const next = (kind: string): string => {
    const below = join(folder, kind, String(Math.floor(files / 256)));
    mkdirSync(below, { recursive: true });
    files += 1;
    return join(below, `${kind}-${files}`);
  };
  for (let left = bytes * 0.5; left > 0; left -= 2 * mib) large(next('recording'), 2 * mib, () => randomBytes(mib));
  for (let left = bytes * 0.4; left > 0; left -= 64 * mib)
    large(next('dump'), Math.min(64 * mib, left), () => texts[randomInt(texts.length)] ?? textBlock());
  for (let left = bytes * 0.1; left > 0; ) {
    const size = randomInt(4096, 65_536);
    writeFileSync(next('setting'), texts[randomInt(texts.length)]?.subarray(0, size) ?? '');
    left -= size;
  }
  return { files };
}
