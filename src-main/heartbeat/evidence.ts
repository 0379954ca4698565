/**
 * The words in which a test says what it saw: one line each, and what an errno says about whom. Knows nothing of
 * protocols.
 */
import type { Outcome } from '../contract/words.ts';

/** What one test found, without its name and time. */
export interface Finding {
  outcome: Outcome;
  evidence: string;
  /** dead because nothing came: neither an answer nor a refusal; a kernel's accept is no answer */
  silent?: boolean;
  /** dead as a service, and yet there: a port that accepts, a 500, a failed handshake */
  there?: boolean;
  detail?: Record<string, unknown>;
}

/** A numeric address and a port, where a test is sent. */
export interface Endpoint {
  /** IPv4 or IPv6 in numbers */
  address: string;
  family: 4 | 6;
  port: number;
}

/** Faults of this machine: the question was never asked, so they say nothing about the other side. */
const ownFaults = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'EAFNOSUPPORT',
  'EACCES',
  'EPERM',
  'EINVAL',
  'ENETDOWN',
  'ENODEV',
]);

/** Answers of the network or of the other side. Whether it is us after all, the references tell. */
const remoteFaults = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'EPROTO',
]);

/** Printable and in one line, whatever bytes came; cut at `max` characters. */
export function oneLine(text: string, max = 300): string {
  const flat = text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed()
    .trim();
  return flat.length > max ? `${flat.slice(0, max - 1)}…`.toWellFormed() : flat;
}

/** The first bytes of something unexpected, readable; at most 40 of them. */
export function glimpse(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 40)).toString('latin1');
  return `"${text.replace(/[^\x20-\x7e]/g, '·')}"${bytes.length > 40 ? ' …' : ''}`;
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. */
export function place(end: Endpoint): string {
  return end.family === 6 ? `[${end.address}]:${end.port}` : `${end.address}:${end.port}`;
}

/** Milliseconds as a person says them: `4 s`, `2.5 s`, `300 ms`. */
export function span(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** The errno or OpenSSL code of an error, or ''. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** The sentence of whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error is this machine's own fault, the network's or the other side's, or neither. */
export function blame(error: unknown): 'own' | 'remote' | 'unclear' {
  const code = codeOf(error);
  if (ownFaults.has(code)) return 'own';
  return remoteFaults.has(code) ? 'remote' : 'unclear';
}

/** What a failed socket says: `ECONNREFUSED 127.0.0.1:5060`. Only a fault of the other side or the network is `dead`. */
export function socketFault(error: unknown, end: Endpoint): Finding {
  const code = codeOf(error);
  switch (blame(error)) {
    case 'remote':
      return { outcome: 'dead', evidence: `${code} ${place(end)}`, detail: { code } };
    case 'own':
      return { outcome: 'unknown', evidence: `this machine could not ask: ${code} ${place(end)}`, detail: { code } };
    case 'unclear':
      return {
        outcome: 'unknown',
        evidence: `this machine could not ask ${place(end)}: ${wordsOf(error)}`,
        detail: { code },
      };
  }
}
