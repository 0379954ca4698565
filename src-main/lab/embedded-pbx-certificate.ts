/**
 * Certificates for the lab's PBX: an authority of its own and a server certificate for one FQDN, made at start.
 * Knows nothing of sockets or processes.
 */
import { generate } from 'selfsigned';

/** All three in PEM. */
export interface PbxCertificate {
  /** what a client has to trust */
  ca: string;
  cert: string;
  key: string;
}

/**
 * Makes an authority and a certificate for `fqdn` signed by it.
 * @param days how long the server certificate is valid from now; negative: it expired so many days ago
 */
export async function makeCertificate(fqdn: string, days = 90): Promise<PbxCertificate> {
  const day = 24 * 3600_000;
  const end = new Date(Date.now() + days * day);
  // Some clients refuse a certificate that is not valid yet; a day of grace covers a clock that is behind.
  const begin = new Date(Math.min(Date.now(), end.getTime()) - day);
  const common = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate: begin } as const;
  const authority = await generate([{ name: 'commonName', value: 'Estepe lab authority' }], {
    ...common,
    notAfterDate: new Date(Date.now() + 365 * day),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: fqdn }], {
    ...common,
    notAfterDate: end,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: fqdn }] },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}
