/**
 * The HTTPS server of the peer link: TLS 1.3 only, the caller's certificate looked at before a byte of a body is read,
 * and a bound on everything a stranger could use up. Must not know what is asked.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../engine/ports.ts';
import { type Place, placeText } from './call.ts';
import { fingerprintOf, type Identity } from './identity.ts';
import type { Refusal } from './messages.ts';

export interface Asked {
  method: string;
  /** without a query */
  path: string;
  /** of the caller's certificate; empty: it showed none */
  fingerprint: string;
  /** the caller's address */
  from: string;
}

export interface Reply {
  status: number;
  body: unknown;
}

/** How a request may be answered: `most` bytes of body are read at most before `answer` is asked. */
export interface Welcome {
  most: number;
  answer(body: unknown): Promise<Reply> | Reply;
}

export interface DoorParts {
  clock: Clock;
  identity: Identity;
  listen: Place;
  /** Who may ask what; null: a stranger, who learns nothing. */
  admit(asked: Asked): Welcome | null;
  /** a stranger was turned away */
  onStranger(from: string, why: string): void;
  /** it listens, or why not; null: it does */
  onListening(trouble: string | null): void;
  /** a fault of our own while answering */
  onFault(error: unknown): void;
}

/** ms */
const handshakeTimeout = 5_000;
const headersTimeout = 5_000;
const requestTimeout = 10_000;
const idleTimeout = 15_000;
const againAfterMs = 10_000;

const connectionsAtOnce = 32;
/** One address can't keep all others out. */
const connectionsPerAddress = 8;
/** Strangers of one address within a minute; more are not even greeted. */
const strangersPerMinute = 20;
const addressesRemembered = 1000;

export class Door {
  readonly #parts: DoorParts;
  readonly #server: Server;
  readonly #open = new Map<string, Set<Socket>>();
  readonly #strangers = new Map<string, { since: number; count: number }>();
  #closed = false;
  #listening = false;
  #cancelAgain = (): void => {};

  constructor(parts: DoorParts) {
    this.#parts = parts;
    const { key, cert } = parts.identity;
    this.#server = createServer(
      {
        ...{ key, cert, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false },
        ...{ handshakeTimeout, headersTimeout, requestTimeout, keepAliveTimeout: 1_000 },
        ...{ connectionsCheckingInterval: 1_000, maxHeaderSize: 8 * 1024 },
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = connectionsAtOnce;
    this.#server.setTimeout(idleTimeout, (socket) => socket.destroy());
    // Without this node would say "continue" to anybody.
    this.#server.on('checkContinue', (request, response) => void this.#serve(request, response));
    this.#server.on('connection', (socket) => socket instanceof Socket && this.#count(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      if (!/ECONNRESET|socket hang up/.test(error.message))
        this.#stranger(socket.remoteAddress ?? '', 'no TLS 1.3 was agreed on');
      socket.destroy();
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#server.on('error', (error) => this.#notListening(error));
    this.#server.on('listening', () => {
      this.#listening = true;
      parts.onListening(null);
    });
  }

  get listening(): boolean {
    return this.#listening;
  }

  open(): void {
    if (this.#closed) return;
    this.#server.listen({ ...this.#parts.listen, exclusive: true });
  }

  /** Ends every connection; resolves when the port is free. Again does nothing. */
  async close(): Promise<void> {
    this.#cancelAgain();
    if (this.#closed) return;
    this.#closed = true;
    this.#listening = false;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const sockets of this.#open.values()) for (const socket of sockets) socket.destroy();
    await closed;
  }

  #notListening(error: Error): void {
    this.#listening = false;
    const place = placeText(this.#parts.listen);
    const code = Reflect.get(error, 'code');
    const why =
      code === 'EADDRINUSE'
        ? 'another program has that port'
        : code === 'EADDRNOTAVAIL'
          ? 'this machine does not have that address'
          : code === 'EACCES'
            ? 'this user may not listen there'
            : error.message;
    this.#parts.onListening(`The peer link cannot listen on ${place}: ${why}. See \`peer.listen\`.`);
    this.#cancelAgain();
    this.#cancelAgain = this.#parts.clock.after(againAfterMs, () => this.open());
  }

  #count(socket: Socket): void {
    const from = socket.remoteAddress ?? '';
    const same = this.#open.get(from) ?? new Set();
    if (same.size >= connectionsPerAddress || this.#tooMany(from)) {
      socket.destroy();
      return;
    }
    same.add(socket);
    this.#open.set(from, same);
    socket.once('close', () => {
      same.delete(socket);
      if (same.size === 0) this.#open.delete(from);
    });
  }

  #tooMany(from: string): boolean {
    const seen = this.#strangers.get(from);
    return seen !== undefined && seen.count >= strangersPerMinute && this.#parts.clock.now() - seen.since < 60_000;
  }

  #stranger(from: string, why: string): void {
    const now = this.#parts.clock.now();
    const seen = this.#strangers.get(from);
    if (seen && now - seen.since < 60_000) seen.count += 1;
    else {
      if (this.#strangers.size >= addressesRemembered) this.#strangers.clear();
      this.#strangers.set(from, { since: now, count: 1 });
    }
    this.#parts.onStranger(from, why);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    socket.on('error', () => {});
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    const asked: Asked = {
      method: request.method ?? '',
      path: (request.url ?? '').split('?')[0] ?? '',
      fingerprint: certificate === undefined ? '' : fingerprintOf(certificate.raw),
      from: socket.remoteAddress ?? '',
    };
    try {
      const welcome = this.#parts.admit(asked);
      if (welcome === null) {
        this.#stranger(
          asked.from,
          certificate === undefined ? 'it showed no certificate' : 'its certificate is unknown',
        );
        turnAway(request, response, { status: 401, body: null });
        return;
      }
      const body = await readBody(request, response, welcome.most);
      if (body === tooLarge) turnAway(request, response, oversized(welcome.most));
      else if (body !== gone) say(response, await welcome.answer(body));
    } catch (error) {
      this.#parts.onFault(error);
      if (!response.headersSent) turnAway(request, response, { status: 500, body: null });
    }
  }
}

const oversized = (most: number): Reply => {
  const body: Refusal = { refused: 'oversized', sentence: `A request has ${most / 1024} KiB at most.` };
  return { status: 413, body };
};

const tooLarge = Symbol('too large');
const gone = Symbol('the caller went away');

/** The body as JSON; undefined where there is none, or no JSON. */
async function readBody(request: IncomingMessage, response: ServerResponse, most: number): Promise<unknown> {
  if (Number(request.headers['content-length'] ?? 0) > most) return tooLarge;
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Not by `for await` with a return: that would destroy the connection before it is told why.
    const within = await new Promise<boolean>((resolve, reject) => {
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > most) resolve(false);
        else chunks.push(chunk);
      });
      request.once('end', () => resolve(true));
      request.once('close', () => reject(new Error('closed')));
      request.once('error', reject);
    });
    if (!within) return tooLarge;
  } catch {
    return gone;
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function say(response: ServerResponse, { status, body }: Reply): void {
  const text = body === null ? '' : JSON.stringify(body);
  response.writeHead(status, {
    connection: 'close',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...(text === '' ? {} : { 'content-type': 'application/json' }),
  });
  response.end(text);
}

/** How long what still comes is thrown away, so that the answer is not lost to a reset. */
const drainMs = 1_000;

/** Answers without having read the body, and ends the connection. */
function turnAway(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  say(response, reply);
  request.on('error', () => {});
  request.resume();
  const late = setTimeout(() => request.socket.destroy(), drainMs);
  request.socket.once('close', () => clearTimeout(late));
}
