/**
 * Encryption of whole archives in the age format (age-encryption.org/v1), as the `age` tool writes and reads it. Streams:
 * 64 KiB at a time. Runs in the archive's worker.
 */
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { ArchiveError } from './faults.ts';

/** For whom. A passphrase both nodes know, or a recipient whose identity only the passive needs. */
export type Encryption = { passphrase: string } | { recipient: string };
/** With what it is opened. */
export type Key = { passphrase: string } | { identity: string };

/**
 * scrypt takes 128 · 8 · 2^n bytes at once: the tool's own 18 are 256 MiB, more than a backup may take here; 16 are 64
 * MiB. So a passphrase must be long enough not to need the difference.
 */
const scryptLogN = 16;
export const leastPassphrase = 16;
/** Of others' archives we still open what the `age` tool writes. */
const mostScryptLogN = 18;

/** Loaded when it is asked for: it takes 20 MB of memory. */
const age = () => import('age-encryption');

const magic = 'age-encryption.org/v1\n';

/** A source's bytes, encrypted. @throws ArchiveError `wrong-key` when it is no passphrase or recipient */
export async function encrypted(source: Readable, encryption: Encryption): Promise<Readable> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  try {
    if ('passphrase' in encryption) {
      if (encryption.passphrase.length < leastPassphrase) {
        throw new ArchiveError('wrong-key', `The passphrase is shorter than ${leastPassphrase} characters.`);
      }
      encrypter.setPassphrase(encryption.passphrase);
      encrypter.setScryptWorkFactor(scryptLogN);
    } else {
      encrypter.addRecipient(encryption.recipient);
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError('wrong-key', 'What is given as recipient is none (`age1…`).', error);
  }
  const web = Readable.toWeb(source) as unknown as ReadableStream<Uint8Array>;
  return Readable.fromWeb((await encrypter.encrypt(web)) as unknown as NodeReadableStream<Uint8Array>);
}

/** What a file begins with: a zip, an age file, or neither. */
export async function looksLike(file: string): Promise<'zip' | 'age' | null> {
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    if (bytesRead === 0) throw new ArchiveError('damaged', 'It is empty.');
    const text = head.toString('latin1', 0, bytesRead);
    if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) return 'zip';
    if (!text.startsWith(magic)) return null;
    // Asked before the key is made: 2^20 would take 1 GiB.
    const logN = Number(/^-> scrypt \S+ (\d+)$/m.exec(text)?.[1] ?? 0);
    if (logN > mostScryptLogN) {
      throw new ArchiveError(
        'bomb',
        `Opening it would take ${2 ** (logN - 10)} MiB of memory for the passphrase alone.`,
      );
    }
    return 'age';
  } finally {
    await handle.close();
  }
}

/**
 * A source's bytes, decrypted. The stream fails where a byte was changed or the end is missing.
 * @throws ArchiveError `wrong-key` when the key is none of those it was made for, `damaged`
 */
export async function decrypted(source: Readable, key: Key | null): Promise<Readable> {
  if (key === null) throw new ArchiveError('wrong-key', 'It is encrypted, and no key is given here.');
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  try {
    if ('passphrase' in key) decrypter.addPassphrase(key.passphrase);
    else decrypter.addIdentity(key.identity);
  } catch (error) {
    throw new ArchiveError('wrong-key', 'What is given as identity is none (`AGE-SECRET-KEY-…`).', error);
  }
  const web = Readable.toWeb(source) as unknown as ReadableStream<Uint8Array>;
  try {
    return Readable.fromWeb((await decrypter.decrypt(web)) as unknown as NodeReadableStream<Uint8Array>);
  } catch (error) {
    source.destroy();
    const said = error instanceof Error ? error.message : '';
    if (/no identity matched|incorrect|passphrase/i.test(said)) {
      throw new ArchiveError('wrong-key', 'It is encrypted, and the key here does not open it.', error);
    }
    throw new ArchiveError('damaged', 'The header of its encryption is damaged.', error);
  }
}
