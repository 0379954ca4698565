/**
 * Secrets: one file per name in `<data>/secrets`, for its owner alone; estepe.yaml only names them. Must not know what
 * they open.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { cleanLeftovers, writeAtomically } from './atomic-file.ts';
import { secretNamePattern } from './scalars.ts';

/** Private keys and service accounts are the largest. */
const maxSecretBytes = 64 * 1024;

function fileOf(folder: string, name: string): string {
  if (!secretNamePattern.test(name)) {
    // The name is not repeated: somebody may have given the secret itself.
    throw new EstepeError('config', 'This is not the name of a secret.', 'use letters, digits, `.`, `_` and `-`');
  }
  return join(folder, name);
}

const todo = (name: string) =>
  `write it with \`estepe secret set ${name}\`, or put a file of that name there (mode 600)`;

/**
 * A secret by its name, without the line break that an editor leaves at its end.
 * @param folder `DataFolder.secrets`
 * @throws EstepeError `config` when it is missing, empty, too large or readable by others; never with its content
 */
export function readSecret(folder: string, name: string): string {
  const file = fileOf(folder, name);
  try {
    const { size, mode } = statSync(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new EstepeError('config', `The secret ${file} can be read by others.`, `chmod 600 ${file}`, { name });
    }
    if (size > maxSecretBytes) {
      throw new EstepeError('config', `The secret ${file} is larger than 64 KiB.`, todo(name), { name });
    }
    const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (secret === '') throw new EstepeError('config', `The secret ${file} is empty.`, todo(name), { name });
    return secret;
  } catch (error) {
    if (error instanceof EstepeError) throw error;
    const missing = error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
    const why = missing ? 'does not exist' : `cannot be read: ${sentenceOf(error)}`;
    throw new EstepeError('config', `The secret ${file} ${why}.`, todo(name), { name }, error);
  }
}

/**
 * Keeps a secret under a name, in place of one that was there.
 * @throws EstepeError `config` for a wrong name or an empty secret, `data-folder` when it cannot be written
 */
export function writeSecret(folder: string, name: string, secret: string): void {
  const file = fileOf(folder, name);
  if (secret === '' || Buffer.byteLength(secret) > maxSecretBytes) {
    throw new EstepeError('config', `The secret ${name} is empty or larger than 64 KiB.`, 'give another one', { name });
  }
  try {
    cleanLeftovers(folder, name);
    writeAtomically(file, secret);
  } catch (error) {
    const why = `The secret ${file} cannot be written: ${sentenceOf(error)}.`;
    throw new EstepeError('data-folder', why, 'check the free space and the rights of that folder', { name }, error);
  }
}

/** Names of the secrets there are. */
export function secretNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => secretNamePattern.test(name));
  } catch {
    return [];
  }
}

/** How a secret may look once programs have passed it on. */
function disguises(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('base64'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
}

/** The text with each of these secrets, also URL-, JSON-, base64- or hex-encoded, replaced by `[secret]`. */
export function redact(text: string, secrets: readonly string[]): string {
  const forms = new Set(secrets.filter((secret) => secret !== '').flatMap(disguises));
  // Longest first: a short secret may be part of a longer one.
  return [...forms]
    .sort((a, b) => b.length - a.length)
    .reduce((clean, form) => clean.replaceAll(form, '[secret]'), text);
}
