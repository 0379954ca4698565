/** Bytes as they are on the wire of the peer link: what an attacker, a replay or a broken client sends. */
import { connect, type TLSSocket } from 'node:tls';
import type { Place } from '../../../src-main/peer/call.ts';
import type { Identity } from '../../../src-main/peer/identity.ts';

/** A connection with that certificate, or none. @throws what TLS says */
export function connected(to: Place, identity: Identity | null): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const own = identity ? { key: identity.key, cert: identity.cert } : {};
    const socket = connect({ ...to, ...own, rejectUnauthorized: false }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends and reads until the other side ends it. `ms` is how long that took. */
export function untilEnd(socket: TLSSocket, bytes: string): Promise<{ text: string; ms: number }> {
  const begun = performance.now();
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve({ text, ms: performance.now() - begun }));
    socket.write(bytes);
  });
}

export function post(path: string, body: unknown): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nhost: anything\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Status and JSON of an answer as it came. */
export function answerIn(text: string): { status: number; data: unknown } {
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return { status, data: body === '' ? null : JSON.parse(body) };
}
