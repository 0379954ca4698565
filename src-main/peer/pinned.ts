/** Which other node was paired: `<data>/peer.json`, for its owner alone. Must not know how the pairing came about. */
import { readFileSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { cleanLeftovers, writeAtomically } from '../config/atomic-file.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';

const pinnedSchema = z.object({
  format: z.literal(1),
  /** SHA-256 of its certificate's DER, hexadecimal */
  fingerprint: z.string().regex(/^[0-9a-f]{64}$/),
  /** its own address, as it said when it was paired */
  place: z.string(),
  /** wall clock */
  pairedAt: z.number(),
});
export type Pinned = Omit<z.infer<typeof pinnedSchema>, 'format'>;

export class PinnedFile {
  readonly #file: string;
  #pinned: Pinned | null = null;
  /** what is wrong with the file, in a sentence */
  trouble: string | null = null;

  /** Reads it; one that cannot be used counts as none, and `trouble` says so. */
  constructor(file: string) {
    this.#file = file;
    cleanLeftovers(dirname(file), basename(file));
    try {
      const { fingerprint, place, pairedAt } = pinnedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      this.#pinned = { fingerprint, place, pairedAt };
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return;
      const why = error instanceof SyntaxError || error instanceof z.ZodError ? 'it is damaged' : sentenceOf(error);
      this.trouble = `${file} cannot be used (${why}): this node does not know the one it was paired with. Pair again.`;
    }
  }

  get pinned(): Pinned | null {
    return this.#pinned;
  }

  /** Durable when it returns. @throws EstepeError `data-folder` when it cannot be written; then nothing has changed */
  pin(pinned: Pinned): void {
    try {
      writeAtomically(this.#file, `${JSON.stringify({ format: 1, ...pinned }, null, 2)}\n`);
    } catch (error) {
      throw this.#unwritable(error);
    }
    this.#pinned = pinned;
    this.trouble = null;
  }

  /** @throws EstepeError `data-folder` when the file cannot be removed; then the pairing stays */
  unpin(): void {
    try {
      rmSync(this.#file, { force: true });
    } catch (error) {
      throw this.#unwritable(error);
    }
    this.#pinned = null;
    this.trouble = null;
  }

  #unwritable(error: unknown): EstepeError {
    const what = `The pairing cannot be kept in ${this.#file}: ${sentenceOf(error)}.`;
    return new EstepeError('data-folder', what, 'check the free space and the rights of that folder', {}, error);
  }
}
