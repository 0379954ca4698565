/**
 * One request to the other node: a connection of its own, TLS 1.3, its certificate looked at before a byte is sent.
 * Whatever goes wrong on the way is a sentence. Must not know what is said.
 */
import { request } from 'node:http';
import { connect, type TLSSocket } from 'node:tls';
import { EstepeError } from '../contract/errors.ts';
import { inWords } from '../engine/duration.ts';
import type { Clock } from '../engine/ports.ts';
import { fingerprintOf, type Identity } from './identity.ts';
import { maxBodyBytes } from './messages.ts';

export interface Place {
  host: string;
  port: number;
}

/** `192.0.2.1:7443`, `[2001:db8::1]:7443`. */
export const placeText = ({ host, port }: Place): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

export interface Call {
  clock: Clock;
  identity: Identity;
  to: Place;
  /** fingerprint that the other side must have; null while pairing: then whoever answers is told by `fingerprint` */
  pin: string | null;
  path: string;
  /** absent: a GET */
  body?: unknown;
  timeoutMs: number;
  signal: AbortSignal;
}

export interface Answered {
  status: number;
  /** parsed JSON */
  data: unknown;
  /** of the certificate that answered */
  fingerprint: string;
}

/** Why a request got no answer. `stranger`: somebody else answers there. */
export type CallFaultKind = 'nobody' | 'silent' | 'stranger' | 'broken' | 'cancelled';

export class CallFault extends EstepeError {
  readonly kind: CallFaultKind;
  constructor(kind: CallFaultKind, sentence: string, cause?: unknown) {
    super('refused', sentence, 'see `estepe pair status` on both nodes', {}, cause);
    this.kind = kind;
  }
}

const refusals: Readonly<Record<string, (place: string) => string>> = {
  ECONNREFUSED: (place) => `Nobody listens on ${place}: Estepe does not run there, or without a peer link.`,
  EHOSTUNREACH: (place) => `There is no way to ${place}: the machine is off, or the network between is cut.`,
  ENETUNREACH: (place) => `There is no way to ${place} from this node: its own network is cut.`,
  ENOTFOUND: (place) => `The name in ${place} is not known: see \`peer.address\`.`,
  EAI_AGAIN: (place) => `The name in ${place} could not be looked up: no name server answers.`,
};

function faultOf(error: Error, place: string): CallFault {
  const code = String(Reflect.get(error, 'code') ?? '');
  const known = refusals[code];
  if (known) return new CallFault('nobody', known(place), error);
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return new CallFault('broken', `${place} ended the connection before it had answered.`, error);
  if (/^ERR_SSL|^EPROTO/.test(code))
    return new CallFault('broken', `What listens on ${place} does not speak Estepe's TLS 1.3 (${code}).`, error);
  if (/^HPE_/.test(code)) return new CallFault('broken', `What ${place} answers is not Estepe's (${code}).`, error);
  return new CallFault('broken', `${place} could not be asked: ${error.message}.`, error);
}

/**
 * Asks once; never longer than `timeoutMs`.
 * @throws CallFault when no answer came; an answer of any status is an answer
 */
export function call(given: Call): Promise<Answered> {
  const { clock, identity, to, pin, timeoutMs, signal } = given;
  const place = placeText(to);
  return new Promise((resolve, reject) => {
    const { key, cert } = identity;
    // The fingerprint is all that counts, and it is looked at below; no session is kept that would spare it.
    const trust = { rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const;
    const socket = connect({ ...to, key, cert, ...trust });
    let over = false;
    const end = (settle: () => void): void => {
      if (over) return;
      over = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const fail = (fault: CallFault): void => end(() => reject(fault));
    const onAbort = (): void => fail(new CallFault('cancelled', `The request to ${place} was cancelled.`));
    const stopTimer = clock.after(timeoutMs, () =>
      fail(new CallFault('silent', `${place} did not answer within ${inWords(timeoutMs)}.`)),
    );
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', (error) => fail(faultOf(error, place)));
    socket.on('close', () => fail(new CallFault('broken', `${place} ended the connection before it had answered.`)));
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      const fingerprint = certificate === undefined ? '' : fingerprintOf(certificate.raw);
      if (pin !== null && fingerprint !== pin) {
        const what = `The certificate on ${place} is not the one this node was paired with: somebody else answers there, or that node was set up anew. If it was, pair again.`;
        fail(new CallFault('stranger', what));
        return;
      }
      exchange(socket, given, (error, answer) => {
        if (answer) end(() => resolve({ ...answer, fingerprint }));
        else fail(error instanceof CallFault ? error : faultOf(error ?? new Error('no answer'), place));
      });
    });
    if (signal.aborted) onAbort();
  });
}

type Told = (error: Error | null, answer?: Omit<Answered, 'fingerprint'>) => void;

/** HTTP over a connection whose other end is known. */
function exchange(socket: TLSSocket, { to, path, body }: Call, told: Told): void {
  const place = placeText(to);
  const text = body === undefined ? null : JSON.stringify(body);
  const ask = request({
    createConnection: () => socket,
    method: text === null ? 'GET' : 'POST',
    path,
    headers: {
      host: 'estepe',
      connection: 'close',
      ...(text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  });
  ask.on('error', (error) => told(error));
  ask.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else told(new CallFault('broken', `${place} answers with more than ${maxBodyBytes / 1024} KiB.`));
    });
    response.on('error', (error) => told(error));
    response.on('end', () => {
      let data: unknown = null;
      try {
        data = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      } catch {
        // an answer without JSON still has its status
      }
      told(null, { status: response.statusCode ?? 0, data });
    });
  });
  ask.end(text ?? undefined);
}
