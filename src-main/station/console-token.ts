/** With what clients prove themselves to this engine, and where they found it last. */
import { randomBytes } from 'node:crypto';
import { readSecret, writeSecret } from '../config/secrets.ts';

/** Name of the secret. */
const tokenName = 'console-token';
/** Name of the remembered fact on which port they were answered last. */
export const portKey = 'consolePort';

/** Kept over restarts, so that an open page and a bookmark stay good; whoever deletes the secret gets a new one made. */
export function consoleToken(secrets: string): string {
  try {
    const kept = readSecret(secrets, tokenName);
    if (kept.length >= 32) return kept;
  } catch {
    // none yet, or not fit to be used: a new one takes its place
  }
  const made = randomBytes(24).toString('base64url');
  writeSecret(secrets, tokenName, made);
  return made;
}

/** That port as it was remembered; null: none that could be taken again. */
export function portBefore(kept: unknown): number | null {
  return typeof kept === 'number' && Number.isInteger(kept) && kept > 1023 && kept < 65_536 ? kept : null;
}
