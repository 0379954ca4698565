/**
 * Who this node is for the other one: a key and a certificate signed by itself, made once for a data folder. What
 * counts is the certificate's fingerprint; names and dates in it are looked at by nobody, clocks of a site may be wrong.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { readSecret, writeSecret } from '../config/secrets.ts';

/** PEM, and SHA-256 over the DER of the certificate, hexadecimal. */
export interface Identity {
  key: string;
  cert: string;
  fingerprint: string;
}

const keyName = 'peer-key';
const certificateName = 'peer-certificate';
const dayMs = 24 * 3600_000;

/** SHA-256 of a certificate's DER, hexadecimal. */
export function fingerprintOf(der: Buffer): string {
  return createHash('sha256').update(der).digest('hex');
}

/** `AB:CD:…`, as other programs show it. */
export function fingerprintWords(fingerprint: string): string {
  return fingerprint.toUpperCase().match(/../g)?.join(':') ?? fingerprint;
}

function kept(secrets: string): Identity | null {
  // Half made, by a process that died in between: made anew. One that is there and cannot be read is not replaced.
  if (!existsSync(join(secrets, keyName)) || !existsSync(join(secrets, certificateName))) return null;
  const key = readSecret(secrets, keyName);
  const cert = readSecret(secrets, certificateName);
  try {
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return null;
    return { key, cert, fingerprint: fingerprintOf(certificate.raw) };
  } catch {
    return null;
  }
}

/**
 * The identity of a data folder; a new one where there is none, or where key and certificate do not belong together. Whoever
 * was paired with the old one has to pair again.
 * @param secrets `DataFolder.secrets`
 * @param now wall clock, ms
 * @throws EstepeError `config` or `data-folder` when it can be neither read nor written
 */
export async function identityOf(secrets: string, now: number): Promise<Identity> {
  const there = kept(secrets);
  if (there !== null) return there;
  const made = await generate([{ name: 'commonName', value: 'Estepe node' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - dayMs),
    notAfterDate: new Date(now + 20 * 365 * dayMs),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    ],
  });
  writeSecret(secrets, keyName, made.private.trim());
  writeSecret(secrets, certificateName, made.cert.trim());
  return { key: made.private, cert: made.cert, fingerprint: fingerprintOf(new X509Certificate(made.cert).raw) };
}
