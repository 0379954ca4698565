/**
 * The webhook: a letter as JSON, by HTTP POST, signed. The receiver makes the HMAC-SHA256 of `TIMESTAMP.BODY` with the shared secret,
 * holds it against `Estepe-Signature` and refuses an old `Estepe-Timestamp`: so nobody else can write, and nobody can write it again
 * later. At least once: `Estepe-Delivery` is the same at each attempt.
 */
import { createHmac } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { sentenceOf } from '../contract/errors.ts';
import type { Channel, Letter, SendEnd } from './channel.ts';
import { subjectOf } from './letter.ts';

export interface WebhookOptions {
  url: string;
  /** the shared secret; throws with a sentence where it cannot be read */
  secret: () => string;
  timeoutMs: number;
  version: string;
  /** wall clock */
  wall: () => number;
  /** trusted authorities (PEM) instead of the built-in ones */
  ca?: string;
}

const maxAnswerBytes = 4_096;
const day = 24 * 3600_000;
const longestWaitMs = 3600_000;

/** `sha256=HEX`: what stands in `Estepe-Signature`. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** The JSON that is posted; its shape is part of the README. */
export function bodyOf(letter: Letter): string {
  const { id, sender, items, test } = letter;
  const messages = items.map(({ key, severity, text, at }) => ({
    key,
    severity,
    text,
    at: new Date(at).toISOString(),
  }));
  return JSON.stringify({
    id,
    test,
    pair: sender.pair,
    fqdn: sender.fqdn,
    node: sender.address,
    text: subjectOf(letter),
    messages,
  });
}

export class Webhook implements Channel {
  readonly name = 'webhook';
  readonly maxAgeMs = day;
  readonly timeoutMs: number;
  readonly target: string;
  readonly #o: WebhookOptions;

  constructor(options: WebhookOptions) {
    this.#o = options;
    this.timeoutMs = options.timeoutMs;
    // The path is often as good as a password.
    this.target = new URL(options.url).origin;
  }

  async send(letter: Letter, { signal }: { signal: AbortSignal }): Promise<SendEnd> {
    const body = bodyOf(letter);
    const timestamp = String(Math.floor(this.#o.wall() / 1000));
    let signature: string;
    try {
      signature = signatureOf(this.#o.secret(), timestamp, body);
    } catch (error) {
      return { how: 'failed', said: sentenceOf(error), todo: 'write that secret', fault: 'person' };
    }
    try {
      const headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': `Estepe/${this.#o.version}`,
        'estepe-timestamp': timestamp,
        'estepe-signature': signature,
        'estepe-delivery': letter.id,
      };
      return judged(this.target, await this.#post(body, headers, signal));
    } catch (error) {
      const cause = codeOf(error) || sentenceOf(error);
      const said = `${this.target}: ${cause}`;
      if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(cause))
        return {
          how: 'failed',
          said,
          todo: 'mend the certificate there, or the address in estepe.yaml',
          fault: 'person',
        };
      return { how: 'failed', said, todo: 'look whether it can be reached from here', fault: 'passing' };
    }
  }

  /** A connection of its own each time: one that was kept may be dead, and a hung one is destroyed with the signal. */
  #post(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const url = new URL(this.#o.url);
    return new Promise((resolve, reject) => {
      const { ca } = this.#o;
      const options = { method: 'POST', headers, signal, agent: false as const };
      const take = (answer: IncomingMessage): void => void read(answer).then(resolve, reject);
      const asked =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, ...(ca === undefined ? {} : { ca }) }, take)
          : httpRequest(url, options, take);
      asked.once('error', reject);
      asked.end(body);
    });
  }
}

interface Answer {
  status: number;
  text: string;
  retryAfter: string | null;
}

async function read(answer: IncomingMessage): Promise<Answer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    // What comes after it says nothing more to us.
    if (size > maxAnswerBytes) break;
  }
  answer.destroy();
  const text = Buffer.concat(pieces).toString('utf8').slice(0, maxAnswerBytes);
  return { status: answer.statusCode ?? 0, text, retryAfter: answer.headers['retry-after'] ?? null };
}

/** 2xx is taken, and nothing else. What the receiver says of a refusal is shown, in one line. */
function judged(target: string, { status, text, retryAfter }: Answer): SendEnd {
  const line = text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
  const said = `${target} answered ${status}${line === '' ? '' : `: ${line}`}`;
  if (status >= 200 && status < 300) return { how: 'sent', said };
  const seconds = retryAfter !== null && /^\d{1,6}$/.test(retryAfter.trim()) ? Number(retryAfter) : null;
  const waitMs = seconds === null ? {} : { waitMs: Math.min(seconds * 1000, longestWaitMs) };
  if (status >= 500 || status === 408 || status === 425 || status === 429)
    return { how: 'failed', said, todo: 'look at the service there', fault: 'passing', ...waitMs };
  if (status >= 300 && status < 400)
    return { how: 'failed', said, todo: 'write the address it leads to into `notify.webhook.url`', fault: 'person' };
  return {
    how: 'failed',
    said,
    todo: 'check `notify.webhook.url` and that both have the same secret',
    fault: 'person',
  };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
