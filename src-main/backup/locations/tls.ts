/** Which authorities TLS trusts here, and what its failures mean. Must not know what is spoken over it. */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { LocationError } from '../location.ts';
import { codeOf, locationFault, type Place } from './faults.ts';

const contexts = new Map<string | null, SecureContext>();

/** Node's own authorities and the machine's. Made once: it takes some 50 ms. */
export function trusting(authority: string | null): SecureContext {
  const known = contexts.get(authority);
  if (known !== undefined) return known;
  const own = authority === null ? [] : [authority];
  const context = createSecureContext({
    ca: [...getCACertificates('default'), ...getCACertificates('system'), ...own],
    minVersion: 'TLSv1.2',
  });
  contexts.set(authority, context);
  return context;
}

/** What TLS said, as a fault; null for what is not of its making. */
export function ofTls(place: Place, error: unknown): LocationError | null {
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : String(error);
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|HOSTNAME_MISMATCH/.test(code)) {
    const words = certificateWords(code, said);
    return locationFault(place, 'certificate', `the server's certificate is not accepted: ${words}`);
  }
  if (/^(EPROTO|ERR_SSL)/.test(code)) {
    const todo = 'look at its TLS settings and port';
    return locationFault(place, 'unsupported', `no TLS with that server (${code})`, todo);
  }
  return null;
}

function certificateWords(code: string, said: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it is out of date';
  if (code === 'CERT_NOT_YET_VALID') return 'it is not valid yet; is the clock right?';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `it is for another name (${said})`;
  return `no authority that this machine trusts has signed it (${code})`;
}
