/**
 * The proof beside a backup: what was made, and when it was read back equal. It is published after its backup, so that one
 * without it counts as not verified. Whoever can write to the location can write a proof: before a restore the archive's own
 * manifest is held against every byte.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { EstepeError } from '../contract/errors.ts';
import type { Created } from './archive/worker-protocol.ts';
import { letGo } from './let-go.ts';
import { type Location, LocationError, type Stored, type Transfer } from './location.ts';
import { proofNameOf } from './names.ts';
import { type Persistence, patiently } from './patience.ts';

const maxProofBytes = 64 * 1024;
const whole = z.int().min(0);

const proof = z.object({
  format: z.literal(1),
  name: z.string(),
  /** bytes of the whole archive */
  size: whole,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** wall clock when its data was current */
  createdAt: z.number(),
  pair: z.string(),
  node: z.string(),
  epoch: whole,
  fqdn: z.string(),
  profile: z.string(),
  pbxVersion: z.string().nullable(),
  /** in it, and their bytes before packing */
  files: whole,
  bytes: whole,
  /** files that were rewritten while they were read, and what could not be taken at all */
  changed: whole,
  leftOut: whole,
  /** wall clock when the whole was last read back equal; null: never yet */
  verifiedAt: z.number().nullable(),
});
export type Proof = z.infer<typeof proof>;

export function proofOf(name: string, { size, sha256, manifest, changes }: Created): Proof {
  const { pair, node, epoch, fqdn, profile, pbxVersion, items, leftOut } = manifest;
  const files = items.filter((item) => item.kind === 'file');
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  const counts = { files: files.length, bytes, changed: changes.length, leftOut: leftOut.length };
  const about = { pair, node, epoch, fqdn, profile, pbxVersion };
  return { format: 1, name, size, sha256, createdAt: manifest.createdAt.wall, ...about, ...counts, verifiedAt: null };
}

/** Puts it beside its backup, in place of an older one. Throws LocationError. */
export async function publishProof(location: Location, proven: Proof, signal: AbortSignal): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(proven, null, 2)}\n`);
  await location.write(proofNameOf(proven.name), Readable.from([bytes]), bytes.length, { signal });
}

/** The proof of a backup; null when there is none, or none of it. Throws LocationError. */
export async function readProof(location: Location, backup: string, signal: AbortSignal): Promise<Proof | null> {
  const name = proofNameOf(backup);
  const stored = await location.stat(name, signal);
  if (stored === null || stored.size > maxProofBytes) return null;
  const pieces: Buffer[] = [];
  try {
    for await (const piece of await location.read(name, 0, { signal })) pieces.push(piece as Buffer);
  } catch (error) {
    // The other node's rotation has just removed it.
    if (error instanceof LocationError && error.fault === 'missing') return null;
    throw error;
  }
  try {
    const parsed = proof.safeParse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
    return parsed.success && parsed.data.name === backup ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Whether this object of the location is, as far as it can be told without reading it, what was once read back. */
export const isVerified = (pair: string, stored: Stored, proven: Proof | null): proven is Proof =>
  proven !== null && proven.verifiedAt !== null && proven.pair === pair && proven.size === stored.size;

/**
 * Reads a whole backup and holds it against its proof; where the line breaks it goes on from there.
 *
 * The hash covers every byte, so the manifest inside is the one that was made, too. To unpack it as well would take a copy of the
 * whole on this disk and, encrypted for a recipient, a key that this node need not have: that is done before a restore.
 * @throws EstepeError `backup` when it differs; LocationError
 */
export async function readBack(location: Location, proven: Proof, how: Persistence, transfer: Transfer): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await patiently(async () => {
      for await (const piece of await location.read(proven.name, bytes, transfer)) {
        hash.update(piece as Buffer);
        bytes += (piece as Buffer).length;
        letGo(piece as Buffer);
      }
    }, how);
  } catch (error) {
    if (!(error instanceof LocationError) || error.fault !== 'other') throw error;
    // It may have become shorter than what was already read of it. A server that cannot read it just now says nothing against it.
    const stored = await patiently(() => location.stat(proven.name, how.signal), how);
    if (stored === null || stored.size === proven.size) throw error;
    throw differs(location, proven, `it has ${stored.size} bytes, ${proven.size} were made`);
  }
  if (bytes !== proven.size) throw differs(location, proven, `it has ${bytes} bytes, ${proven.size} were made`);
  if (hash.digest('hex') !== proven.sha256) throw differs(location, proven, 'its SHA-256 is another one');
}

/** The word in `detail.fault` when what is stored is not what was made. */
export const differing = 'differs';

function differs(location: Location, { name }: Proof, what: string): EstepeError {
  return new EstepeError(
    'backup',
    `${name} in ${location.title} is not what was made: ${what}.`,
    'check the disk or server it is stored on, then make another backup',
    { fault: differing, name },
  );
}
