/** The certificates of both nodes: made out to the FQDN, trusted, in date, and the same one. Pure. */
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { CertificateView } from '../../heartbeat/certificate.ts';
import { check, type Ends } from './check.ts';

/** What the web test of one node met. */
export interface WebMet {
  certificate: CertificateView | null;
  /** of the beat */
  evidence: string;
  /** nothing answered there at all */
  off: boolean;
}

const grave = new Set(['missing', 'expired', 'not-yet-valid', 'wrong-name']);

/** @param passive null: not asked, or nothing answers there */
export function judgeCertificates(active: WebMet | null, passive: WebMet | null, ends: Ends): DoctorCheck[] {
  if (active === null) {
    return [check('certificate', 'active').skipped('No web test is configured, so no certificate was looked at.')];
  }
  return [
    judgeOne('active', active, ends),
    passive?.certificate
      ? judgeOne('passive', passive, ends)
      : check('certificate', 'passive').skipped(
          `The certificate of the passive node was not seen${passive?.off === false ? '' : ': its web server is off, as it should be'}.`,
          passive?.evidence ?? '',
          `Look once, while it runs for a drill, whether it is made out to ${ends.fqdn} too.`,
        ),
    ...judgeBoth(active.certificate, passive?.certificate ?? null, ends),
  ];
}

function judgeOne(node: 'active' | 'passive', { certificate, evidence }: WebMet, ends: Ends): DoctorCheck {
  const say = check('certificate', node);
  const where = `the ${node} node (${ends[node]})`;
  if (certificate === null) {
    return say.warning(`The certificate of ${where} was not seen.`, evidence, 'See what the web test says of it.');
  }
  const { faults, subject, issuer, validTo, daysLeft } = certificate;
  const seen = `${subject || 'no subject'}, from ${issuer || 'nobody'}, until ${validTo || 'no date'}`;
  if (faults.length === 0) {
    return say.ok(`The certificate of ${where} is for ${ends.fqdn} and has ${daysLeft ?? 'some'} days left.`, seen);
  }
  const words = faults.map(({ sentence }) => sentence).join('; ');
  const bad = faults.some(({ kind }) => grave.has(kind));
  const todo = bad
    ? `Install a certificate that is made out to ${ends.fqdn} and in date; the same one on both nodes.`
    : faults.some(({ kind }) => kind === 'expires-soon')
      ? 'See that it is renewed, on both nodes.'
      : 'Install the intermediate certificates too, or one whose authority phones and browsers know.';
  return say[bad ? 'problem' : 'warning'](`On ${where}: ${words}.`, seen, todo);
}

function judgeBoth(active: CertificateView | null, passive: CertificateView | null, ends: Ends): DoctorCheck[] {
  if (!active?.fingerprint || !passive?.fingerprint) return [];
  const say = check('certificate', 'same');
  if (active.fingerprint === passive.fingerprint) {
    return [say.ok('Both nodes show the same certificate.', `SHA-256 ${active.fingerprint}`)];
  }
  const seen = `${ends.active}: ${active.fingerprint}; ${ends.passive}: ${passive.fingerprint}`;
  const todo = 'Install the same certificate on both; phones that have pinned it refuse the other one.';
  return [say.warning('The two nodes show different certificates.', seen, todo)];
}
