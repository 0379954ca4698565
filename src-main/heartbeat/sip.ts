/**
 * The `sip` test: OPTIONS over UDP, TCP or TLS (RFC 3261 §11, RFC 3581 rport). Only bytes parsed off the socket count as
 * an answer; a time-out is silence, never a 408 of our own making. Knows numeric endpoints only, no name look-ups.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Outcome } from '../contract/words.ts';
import { type Attempt, attempt } from './attempt.ts';
import { type CertificateView, viewCertificate } from './certificate.ts';
import {
  blame,
  codeOf,
  type Endpoint,
  type Finding,
  glimpse,
  oneLine,
  place,
  socketFault,
  span,
  wordsOf,
} from './evidence.ts';
import { cseq, header, parseSip, type SipMessage, type SipReply, SipStream, topBranch } from './sip-message.ts';

export interface SipQuestion {
  transport: 'udp' | 'tcp' | 'tls';
  end: Endpoint;
  /** host part of the request URI: the pair's FQDN, though the request goes to the node's address */
  fqdn: string;
  /** milliseconds; 4 s by default, since RFC 3261's own Timer F (32 s) is longer than a heartbeat's interval */
  timeoutMs: number;
  /** what the whole test may take, a look-up of its name included, as evidence says it; default: `timeoutMs` */
  wholeMs?: number | undefined;
  /** local address to send from */
  source?: string | undefined;
  /** trusted authorities in PEM instead of the built-in ones; only what is said of the certificate depends on it */
  ca?: string | undefined;
}

/** RFC 3261 §17.1.2.2: T1 between the first two requests, doubled up to T2. */
const t1 = 500;
const t2 = 4000;

/** When requests are sent over UDP, milliseconds from the start: 0, 500, 1500, 3500, then every 4 s. */
export function sendTimes(timeoutMs: number): number[] {
  const times: number[] = [];
  for (let at = 0, gap = t1; at < timeoutMs; at += gap, gap = Math.min(gap * 2, t2)) times.push(at);
  return times;
}

/** Refusals that a working PBX gives to a stranger's OPTIONS, beside 2xx and 3xx. */
const refusalsOfTheLiving = new Set([401, 403, 404, 405, 407, 415, 420, 480, 483, 486, 488, 501]);

/**
 * What a final status says of the service. Outside the list of the living every answer still proves a working stack, so
 * it is never `dead`; but a PBX that answers OPTIONS with 400, 408, 5xx or 6xx deserves a look: `degraded`.
 */
export function sipOutcome(status: number): Outcome {
  return (status >= 200 && status < 400) || refusalsOfTheLiving.has(status) ? 'alive' : 'degraded';
}

interface Identity {
  branch: string;
  callId: string;
  tag: string;
  cseq: number;
}

function newIdentity(): Identity {
  return {
    // the cookie marks RFC 3261 branches (§8.1.1.7)
    branch: `z9hG4bK${randomBytes(12).toString('hex')}`,
    callId: randomBytes(12).toString('hex'),
    tag: randomBytes(6).toString('hex'),
    cseq: 1 + (randomBytes(2).readUInt16BE() % 9999),
  };
}

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host.split('%')[0]}]` : host);

/** The request as bytes. Contact because some peers refuse OPTIONS without one. */
function optionsRequest(question: SipQuestion, id: Identity, local: { address: string; port: number }): Buffer {
  const { transport, fqdn } = question;
  // a host with a space or line end in it would write headers of its own
  if (!/^[\w.:%-]{1,253}$/.test(fqdn)) throw new Error(`"${oneLine(fqdn, 60)}" cannot stand in a SIP URI`);
  const us = `${bracketed(local.address)}:${local.port}`;
  const uri = `sip:${bracketed(fqdn)}`;
  const lines = [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${us};rport;branch=${id.branch}`,
    'Max-Forwards: 70',
    `From: <sip:estepe@${us}>;tag=${id.tag}`,
    `To: <${uri}>`,
    `Call-ID: ${id.callId}`,
    `CSeq: ${id.cseq} OPTIONS`,
    `Contact: <sip:estepe@${us};transport=${transport}>`,
    'Accept: application/sdp',
    'User-Agent: Estepe',
    'Content-Length: 0',
    '',
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

/** `SIP/2.0 200 OK (kamailio)`: the status line and the first word of who says it. */
function statusWords(reply: SipReply): string {
  const said = header(reply, 'server') ?? header(reply, 'user-agent') ?? '';
  const product = oneLine(said.split(/[\s/(]/, 1)[0] ?? '', 40);
  return oneLine(`SIP/2.0 ${reply.status} ${oneLine(reply.reason, 80)}${product === '' ? '' : ` (${product})`}`);
}

/** What one exchange has heard so far. */
class Exchange {
  readonly #question: SipQuestion;
  readonly #id: Identity;
  readonly #stage: { certificate: CertificateView | null };
  sent = 0;
  connected = false;
  #provisional: string | null = null;
  #ignored = 0;
  #lastIgnored = '';
  #foreign: string | null = null;

  constructor(question: SipQuestion, id: Identity) {
    this.#question = question;
    this.#id = id;
    this.#stage = { certificate: null };
  }

  set certificate(view: CertificateView) {
    this.#stage.certificate = view;
  }

  /** The finding, when this message is the final answer to our request; else it is remembered. */
  hear(message: SipMessage): Finding | null {
    const stray = this.#strayBecause(message);
    if (stray !== null || message.kind !== 'reply') {
      this.#ignored += 1;
      this.#lastIgnored = stray ?? '';
      return null;
    }
    if (message.status < 200) {
      this.#provisional = statusWords(message);
      return null;
    }
    const outcome = sipOutcome(message.status);
    const expired = this.#stage.certificate?.faults.find(({ kind }) => kind === 'expired');
    const words = statusWords(message);
    return {
      outcome: outcome === 'alive' && expired !== undefined ? 'degraded' : outcome,
      evidence: expired === undefined ? words : `${words}; ${expired.sentence}`,
      detail: this.#detail({ status: message.status, reason: oneLine(message.reason, 80) }),
    };
  }

  /** Remembers bytes that are no SIP. */
  hearForeign(why: string, bytes: Uint8Array): void {
    this.#foreign ??= `something else answers on this port: ${why}, ${glimpse(bytes)}`;
  }

  /** What is found when no final answer came, because of `how` ("no answer within 4 s"). */
  without(how: string): Finding {
    const notes: string[] = [];
    if (this.sent > 0) notes.push(`${this.sent} ${this.sent === 1 ? 'request' : 'requests'} sent`);
    if (this.#provisional !== null) notes.push(`only ${this.#provisional} came`);
    if (this.#ignored > 0) notes.push(`${this.#ignored} not ours ignored, the last: ${this.#lastIgnored}`);
    const detail = this.#detail({ provisional: this.#provisional !== null, ignored: this.#ignored });
    if (this.#foreign !== null) return { outcome: 'foreign', evidence: this.#foreign, detail };
    const evidence = how + (notes.length > 0 ? ` (${notes.join('; ')})` : '');
    const accepted = this.#question.transport !== 'udp' && this.connected;
    const there = accepted || this.#provisional !== null || this.#ignored > 0;
    return { outcome: 'dead', evidence, detail, ...(there ? { there } : {}) };
  }

  silence(): Finding {
    const found = this.without(`${this.#missing()} within ${span(this.#question.wholeMs ?? this.#question.timeoutMs)}`);
    const nothing = found.outcome === 'dead' && this.#provisional === null && this.#ignored === 0;
    return nothing ? { ...found, silent: true } : found;
  }

  #missing(): string {
    const { transport, end } = this.#question;
    if (transport === 'udp' || this.sent > 0) return 'no answer';
    return this.connected ? 'port accepts, but no TLS handshake' : `no connection to ${place(end)}`;
  }

  #detail(more: Record<string, unknown>): Record<string, unknown> {
    const certificate = this.#stage.certificate;
    return { ...more, requests: this.sent, ...(certificate === null ? {} : { certificate }) };
  }

  /** Why this message is no answer to our request (RFC 3261 §17.1.3), or null. */
  #strayBecause(message: SipMessage): string | null {
    if (message.kind === 'request') return `a ${oneLine(message.method, 20)} request`;
    const words = statusWords(message);
    if (topBranch(message) !== this.#id.branch) return `${words}, other branch`;
    if (header(message, 'call-id') !== this.#id.callId) return `${words}, other Call-ID`;
    const theirs = cseq(message);
    if (theirs?.number !== this.#id.cseq || theirs.method !== 'OPTIONS') return `${words}, other CSeq`;
    return null;
  }
}

/** Asks once. Never rejects; ends by its time-out or by `signal`. */
export function sipOptions(question: SipQuestion, signal: AbortSignal): Promise<Finding> {
  const id = newIdentity();
  const exchange = new Exchange(question, id);
  const ask = question.transport === 'udp' ? overUdp : overStream;
  return attempt(
    question.timeoutMs,
    signal,
    () => exchange.silence(),
    (a) => ask(a, question, id, exchange),
  );
}

/**
 * A connected socket, so that the ICMP "port unreachable" of a closed port comes back as ECONNREFUSED at once
 * (unconnected, it waits the whole time-out), and so that datagrams from elsewhere never arrive.
 */
function overUdp(a: Attempt, question: SipQuestion, id: Identity, exchange: Exchange): void {
  const { end, source } = question;
  const socket = createSocket(end.family === 6 ? 'udp6' : 'udp4');
  a.onEnd(() => socket.close());
  const fault = a.safely((error: Error) => a.settle(socketFault(error, end)));
  // stays on after the end: an error of a closing socket must not become an uncaught exception
  socket.on('error', fault);
  socket.on(
    'message',
    a.safely((bytes: Buffer) => {
      // keep-alives (RFC 5626 §4.4.1, and four zero bytes of some phones) are nobody's answer
      if (/^[\r\n\0]*$/.test(bytes.toString('latin1', 0, 8)) && bytes.length <= 8) return;
      const parsed = parseSip(bytes, 'datagram');
      if (parsed.state === 'invalid') exchange.hearForeign(parsed.why, bytes);
      if (parsed.state !== 'message') return;
      const finding = exchange.hear(parsed.message);
      if (finding !== null) a.settle(finding);
    }),
  );
  const ready = a.safely(() => {
    const request = optionsRequest(question, id, socket.address());
    const send = (): void => {
      exchange.sent += 1;
      socket.send(request, (error) => {
        if (error !== null) fault(error);
      });
    };
    for (const at of sendTimes(question.timeoutMs)) {
      if (at === 0) send();
      else a.later(at, send);
    }
  });
  const connect = a.safely(() => {
    socket.once('connect', ready);
    socket.connect(end.port, end.address);
  });
  if (source === undefined) connect();
  else socket.bind({ address: source, port: 0 }, connect);
}

/** TCP and TLS: one request, no retransmits (RFC 3261 §17.1.2.2: reliable transports have none). */
function overStream(a: Attempt, question: SipQuestion, id: Identity, exchange: Exchange): void {
  const { end, source, transport, fqdn, ca } = question;
  const base = {
    host: end.address,
    port: end.port,
    family: end.family,
    ...(source === undefined ? {} : { localAddress: source }),
  };
  const socket: Socket | TLSSocket =
    transport === 'tcp'
      ? connectTcp(base)
      : connectTls({
          ...base,
          // a phone system's SIP certificate is often its own; the answer proves life all the same
          rejectUnauthorized: false,
          checkServerIdentity: () => undefined,
          ...(isIP(fqdn) === 0 ? { servername: fqdn } : {}),
          ...(ca === undefined ? {} : { ca }),
        });
  a.onEnd(() => socket.destroy());
  let secure = transport === 'tcp';
  socket.on(
    'error',
    a.safely((error: Error) => {
      if (!secure && exchange.connected && blame(error) !== 'own') {
        a.settle({ ...exchange.without(`TLS failed: ${tlsWords(error)}`), there: true });
      } else if (exchange.sent > 0 && blame(error) === 'remote') {
        a.settle(exchange.without(`${codeOf(error)} ${place(end)}`));
      } else {
        a.settle(socketFault(error, end));
      }
    }),
  );
  const ask = a.safely(() => {
    secure = true;
    if ('getPeerCertificate' in socket) exchange.certificate = viewCertificate(socket, fqdn, 0, Date.now());
    const local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    exchange.sent += 1;
    socket.write(optionsRequest(question, id, local));
  });
  const stream = new SipStream();
  socket.once('connect', () => {
    exchange.connected = true;
    if (transport === 'tcp') ask();
  });
  socket.once('secureConnect', ask);
  socket.on(
    'data',
    a.safely((chunk: Buffer) => {
      for (const message of stream.push(chunk)) {
        if (message.kind === 'invalid') {
          exchange.hearForeign(message.why, chunk);
          a.settle(exchange.without(''));
          return;
        }
        const finding = exchange.hear(message);
        if (finding !== null) {
          a.settle(finding);
          return;
        }
      }
    }),
  );
  socket.on(
    'close',
    a.safely(() => a.settle(exchange.without(`${place(end)} closed the connection without an answer`))),
  );
}

/** OpenSSL's errors read `C0F7…:error:0A00010B:SSL routines:…:wrong version number:…`; the reason is what helps. */
export function tlsWords(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : wordsOf(error);
  const code = codeOf(error);
  return oneLine(code === '' || reason.includes(code) ? reason : `${reason} (${code})`, 160);
}
