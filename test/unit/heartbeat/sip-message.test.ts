import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cseq,
  header,
  maxMessageBytes,
  parseSip,
  type SipMessage,
  SipStream,
  topBranch,
} from '../../../src-main/heartbeat/sip-message.ts';

const head = [
  'Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKabc;rport',
  'From: <sip:estepe@192.0.2.2>;tag=1',
  'To: <sip:192.0.2.1>;tag=2',
  'Call-ID: abc@192.0.2.2',
  'CSeq: 1 OPTIONS',
];
const message = (start: string, lines: readonly string[] = head, body = ''): Buffer =>
  Buffer.from(`${[start, ...lines].join('\r\n')}\r\n\r\n${body}`);
const ok = message('SIP/2.0 200 OK');

/** `200 OK`, `INVITE`, `incomplete` or why it is none. */
function read(bytes: Buffer, framing: 'datagram' | 'stream' = 'datagram'): string {
  const parsed = parseSip(bytes, framing);
  if (parsed.state === 'incomplete') return 'incomplete';
  if (parsed.state === 'invalid') return `invalid: ${parsed.why}`;
  return parsed.message.kind === 'reply' ? `${parsed.message.status} ${parsed.message.reason}` : parsed.message.method;
}

function understood(bytes: Buffer): SipMessage {
  const parsed = parseSip(bytes, 'datagram');
  if (parsed.state !== 'message') throw new Error(`not understood: ${JSON.stringify(parsed)}`);
  return parsed.message;
}

describe('a SIP message in one datagram', () => {
  it.each<[string, Buffer, string]>([
    ['a reply', ok, '200 OK'],
    ['a reply without a reason', message('SIP/2.0 404'), '404 '],
    ['a reply in lower case', message('sip/2.0 503 busy'), '503 busy'],
    ['a reason in another script', message('SIP/2.0 486 занято'), '486 занято'],
    ['a request', message('OPTIONS sip:192.0.2.2 SIP/2.0'), 'OPTIONS'],
    ['a body without Content-Length', message('SIP/2.0 200 OK', head, 'v=0'), '200 OK'],
    ['a body longer than it says', message('SIP/2.0 200 OK', [...head, 'Content-Length: 1'], 'v=0'), '200 OK'],
    [
      'a body cut short',
      message('SIP/2.0 200 OK', [...head, 'Content-Length: 9'], 'v=0'),
      'invalid: body cut short: 3 of 9 bytes',
    ],
    ['no empty line', Buffer.from(ok.subarray(0, -2)), 'invalid: no empty line after the headers'],
    ['nothing', Buffer.alloc(0), 'invalid: no empty line after the headers'],
    ['HTTP', Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), 'invalid: no SIP start line'],
    ['another version', message('SIP/3.0 200 OK'), 'invalid: no SIP start line'],
    ['a status of four digits', message('SIP/2.0 2000 OK'), 'invalid: no SIP start line'],
    ['a status of the 700s', message('SIP/2.0 700 OK'), 'invalid: no SIP start line'],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]), 'invalid: no SIP start line'],
    ['zeros', Buffer.alloc(4_000), 'invalid: no SIP start line'],
    ['a line that is no header', message('SIP/2.0 200 OK', [...head, 'nonsense']), 'invalid: a line that is no header'],
    ['a header without a name', message('SIP/2.0 200 OK', [...head, ': x']), 'invalid: a line that is no header'],
    ['a NUL', message('SIP/2.0 200 OK', [...head, 'X: a\0b']), 'invalid: control characters in the headers'],
    ['a bare line feed', message('SIP/2.0 200 OK', [...head, 'X: a\nb']), 'invalid: control characters in the headers'],
    [
      'a folded first line',
      message('SIP/2.0 200 OK', [' x', ...head]),
      'invalid: a folded line before the first header',
    ],
    ['257 headers', message('SIP/2.0 200 OK', [...head, ...Array(252).fill('X: 1')]), 'invalid: more than 256 headers'],
    [
      'two lengths that differ',
      message('SIP/2.0 200 OK', [...head, 'l: 0', 'Content-Length: 1']),
      'invalid: Content-Length is no number',
    ],
    [
      'a length that is no number',
      message('SIP/2.0 200 OK', [...head, 'l: -1']),
      'invalid: Content-Length is no number',
    ],
    ['more than UDP can carry', Buffer.concat([ok, Buffer.alloc(maxMessageBytes)]), 'invalid: longer than 64 KiB'],
  ])('%s', (_, bytes, result) => {
    expect(read(bytes)).toBe(result);
  });

  it.each(head.map((line) => line.slice(0, line.indexOf(':'))))('without %s is none', (name) => {
    const lines = head.filter((line) => !line.startsWith(`${name}:`));
    expect(read(message('SIP/2.0 200 OK', lines))).toBe(`invalid: no ${name.toLowerCase()} header`);
  });

  it('compact names, folded lines and blanks are read like the long form (RFC 3261 §7.3)', () => {
    const lines = [
      'v :  SIP/2.0/UDP h',
      ' ;branch=z9hG4bK1',
      'f: a',
      't: b',
      'i: c',
      'cSeQ: 7 OPTIONS',
      'constructor: x',
    ];
    const reply = understood(message('SIP/2.0 200 OK', lines));
    expect(reply.headers.map(([name]) => name)).toEqual(['via', 'from', 'to', 'call-id', 'cseq', 'constructor']);
    expect([topBranch(reply), header(reply, 'call-id'), cseq(reply)]).toEqual([
      'z9hG4bK1',
      'c',
      { number: 7, method: 'OPTIONS' },
    ]);
  });

  it.each([
    ['SIP/2.0/UDP h;branch=z9hG4bKx', 'z9hG4bKx'],
    ['SIP/2.0/UDP h;rport;BRANCH = z9hG4bKx ;received=1.2.3.4', 'z9hG4bKx'],
    ['SIP/2.0/UDP h;branch=first, SIP/2.0/UDP i;branch=second', 'first'],
    ['SIP/2.0/UDP h, SIP/2.0/UDP i;branch=second', undefined],
    ['SIP/2.0/UDP h;x="a, b;branch=no";branch=yes', 'yes'],
    ['SIP/2.0/UDP h;x="a \\" ;branch=no";branch=yes', 'yes'],
    ['SIP/2.0/UDP h;x="never ends;branch=no', undefined],
    ['SIP/2.0/UDP h;branch=', undefined],
  ])('the branch of `%s` is %s', (via, branch) => {
    expect(topBranch(understood(message('SIP/2.0 200 OK', [`Via: ${via}`, ...head.slice(1)])))).toBe(branch);
  });

  it.each(['OPTIONS', '1', '12345678901 OPTIONS', '-1 OPTIONS', ''])('a CSeq of `%s` is none', (value) => {
    expect(cseq(understood(message('SIP/2.0 200 OK', [...head.slice(0, 4), `CSeq: ${value}`])))).toBeUndefined();
  });
});

/** What a stream gives when these pieces come one after the other. */
function streamed(pieces: readonly Buffer[]): string[] {
  const stream = new SipStream();
  return pieces.flatMap((piece) =>
    stream
      .push(piece)
      .map((m) => (m.kind === 'invalid' ? `invalid: ${m.why}` : m.kind === 'reply' ? `${m.status}` : m.method)),
  );
}

/** The bytes cut at these places. */
function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set([0, ...at.map((n) => n % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, n) => bytes.subarray(places[n], end));
}

describe('SIP on a stream', () => {
  const withBody = message('SIP/2.0 200 OK', [...head, 'Content-Length: 5'], 'v=0\r\n');

  it('a message that is not there yet is waited for, a banner that can never be one shows at once', () => {
    expect(read(ok.subarray(0, 40), 'stream')).toBe('incomplete');
    expect(read(withBody.subarray(0, -1), 'stream')).toBe('incomplete');
    expect(read(Buffer.from('220 mail.example.com ESMTP\r\n'), 'stream')).toBe('invalid: no SIP start line');
    expect(read(Buffer.from('\x16\x03\x01'), 'stream')).toBe('invalid: no SIP start line');
    expect(read(Buffer.alloc(3_000, 'a'), 'stream')).toBe('invalid: no SIP start line');
  });

  it('what is never going to end is given up at 64 KiB', () => {
    const endless = Buffer.from(`SIP/2.0 200 OK\r\n${'X: 1\r\n'.repeat(11_000)}`);
    expect(read(endless, 'stream')).toBe('invalid: headers over 64 KiB');
    const greedy = message('SIP/2.0 200 OK', [...head, 'l: 999999999']);
    expect(read(greedy, 'stream')).toBe('invalid: announces a body of 999999999 bytes');
  });

  it('after what is no SIP nothing more is read', () => {
    expect(streamed([ok, Buffer.from('garbage\r\n'), ok])).toEqual(['200', 'invalid: no SIP start line']);
  });

  it('messages are the same however the stream is cut, keep-alives between them included', () => {
    const bytes = Buffer.concat([
      Buffer.from('\r\n\r\n'),
      ok,
      withBody,
      Buffer.from('\r\n'),
      message('BYE sip:a SIP/2.0'),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (at) => {
        expect(streamed(cut(bytes, at))).toEqual(['200', '200', 'BYE']);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe('H3 fuzzed SIP', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2_000 }).map((a) => Buffer.from(a)),
    fc
      .string({
        unit: fc.constantFrom('\r', '\n', ' ', ':', ';', ',', '"', '\\', '=', 'S', 'I', 'P', '/', '2', '.', '0'),
        maxLength: 400,
      })
      .map(Buffer.from),
    // A sound reply, changed in a few places: it gets further in.
    fc
      .array(fc.tuple(fc.nat(ok.length - 1), fc.nat(255), fc.nat(3)), { maxLength: 6 })
      .map((changes) =>
        changes.reduce(
          (all, [at, byte, more]) =>
            Buffer.concat([all.subarray(0, at), Buffer.alloc(more, byte), all.subarray(at + 1)]),
          ok,
        ),
      ),
  );

  it('is a message, not yet one, or none in words; never an exception', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('datagram' as const, 'stream' as const), (some, framing) => {
        const parsed = parseSip(some, framing);
        if (parsed.state === 'invalid') expect(parsed.why).not.toBe('');
        if (parsed.state === 'incomplete') expect(framing).toBe('stream');
        if (parsed.state !== 'message') return;
        expect(parsed.used).toBeLessThanOrEqual(some.length);
        expect(typeof (topBranch(parsed.message) ?? '')).toBe('string');
        expect(cseq(parsed.message)?.number ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { seed: 5, numRuns: 3_000 },
    );
  });

  it('a stream of it holds at most one message back, and ends at the first that is none', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 8 }), (pieces) => {
        const got = streamed(pieces);
        expect(got.findIndex((m) => m.startsWith('invalid')) === -1 || got.at(-1)?.startsWith('invalid')).toBe(true);
      }),
      { seed: 6, numRuns: 500 },
    );
  });

  // Such a value, looked for from each of its quotes anew, once held the thread for seconds: it would run into the time-out.
  it.each([
    ['quotes within an open quote', `"${'\\"'.repeat(30_000)}`],
    ['an open quote that ends in its escape', `"${'\\"'.repeat(30_000)}\\`],
    ['quotes only', '"'.repeat(60_000)],
    ['parameters without an end', ';branch'.repeat(8_000)],
    ['blanks', `;${' '.repeat(60_000)}`],
  ])(
    'a Via of %s is read in one go',
    (_, via) => {
      const reply = understood(message('SIP/2.0 200 OK', [`Via: ${via}`, ...head.slice(1)]));
      for (let n = 0; n < 100; n += 1) expect(topBranch(reply)).toBeUndefined();
    },
    5_000,
  );
});
