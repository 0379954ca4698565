/**
 * The one-time code of a pairing and what is proven with it. 19 characters of Crockford's base32 are 95 bits: a recorded
 * proof cannot be tried against all codes, so that a plain HMAC is enough. Must not know sockets.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../engine/ports.ts';

/** Without I, L, O and U (Crockford, base 32). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const drawn = 19;

/** Luhn's sum modulo 32 over all characters; 0 when the last one is the right check character. */
function luhn(values: readonly number[]): number {
  return [...values].reverse().reduce((sum, value, place) => {
    const doubled = place % 2 === 0 ? value : value * 2;
    return (sum + Math.floor(doubled / 32) + (doubled % 32)) % 32;
  }, 0);
}

const grouped = (text: string): string => text.match(/.{4}/g)?.join('-') ?? text;

/** A new code, such as `7K2M-…`: five groups of four, the last character checks the others. */
export function newCode(random: Random): string {
  const values = Array.from(Buffer.from(random.hex(drawn), 'hex'), (byte) => byte & 31);
  const check = (32 - luhn([...values, 0])) % 32;
  return grouped([...values, check].map((value) => alphabet[value]).join(''));
}

/** A code as somebody typed it: blanks, dashes and case do not matter; O is read as 0, I and L as 1. */
export function readCode(typed: string): { code: string } | { why: string } {
  const text = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const values = [...text].map((sign) => alphabet.indexOf(sign));
  if (values.includes(-1)) return { why: 'a code has letters and digits only, and no U' };
  if (values.length !== drawn + 1) return { why: `a code has ${drawn + 1} characters, this one has ${values.length}` };
  if (luhn(values) !== 0) return { why: 'a character of the code is wrong, or two are swapped' };
  return { code: grouped(text) };
}

/** What both sides must agree on; whoever stands between them with a certificate of its own cannot. */
export interface Pledge {
  /** SHA-256 of the certificates, as each side sees the other's */
  joinerFingerprint: string;
  openerFingerprint: string;
  joinerNonce: string;
  openerNonce: string;
  pair: string;
  fqdn: string;
  joinerPlace: string;
  openerPlace: string;
}

/** One side's proof that it knows the code, hexadecimal. Each side has its own, so that none can be sent back. */
export function proofOf(side: 'joiner' | 'opener', code: string, pledge: Pledge): string {
  const read = readCode(code);
  const key = 'code' in read ? read.code : code;
  // As JSON each part has an end: no two pledges are the same text.
  const said = JSON.stringify([
    'estepe pairing 1',
    side,
    pledge.joinerFingerprint,
    pledge.openerFingerprint,
    pledge.joinerNonce,
    pledge.openerNonce,
    pledge.pair,
    pledge.fqdn,
    pledge.joinerPlace,
    pledge.openerPlace,
  ]);
  return createHmac('sha256', key).update(said).digest('hex');
}

/** Compares two hexadecimal texts in a time that does not tell where they differ. */
export function sameProof(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
