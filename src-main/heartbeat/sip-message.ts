/**
 * Reads SIP messages (RFC 3261 §7, §18.3, §25.1) strictly and within bounds. Knows no socket and no transaction: bytes in,
 * messages out, never an exception.
 */

/** No honest answer to OPTIONS comes near this; more is not read. */
export const maxMessageBytes = 65_535;
const maxHeaders = 256;

export interface SipReply {
  kind: 'reply';
  status: number;
  reason: string;
  /** in order; names in lower case and in their long form */
  headers: readonly (readonly [name: string, value: string])[];
}

export interface SipRequest {
  kind: 'request';
  method: string;
  headers: readonly (readonly [name: string, value: string])[];
}

export type SipMessage = SipReply | SipRequest;

export type SipParse =
  | { state: 'message'; message: SipMessage; used: number }
  | { state: 'incomplete' }
  | { state: 'invalid'; why: string };

/** RFC 3261 §7.3.3 and the registry's other one-letter names that may meet us. */
const compactForms: Readonly<Record<string, string>> = {
  v: 'via',
  i: 'call-id',
  f: 'from',
  t: 'to',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  e: 'content-encoding',
  k: 'supported',
  s: 'subject',
};

const headerLine = /^([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*(.*)$/s;
const statusLine = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/is;
const requestLine = /^([A-Z0-9.!%*_+`'~-]{1,40}) (\S{1,1024}) SIP\/2\.0$/i;
/** What a start line without its end looks like: it may still become one. */
const startBegin = /^[A-Z0-9.!%*_+`'~/-]{0,40}(?: \S{0,1024}(?: .*)?)?$/i;
/** Every message carries these (RFC 3261 §8.1.1, §8.2.6.2). */
const mandatory = ['via', 'from', 'to', 'call-id', 'cseq'];

const invalid = (why: string): SipParse => ({ state: 'invalid', why });

/** The first header of that name (long form, lower case). */
export function header(message: SipMessage, name: string): string | undefined {
  return message.headers.find(([n]) => n === name)?.[1];
}

/** The branch of the topmost Via, or undefined. */
export function topBranch(message: SipMessage): string | undefined {
  // a comma joins several Via in one header; a quoted string may hold one too. One that never ends reaches to the end:
  // searched for again from each of its quotes, 64 KiB took 1.6 s
  const via = header(message, 'via')?.replace(/"(?:[^"\\]|\\.?)*(?:"|$)/gs, '""');
  const first = via?.split(',', 1)[0];
  return /;[ \t]*branch[ \t]*=[ \t]*([^;,\s]+)/i.exec(first ?? '')?.[1];
}

/** Number and method of the CSeq header, or undefined when it is none. */
export function cseq(message: SipMessage): { number: number; method: string } | undefined {
  const match = /^(\d{1,10})[ \t]+(\S+)$/.exec(header(message, 'cseq') ?? '');
  return match === null ? undefined : { number: Number(match[1]), method: match[2] ?? '' };
}

/**
 * Reads one message from the beginning of `bytes`.
 * @param framing `datagram`: the bytes are the whole message and Content-Length may be missing (RFC 3261 §18.3);
 *   `stream`: more may follow, the body is as long as Content-Length says (missing: taken as none)
 */
export function parseSip(bytes: Buffer, framing: 'datagram' | 'stream'): SipParse {
  if (bytes.length > maxMessageBytes && framing === 'datagram') return invalid('longer than 64 KiB');
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) {
    const begin = checkBegin(bytes);
    if (begin !== null) return invalid(begin);
    if (framing === 'datagram') return invalid('no empty line after the headers');
    return bytes.length > maxMessageBytes ? invalid('headers over 64 KiB') : { state: 'incomplete' };
  }
  const head = parseHead(bytes.toString('utf8', 0, headEnd));
  if (typeof head === 'string') return invalid(head);

  const length = contentLength(head);
  if (typeof length === 'string') return invalid(length);
  const bodyStart = headEnd + 4;
  const there = bytes.length - bodyStart;
  if (framing === 'datagram') {
    if (length !== null && length > there) return invalid(`body cut short: ${there} of ${length} bytes`);
    return { state: 'message', message: head, used: bytes.length };
  }
  const need = length ?? 0;
  if (bodyStart + need > maxMessageBytes) return invalid(`announces a body of ${need} bytes`);
  return there < need ? { state: 'incomplete' } : { state: 'message', message: head, used: bodyStart + need };
}

/** Why these first bytes can never become a SIP message, or null: lets a foreign banner show at once. */
function checkBegin(bytes: Buffer): string | null {
  const lineEnd = bytes.indexOf('\r\n');
  const line = bytes.toString('latin1', 0, Math.min(lineEnd < 0 ? bytes.length : lineEnd, 2048));
  if (lineEnd >= 0) return statusLine.test(line) || requestLine.test(line) ? null : 'no SIP start line';
  const begin = line.replace(/\r$/, '');
  return begin.length < 2048 && startBegin.test(begin) && !/[\r\n\0]/.test(begin) ? null : 'no SIP start line';
}

/** The start line and the headers, or why they are none. */
function parseHead(text: string): SipMessage | string {
  const lines = text.split('\r\n');
  if (lines.some((line) => /[\r\n\0]/.test(line))) return 'control characters in the headers';
  const start = lines.shift() ?? '';
  const status = statusLine.exec(start);
  const request = requestLine.exec(start);
  if (status === null && request === null) return 'no SIP start line';
  const headers = parseHeaders(lines);
  if (typeof headers === 'string') return headers;
  for (const name of mandatory) {
    if (!headers.some(([n]) => n === name)) return `no ${name} header`;
  }
  if (status !== null) return { kind: 'reply', status: Number(status[1]), reason: (status[2] ?? '').trim(), headers };
  return { kind: 'request', method: request?.[1] ?? '', headers };
}

/** Header lines unfolded, names in their long form; or why they are none. */
function parseHeaders(lines: readonly string[]): (readonly [string, string])[] | string {
  const headers: (readonly [string, string])[] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      // a folded line goes on with the value before it (RFC 3261 §7.3.1)
      if (last === undefined) return 'a folded line before the first header';
      headers[headers.length - 1] = [last[0], `${last[1]} ${line.trim()}`];
      continue;
    }
    const match = headerLine.exec(line);
    if (match === null) return 'a line that is no header';
    if (headers.length >= maxHeaders) return `more than ${maxHeaders} headers`;
    const name = (match[1] ?? '').toLowerCase();
    const long = Object.hasOwn(compactForms, name) ? compactForms[name] : undefined;
    headers.push([long ?? name, (match[2] ?? '').trim()]);
  }
  return headers;
}

/** Bytes of the body, null when not said, or why it is wrong (two that differ, no number). */
function contentLength(message: SipMessage): number | null | string {
  const said = new Set(message.headers.filter(([n]) => n === 'content-length').map(([, value]) => value));
  if (said.size === 0) return null;
  const [value = ''] = said;
  return said.size === 1 && /^\d{1,9}$/.test(value) ? Number(value) : 'Content-Length is no number';
}

/** Takes messages off a byte stream (TCP, TLS), however it is cut into pieces. Holds at most one message. */
export class SipStream {
  #held: Buffer = Buffer.alloc(0);
  #broken = false;

  /** What these bytes complete: messages in order, and at most one `invalid`, after which nothing more is read. */
  push(chunk: Buffer): (SipMessage | { kind: 'invalid'; why: string })[] {
    if (this.#broken) return [];
    this.#held = Buffer.concat([this.#held, chunk]);
    const out: (SipMessage | { kind: 'invalid'; why: string })[] = [];
    for (;;) {
      // empty lines between messages are keep-alives (RFC 3261 §7.5, RFC 5626 §3.5.1)
      let at = 0;
      while (this.#held[at] === 13 && this.#held[at + 1] === 10) at += 2;
      if (at > 0) this.#held = this.#held.subarray(at);
      if (this.#held.length === 0) return out;
      const parsed = parseSip(this.#held, 'stream');
      if (parsed.state === 'incomplete') return out;
      if (parsed.state === 'invalid') {
        this.#broken = true;
        this.#held = Buffer.alloc(0);
        out.push({ kind: 'invalid', why: parsed.why });
        return out;
      }
      out.push(parsed.message);
      this.#held = this.#held.subarray(parsed.used);
    }
  }
}
