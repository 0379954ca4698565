/**
 * What the lab's PBX answers to SIP: OPTIONS as RFC 3261 §11.2 wants it, and a truthful refusal of all the rest.
 * Text in, text out; knows nothing of sockets.
 */
import { createHash } from 'node:crypto';

/** Where a request came from and where it arrived. */
export interface SipArrival {
  transport: 'udp' | 'tcp';
  from: { address: string; port: number };
  own: { address: string; port: number; fqdn: string };
}

export interface SipAnswer {
  text: string;
  /** where a UDP answer goes (RFC 3261 §18.2.2, RFC 3581 §4) */
  to: { address: string; port: number };
  status: number;
}

interface Request {
  method: string;
  uri: string;
  version: string;
  headers: { name: string; value: string }[];
}

/** Numbers that exist in the lab: `OPTIONS sip:100@…` is found, any other user is 404. */
const extensions = new Set(['100', '101', '102']);
const methods = 'OPTIONS, ACK, CANCEL';
const reasons: Record<number, string> = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  420: 'Bad Extension',
  481: 'Call/Transaction Does Not Exist',
  505: 'Version Not Supported',
};
/** RFC 3261 §7.3.3 */
const compact: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  k: 'supported',
};

/** Answers one complete message; null when nothing may be sent (an ACK, a response, no usable Via, not SIP at all). */
export function answerSip(message: string, arrival: SipArrival): SipAnswer | null {
  const request = parse(message);
  if (request === null || request.method === 'ACK') return null;
  const vias = all(request, 'via').flatMap(splitList);
  const top = vias[0];
  if (top === undefined) return null;
  const marked = markVia(top, arrival);
  if (marked === null) return null;

  const verdict = judge(request, arrival);
  const lines = [
    `SIP/2.0 ${verdict.status} ${reasons[verdict.status]}`,
    ...[marked.via, ...vias.slice(1)].map((via) => `Via: ${via}`),
    ...copy(request, 'From'),
    ...copy(request, 'To').map((to) => (/;\s*tag=/i.test(to) ? to : `${to};tag=${tagOf(request)}`)),
    ...copy(request, 'Call-ID'),
    ...copy(request, 'CSeq'),
    ...verdict.headers,
    'Server: Estepe-Lab-PBX',
    'Content-Length: 0',
  ];
  return { text: `${lines.join('\r\n')}\r\n\r\n`, to: marked.to, status: verdict.status };
}

/**
 * Takes the complete messages off the front of a TCP stream (RFC 3261 §18.3): headers, blank line, Content-Length bytes.
 * @returns `keepAlives`: how many double CRLF were seen (RFC 5626 §3.5.1); `broken`: the stream can't be followed any more
 */
export function takeMessages(buffer: Buffer): {
  messages: string[];
  keepAlives: number;
  rest: Buffer;
  broken: boolean;
} {
  const taken = { messages: [] as string[], keepAlives: 0, rest: buffer, broken: false };
  for (;;) {
    if (taken.rest.subarray(0, 4).toString('latin1') === '\r\n\r\n') {
      taken.keepAlives++;
      taken.rest = taken.rest.subarray(4);
      continue;
    }
    const end = taken.rest.indexOf('\r\n\r\n');
    if (end < 0) {
      taken.broken = taken.rest.length > 65_536;
      return taken;
    }
    const head = taken.rest.subarray(0, end + 4).toString('utf8');
    const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)[ \t]*\r?$/im.exec(head)?.[1] ?? 0);
    if (length > 65_536) return { ...taken, broken: true };
    if (taken.rest.length < end + 4 + length) return taken;
    taken.messages.push(taken.rest.subarray(0, end + 4 + length).toString('utf8'));
    taken.rest = taken.rest.subarray(end + 4 + length);
  }
}

function parse(message: string): Request | null {
  const head = message.replace(/^(\r\n)+/, '').split(/\r?\n\r?\n/, 1)[0] ?? '';
  // A line that begins with a blank continues the one before (§7.3.1).
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const start = /^([A-Z]+) (\S+) (SIP\/\d+\.\d+)$/.exec(lines[0] ?? '');
  if (start === null) return null;
  const headers = lines.slice(1).flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) return [];
    const name = line.slice(0, colon).trim().toLowerCase();
    return [{ name: compact[name] ?? name, value: line.slice(colon + 1).trim() }];
  });
  return { method: start[1] ?? '', uri: start[2] ?? '', version: start[3] ?? '', headers };
}

function judge(request: Request, arrival: SipArrival): { status: number; headers: string[] } {
  const own = arrival.own;
  if (request.version !== 'SIP/2.0') return { status: 505, headers: [] };
  const missing = ['from', 'to', 'call-id', 'cseq'].some((name) => all(request, name).length !== 1);
  const cseq = /^\d+\s+(\S+)$/.exec(all(request, 'cseq')[0] ?? '');
  if (missing || cseq?.[1] !== request.method) return { status: 400, headers: [] };
  if (request.method === 'CANCEL') return { status: 481, headers: [] };
  if (request.method !== 'OPTIONS') return { status: 405, headers: [`Allow: ${methods}`] };
  const required = all(request, 'require');
  if (required.length > 0) return { status: 420, headers: [`Unsupported: ${required.join(', ')}`] };
  const uri = /^sips?:(?:([^@;?]*)@)?(\[[^\]]+\]|[^:;?@]+)/i.exec(request.uri);
  const host = (uri?.[2] ?? '').replace(/^\[|\]$/g, '').toLowerCase();
  const here = [own.fqdn.toLowerCase(), own.address.toLowerCase(), 'localhost'].includes(host);
  const user = uri?.[1]?.split(':')[0];
  if (uri === null || !here || (user !== undefined && !extensions.has(user))) return { status: 404, headers: [] };
  const transport = arrival.transport === 'tcp' ? ';transport=tcp' : '';
  return {
    status: 200,
    headers: [
      `Contact: <sip:${bracketed(own.address)}:${own.port}${transport}>`,
      `Allow: ${methods}`,
      'Accept: application/sdp',
      'Supported: ',
    ],
  };
}

/** Fills in `received` and `rport` (RFC 3261 §18.2.1, RFC 3581 §4) and says where the answer goes. */
function markVia(via: string, arrival: SipArrival): { via: string; to: { address: string; port: number } } | null {
  const parts = /^(SIP\s*\/\s*2\.0\s*\/\s*\w+)\s+(\[[^\]]+\]|[^\s:;]+)(?:\s*:\s*(\d+))?\s*((?:;.*)?)$/i.exec(via);
  if (parts === null) return null;
  const [, protocol, sentBy = '', sentPort, params = ''] = parts;
  const wantsRport = /;\s*rport\s*(?==|;|$)/i.test(params);
  const host = sentBy.replace(/^\[|\]$/g, '');
  const kept = params.replace(/;\s*(rport|received)\s*(=[^;]*)?(?=;|$)/gi, '');
  const marks = [
    ...(wantsRport || host !== arrival.from.address ? [`;received=${arrival.from.address}`] : []),
    ...(wantsRport ? [`;rport=${arrival.from.port}`] : []),
  ].join('');
  const sentTo = `${sentBy}${sentPort === undefined ? '' : `:${sentPort}`}`;
  return {
    via: `${protocol} ${sentTo}${kept}${marks}`,
    to: { address: arrival.from.address, port: wantsRport ? arrival.from.port : Number(sentPort ?? 5060) },
  };
}

/** The same request gets the same tag, as a retransmission must. */
function tagOf(request: Request): string {
  const key = [...all(request, 'call-id'), ...all(request, 'from'), ...all(request, 'cseq')].join('|');
  return createHash('sha256').update(key).digest('hex').slice(0, 12);
}

function all(request: Request, name: string): string[] {
  return request.headers.filter((header) => header.name === name).map((header) => header.value);
}

function copy(request: Request, name: string): string[] {
  return all(request, name.toLowerCase()).map((value) => `${name}: ${value}`);
}

function splitList(value: string): string[] {
  return value.split(',').map((part) => part.trim());
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
