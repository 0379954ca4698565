/**
 * What is kept of a program's output: its beginning and its end, in constant memory, however much it says.
 * Knows bytes only; must not know processes, runs or who reads it.
 */

/** Bytes kept of the beginning and of the end (each). 128 KiB show what went wrong and still fit in a history row. */
export const keptBytes = 64 * 1024;

/** "812 bytes", "64.0 kB", "99.9 MB": decimal units, as a disk's label says it. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} byte${bytes === 1 ? '' : 's'}`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

// C0 without \t and \n, DEL, C1: a terminal or a log viewer would act on them (ESC!) or stop at them (NUL).
const controls = /(?![\t\n])\p{Cc}/gu;

/**
 * Bytes as text that is safe to show and to store: UTF-8, invalid sequences as U+FFFD, control characters as `\xNN`.
 * A CR LF pair is one line end, as every program on Windows writes it.
 */
export function printable(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replaceAll('\r\n', '\n')
    .replace(controls, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** How many bytes at the end begin a UTF-8 character that is not complete yet (0 to 3). */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

/** How many bytes at the beginning belong to a character whose first byte was cut off (0 to 3). */
function orphanedHead(bytes: Buffer): number {
  let count = 0;
  while (count < Math.min(3, bytes.length) && ((bytes[count] ?? 0) & 0xc0) === 0x80) count += 1;
  return count;
}

/**
 * Lets only whole UTF-8 characters pass. stdout and stderr come through two pipes: without this a character cut by
 * the end of one read would be torn apart by what the other pipe says in between.
 */
export class WholeCharacters {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const held = incompleteTail(bytes);
    this.#rest = Buffer.from(bytes.subarray(bytes.length - held));
    return bytes.subarray(0, bytes.length - held);
  }

  /** What never became a whole character. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/** Keeps the first and the last bytes of a stream and counts what lies between. */
export class OutputRing {
  readonly #head: Buffer;
  #headSize = 0;
  readonly #tail: Buffer;
  /** where the next byte goes */
  #tailAt = 0;
  #tailSize = 0;
  #total = 0;

  constructor(headBytes = keptBytes, tailBytes = keptBytes) {
    this.#head = Buffer.allocUnsafe(headBytes);
    this.#tail = Buffer.allocUnsafe(tailBytes);
  }

  /** Everything that ever came, in bytes. */
  get total(): number {
    return this.#total;
  }

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    const toHead = chunk.copy(this.#head, this.#headSize);
    this.#headSize += toHead;
    // More than the ring holds: only its end can survive.
    const rest = chunk.subarray(Math.max(toHead, chunk.length - this.#tail.length));
    const first = rest.copy(this.#tail, this.#tailAt);
    rest.copy(this.#tail, 0, first);
    if (this.#tail.length > 0) this.#tailAt = (this.#tailAt + rest.length) % this.#tail.length;
    this.#tailSize = Math.min(this.#tail.length, this.#tailSize + rest.length);
  }

  /**
   * Printable text: all of it, or beginning, "… 99.9 MB left out …", end. Both parts are bounded as text too, since
   * a control character takes four characters to show: a row in history must not grow with what is in it.
   */
  text(): string {
    const start = this.#tailSize < this.#tail.length ? 0 : this.#tailAt;
    const ringed = Buffer.concat([this.#tail.subarray(start, this.#tailSize), this.#tail.subarray(0, start)]);
    const kept = Buffer.concat([this.#head.subarray(0, this.#headSize), ringed]);
    if (kept.length === this.#total && fitting(kept, Infinity).shown <= this.#head.length + this.#tail.length) {
      return printable(kept);
    }
    const whole = kept.length === this.#total;
    const first = whole ? kept : kept.subarray(0, this.#headSize);
    const last = whole ? kept : ringed;
    let head = first.subarray(0, fitting(first, this.#head.length).bytes);
    head = head.subarray(0, head.length - incompleteTail(head));
    let tail = last.subarray(last.length - fitting(Buffer.from(last).reverse(), this.#tail.length).bytes);
    tail = tail.subarray(orphanedHead(tail));
    const left = sizeText(this.#total - head.length - tail.length);
    return `${printable(head)}\n… ${left} left out …\n${printable(tail)}`;
  }
}

/** How many of these bytes fit into so many characters when printable, and how many characters they then take. */
function fitting(bytes: Buffer, limit: number): { bytes: number; shown: number } {
  let shown = 0;
  let count = 0;
  for (const byte of bytes) {
    // 0xc2 leads the C1 controls; counting it as three bounds them at four.
    const width = byte === 0xc2 ? 3 : byte === 0x7f || (byte < 0x20 && byte !== 0x09 && byte !== 0x0a) ? 4 : 1;
    if (shown + width > limit) break;
    shown += width;
    count += 1;
  }
  return { bytes: count, shown };
}

/**
 * Passes output on to somebody who watches, at most once per `everyMs`, and at most 8 KiB of it each time: a program
 * that floods must not flood the console's stream.
 */
export class OutputFeed {
  readonly #call: (text: string) => void;
  readonly #everyMs: number;
  #window: OutputRing | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(call: (text: string) => void, everyMs: number) {
    this.#call = call;
    this.#everyMs = everyMs;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#window ??= new OutputRing(4096, 4096);
    this.#window.push(chunk);
    this.#timer ??= setTimeout(() => this.flush(), this.#everyMs);
  }

  /** Passes on what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const waiting = this.#window;
    this.#window = null;
    if (waiting === null) return;
    try {
      this.#call(waiting.text());
    } catch {
      // Somebody who watches may fail; what is watched goes on.
    }
  }
}
