/**
 * One question to one name server and its reply: over UDP, over TCP where the reply does not fit, bounded in time. Only what
 * answers this very question counts (RFC 5452 §9). Must not know what is asked, nor keys.
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { codeOf, type Endpoint, place, span, wordsOf } from '../../heartbeat/evidence.ts';
import { DnsFormatError, type Message, readMessage } from './message.ts';

export interface Reply {
  message: Message;
  bytes: Buffer;
}

export type AskEnd =
  | { how: 'answered'; reply: Reply }
  /** `silent`: whether it was heard is not known. `unreachable`: it was not. */
  | { how: 'silent' | 'unreachable' | 'cancelled'; why: string };

export interface Asking {
  timeoutMs: number;
  signal: AbortSignal;
  /** default: UDP, and TCP where the reply does not fit */
  transport?: 'udp' | 'tcp';
  /** sent again while nothing comes; only for what may be heard twice */
  resend?: boolean;
}

const resendEveryMs = 700;

/** Whether these bytes answer that question; null for anything else, a forgery included. */
function replyTo(question: Message, bytes: Buffer): Reply | null {
  let message: Message;
  try {
    message = readMessage(bytes);
  } catch (error) {
    if (error instanceof DnsFormatError) return null;
    throw error;
  }
  const { id, opcode, isResponse, questions, rcode } = message;
  if (!isResponse || id !== question.id || opcode !== question.opcode) return null;
  const [ours, theirs] = [question.questions[0], questions[0]];
  // An update's reply may leave its zone out (RFC 2136 §3.8), and an error the question.
  if (theirs === undefined) return rcode !== 0 || opcode !== 0 ? { message, bytes } : null;
  const isSame = theirs.name === ours?.name && theirs.type === ours.type && theirs.class === ours.class;
  return isSame ? { message, bytes } : null;
}

/** Runs `start` until it settles, the time is over or the signal comes; closes what it opened. Never rejects. */
function framed(
  end: Endpoint,
  { timeoutMs, signal }: Asking,
  start: (frame: { settle: (result: AskEnd) => void; onEnd: (close: () => void) => void }) => void,
): Promise<AskEnd> {
  return new Promise((resolve) => {
    const closers: (() => void)[] = [];
    let over = false;
    const settle = (result: AskEnd): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
      for (const close of closers) close();
      resolve(result);
    };
    const cancelled = (): void => settle({ how: 'cancelled', why: 'cancelled' });
    const silent = (): void => settle({ how: 'silent', why: `no answer from ${place(end)} within ${span(timeoutMs)}` });
    const timer = setTimeout(silent, timeoutMs);
    if (signal.aborted) return cancelled();
    signal.addEventListener('abort', cancelled, { once: true });
    try {
      start({ settle, onEnd: (close) => (over ? close() : closers.push(close)) });
    } catch (error) {
      settle(faultOf(error, end));
    }
  });
}

const faultOf = (error: unknown, end: Endpoint): AskEnd => ({
  how: 'unreachable',
  why: `${codeOf(error) || wordsOf(error)} ${place(end)}`,
});

function overUdp(end: Endpoint, bytes: Buffer, question: Message, asking: Asking): Promise<AskEnd> {
  return framed(end, asking, ({ settle, onEnd }) => {
    const socket = createSocket(end.family === 6 ? 'udp6' : 'udp4');
    onEnd(() => socket.close());
    const fault = (error: Error): void => settle(faultOf(error, end));
    socket.on('error', fault);
    socket.on('message', (came) => {
      const reply = replyTo(question, came);
      if (reply !== null) settle({ how: 'answered', reply });
    });
    // connected: a closed port shows at once, and only this server is heard
    socket.connect(end.port, end.address);
    socket.once('connect', () => {
      const send = (): void => socket.send(bytes, (error) => error && fault(error));
      send();
      if (!asking.resend) return;
      const timer = setInterval(send, resendEveryMs);
      onEnd(() => clearInterval(timer));
    });
  });
}

/** RFC 1035 §4.2.2: two bytes of length before the message. */
function overTcp(end: Endpoint, bytes: Buffer, question: Message, asking: Asking): Promise<AskEnd> {
  return framed(end, asking, ({ settle, onEnd }) => {
    const socket = connect({ host: end.address, port: end.port, family: end.family });
    onEnd(() => socket.destroy());
    let wasSent = false;
    let came = Buffer.alloc(0);
    const cut = (why: string): void => settle({ how: wasSent ? 'silent' : 'unreachable', why });
    socket.on('error', (error) => cut(`${codeOf(error) || wordsOf(error)} ${place(end)}`));
    socket.on('close', () => cut(`${place(end)} closed the connection without an answer`));
    socket.once('connect', () => {
      wasSent = true;
      socket.write(Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]));
    });
    socket.on('data', (chunk) => {
      came = Buffer.concat([came, chunk]);
      while (came.length >= 2 && came.length >= 2 + came.readUInt16BE(0)) {
        const length = came.readUInt16BE(0);
        const reply = replyTo(question, came.subarray(2, 2 + length));
        came = came.subarray(2 + length);
        if (reply !== null) return settle({ how: 'answered', reply });
      }
    });
  });
}

/** Asks; never rejects, never takes longer than `timeoutMs`. @param bytes the whole message, signature and all */
export async function ask(end: Endpoint, bytes: Buffer, asking: Asking): Promise<AskEnd> {
  const question = readMessage(bytes);
  if (asking.transport === 'tcp') return overTcp(end, bytes, question, asking);
  const begun = performance.now();
  const first = await overUdp(end, bytes, question, asking);
  if (first.how !== 'answered' || !first.reply.message.isTruncated || asking.transport === 'udp') return first;
  const left = Math.max(1, asking.timeoutMs - (performance.now() - begun));
  return overTcp(end, bytes, question, { ...asking, timeoutMs: left });
}
