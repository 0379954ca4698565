/**
 * What a TLS server's certificate is worth, in words. Both nodes of a pair carry the same certificate, so what is wrong
 * with it is the admin's business and never a reason to take over. Knows TLS sockets, no protocol above them.
 */
import { checkServerIdentity, type TLSSocket } from 'node:tls';
import { oneLine } from './evidence.ts';

const dayMs = 24 * 3600_000;

export type CertificateFault = 'missing' | 'expired' | 'not-yet-valid' | 'wrong-name' | 'untrusted' | 'expires-soon';

export interface CertificateView {
  subject: string;
  issuer: string;
  /** as the certificate says it, e.g. `Nov 22 23:00:00 2026 GMT` */
  validTo: string;
  /** SHA-256 of the DER as OpenSSL writes it, `AB:CD:…`; empty when there is none */
  fingerprint: string;
  /** whole days; negative when expired; null when unreadable */
  daysLeft: number | null;
  faults: { kind: CertificateFault; sentence: string }[];
}

/** A distinguished name in one line: `CN=pbx.example.com, O=Example`. */
function nameOf(parts: unknown): string {
  if (typeof parts !== 'object' || parts === null) return '';
  return oneLine(
    Object.entries(parts)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(', '),
    200,
  );
}

/**
 * Looks at the certificate of a connection made with `rejectUnauthorized: false` and a `checkServerIdentity` that says
 * nothing (so that `authorizationError` speaks of the chain alone).
 * @param name the FQDN or address it must be made out to
 * @param warnDays fewer days left than this is a fault
 * @param now wall clock, milliseconds since 1970
 */
export function viewCertificate(socket: TLSSocket, name: string, warnDays: number, now: number): CertificateView {
  const certificate = socket.getPeerCertificate();
  const faults: CertificateView['faults'] = [];
  if (certificate === null || certificate.subject === undefined) {
    faults.push({ kind: 'missing', sentence: 'the server shows no certificate' });
    return { subject: '', issuer: '', validTo: '', fingerprint: '', daysLeft: null, faults };
  }
  const validTo = Date.parse(certificate.valid_to);
  const validFrom = Date.parse(certificate.valid_from);
  const daysLeft = Number.isNaN(validTo) ? null : Math.floor((validTo - now) / dayMs);
  const expired = validTo <= now;
  const early = validFrom > now;
  if (expired) {
    faults.push({
      kind: 'expired',
      sentence: `certificate expired on ${new Date(validTo).toISOString().slice(0, 10)}`,
    });
  } else if (early) {
    const day = new Date(validFrom).toISOString().slice(0, 10);
    faults.push({ kind: 'not-yet-valid', sentence: `certificate is not valid before ${day}; is the clock right?` });
  } else if (daysLeft !== null && daysLeft < warnDays) {
    faults.push({
      kind: 'expires-soon',
      sentence: `certificate has ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'} left`,
    });
  }
  if (checkServerIdentity(name, certificate) !== undefined) {
    const names = certificate.subjectaltname ?? nameOf(certificate.subject);
    faults.push({ kind: 'wrong-name', sentence: `certificate is for ${oneLine(names, 100)}, not for ${name}` });
  }
  // OpenSSL tells one error of the chain; where it is the leaf's own dates it is said above
  const chain = socket.authorized ? null : String(socket.authorizationError ?? '');
  const saidAbove = (chain === 'CERT_HAS_EXPIRED' && expired) || (chain === 'CERT_NOT_YET_VALID' && early);
  if (chain !== null && chain !== '' && !saidAbove) {
    faults.push({ kind: 'untrusted', sentence: `certificate chain not trusted (${oneLine(chain, 60)})` });
  }
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validTo: oneLine(String(certificate.valid_to), 60),
    fingerprint: certificate.fingerprint256,
    daysLeft,
    faults,
  };
}
