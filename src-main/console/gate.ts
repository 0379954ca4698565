/**
 * Who may speak to the console at all: judges a request's Host, Origin, method, type and token from its headers alone.
 * Reads no body and answers nothing; server.ts turns the refusal into a response.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIPv4 } from 'node:net';
import type { ErrorCode } from '../contract/errors.ts';

export interface Refusal {
  status: number;
  code: ErrorCode;
  message: string;
  todo: string;
}

/** True for the addresses and the name that stay on this machine: 127.0.0.0/8 (RFC 1122 §3.2.1.3), ::1, localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** `[::1]` for IPv6, else as it is: how a host stands in a URL (RFC 3986 §3.2.2). */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The Host header values under which this console answers. Anything else is a name an attacker pointed at us. */
export function allowedHosts(host: string, port: number): ReadonlySet<string> {
  const names = new Set(['127.0.0.1', 'localhost', '[::1]', hostInUrl(host)]);
  return new Set([...names].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])));
}

/**
 * Host (DNS rebinding), Origin and Fetch Metadata (a page of another site). Null: may go on.
 * A request without Origin comes from a program or is a plain navigation; the token decides over those.
 */
export function judgeSource(headers: IncomingHttpHeaders, hosts: ReadonlySet<string>): Refusal | null {
  if (headers.host === undefined || !hosts.has(headers.host.toLowerCase())) {
    return {
      status: 421,
      code: 'unauthorized',
      message: 'this console does not answer under that host name',
      todo: 'open the address that `estepe status` prints',
    };
  }
  const origin = headers.origin;
  const site = headers['sec-fetch-site'];
  const foreignOrigin =
    origin !== undefined && !(origin.startsWith('http://') && hosts.has(origin.slice(7).toLowerCase()));
  // A link on another site may lead here (navigation); nothing of another site may call here.
  const foreignSite = site === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate';
  if (foreignOrigin || foreignSite) {
    return {
      status: 403,
      code: 'unauthorized',
      message: 'the console takes no calls from pages of other origins',
      todo: 'use the page that the console itself serves',
    };
  }
  return null;
}

/** A call's method and type. A form of another site can send neither JSON nor an Authorization header. */
export function judgeCall(method: string | undefined, headers: IncomingHttpHeaders, maxBytes: number): Refusal | null {
  if (method !== 'POST') {
    return { status: 405, code: 'usage', message: 'calls are made by POST', todo: 'send it as POST with a JSON body' };
  }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    return {
      status: 415,
      code: 'usage',
      message: 'calls carry application/json',
      todo: 'send it with Content-Type: application/json',
    };
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  return null;
}

export function tooLarge(maxBytes: number): Refusal {
  return {
    status: 413,
    code: 'usage',
    message: `the request is larger than ${maxBytes / 1024} KiB`,
    todo: 'send less: no call of the contract needs that much',
  };
}

/**
 * A question to ask of each request: does its Authorization header carry this token? Compared as SHA-256 digests in
 * constant time, so neither the token's length nor how much of it was right shows in the time it takes.
 */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (authorization) => {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(given), expected);
  };
}
