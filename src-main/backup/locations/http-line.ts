/**
 * One question by HTTP and its answer: ended by the signal at once and by silence, its body metered on the wire, its failures as faults.
 * Must not know what is asked.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import { PassThrough, Readable } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import { LocationError } from '../location.ts';
import type { Sending } from './bucket.ts';
import { cancelledFault, codeOf, locationFault, ofSystem, type Place } from './faults.ts';
import { Meter, SilenceWatch } from './flow.ts';
import { ofTls, trusting } from './tls.ts';

export interface HttpSettings {
  place: Place;
  clock: Clock;
  silenceMs: number;
  /** PEM of an authority that is trusted besides the machine's own */
  authority: string | null;
}

export interface Question {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: Buffer;
}

export interface Manner {
  signal: AbortSignal;
  /** how the body goes out; none: at once and untold */
  sending?: Sending;
  /** the answer's body comes as it arrives, where all is well; else as a whole */
  streamed?: boolean;
  /** default: the line's own */
  silenceMs?: number;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Readable;
}

interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
}

/** An answer that is read as a whole is words, not backups. */
const maxWholeBytes = 64 * 1024 * 1024;
const pieceBytes = 64 * 1024;
const aheadBytes = 256 * 1024;
/** RFC 9110 §10.1.1: no longer is waited for a "100 Continue". */
const continueWithinMs = 1000;

export class HttpLine {
  readonly #settings: HttpSettings;
  #agents: Agents | null = null;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
  }

  /**
   * The answer, whatever its status.
   * @param what is asked for, for sentences
   * @throws LocationError
   */
  async ask(question: Question, manner: Manner, what: string): Promise<Answer> {
    try {
      return await this.#ask(question, manner, what);
    } catch (error) {
      // A connection that was kept may have been cut while it was idle: that says nothing of the server.
      if (!(error instanceof StaleConnection)) throw error;
      return await this.#ask(question, manner, what, true);
    }
  }

  #ask(question: Question, manner: Manner, what: string, isFresh = false): Promise<Answer> {
    const { place, clock } = this.#settings;
    const { signal, sending, streamed = false, silenceMs = this.#settings.silenceMs } = manner;
    return new Promise<Answer>((resolve, reject) => {
      if (signal.aborted) {
        reject(cancelledFault(place));
        return;
      }
      const asked = this.#open(question, isFresh);
      let body: PassThrough | null = null;
      let isSent = false;
      const theirTurn = (): boolean => (body === null ? isSent || asked.writableLength > 0 : !body.writableNeedDrain);
      const silent = (): void => fail(locationFault(place, 'timeout', `${what}: the server does not answer`));
      const watch = new SilenceWatch(clock, silenceMs, theirTurn, silent);
      const over = (): void => {
        watch.end();
        signal.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error): void => {
        over();
        body?.destroy(error);
        asked.destroy();
        reject(error);
      };
      const onAbort = (): void => fail(cancelledFault(place));
      signal.addEventListener('abort', onAbort, { once: true });
      asked.on('error', (error) => {
        // It answered before all was sent: the answer counts.
        if (body !== null) return;
        const isStale = asked.reusedSocket && isCut(error);
        fail(isStale ? new StaleConnection() : this.#faultOf(error, what));
      });
      asked.on('drain', () => watch.moved());
      asked.on('response', (response) => {
        watch.moved();
        body = incoming(response, () => watch.moved());
        body.once('close', () => {
          over();
          // An answer before all was sent: what is left of the question is not wanted.
          if (!asked.writableFinished || !response.complete) asked.destroy();
        });
        response.once('error', (error) => fail(this.#faultOf(error, what)));
        response.once('close', () => {
          if (!response.complete) fail(this.#cut(what));
        });
        const { statusCode: status = 0, headers } = response;
        if (streamed && status < 300) resolve({ status, headers, body });
        else whole(body, place).then((bytes) => resolve({ status, headers, body: Readable.from(bytes) }), reject);
      });
      send(asked, question, sending, clock, () => {
        isSent = true;
        watch.moved();
      });
    });
  }

  #open({ method, url, headers, body }: Question, isFresh: boolean): ClientRequest {
    const { http, https } = isFresh ? this.#newAgents(false) : this.#keptAgents();
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const options = { method, headers: { ...headers, ...length } };
    return url.protocol === 'https:'
      ? requestTls(url, { ...options, agent: https })
      : request(url, { ...options, agent: http });
  }

  #keptAgents(): Agents {
    this.#agents ??= this.#newAgents(true);
    return this.#agents;
  }

  #newAgents(keepAlive: boolean): Agents {
    const secureContext = trusting(this.#settings.authority);
    return { http: new HttpAgent({ keepAlive }), https: new HttpsAgent({ keepAlive, secureContext }) };
  }

  #cut(what: string): LocationError {
    return locationFault(this.#settings.place, 'connection', `${what}: the connection was cut`);
  }

  #faultOf(error: Error, what: string): LocationError {
    const { place } = this.#settings;
    if (error instanceof LocationError) return error;
    if (codeOf(error) === 'ECONNRESET') return this.#cut(what);
    if (codeOf(error).startsWith('HPE_')) {
      return locationFault(place, 'unsupported', `${what}: no HTTP with that server`, 'check the address and the port');
    }
    return (
      ofTls(place, error) ??
      ofSystem(place, error, what) ??
      locationFault(place, 'connection', `${what}: ${error.message}`)
    );
  }

  /** Lets go of all connections. */
  close(): void {
    this.#agents?.http.destroy();
    this.#agents?.https.destroy();
    this.#agents = null;
  }
}

class StaleConnection extends Error {}

const isCut = (error: Error): boolean => ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes(codeOf(error));

function incoming(response: IncomingMessage, moved: () => void): PassThrough {
  const body = new PassThrough({ highWaterMark: aheadBytes });
  // Whoever reads it hears of it; where nobody does yet, it must not end the process.
  body.on('error', () => {});
  response.on('data', moved);
  response.pipe(body);
  return body;
}

async function whole(body: Readable, place: Place): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    size += (piece as Buffer).length;
    if (size > maxWholeBytes) throw locationFault(place, 'other', 'the server says more than it can have to say');
    pieces.push(piece as Buffer);
  }
  return pieces;
}

/** Sends the body: when the server is ready for it, where it was asked; in pieces, where somebody wants to hear of them. */
function send(
  asked: ClientRequest,
  { body, headers }: Question,
  sending: Sending | undefined,
  clock: Clock,
  sent: () => void,
): void {
  const go = (): void => {
    if (asked.destroyed) return;
    if (body === undefined || sending === undefined) {
      asked.end(body, sent);
      sent();
      return;
    }
    const meter = new Meter(sending, sending.total, clock, { from: sending.from });
    meter.once('end', sent);
    asked.once('close', () => meter.destroy());
    Readable.from(piecesOf(body), { objectMode: false }).pipe(meter).pipe(asked);
  };
  if (!Object.keys(headers).some((name) => name.toLowerCase() === 'expect')) {
    go();
    return;
  }
  const once = { done: false };
  const start = (): void => {
    stop();
    if (!once.done) go();
    once.done = true;
  };
  const stop = clock.after(continueWithinMs, start);
  asked.once('continue', start);
  asked.once('response', () => {
    stop();
    once.done = true;
  });
  asked.once('close', stop);
  asked.flushHeaders();
}

function* piecesOf(body: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
}
