/**
 * Host names to numeric addresses, in the system's own order. A name that cannot be looked up says nothing about the
 * node behind it.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { codeOf, oneLine, wordsOf } from './evidence.ts';

export type Found =
  | { how: 'found'; addresses: { address: string; family: 4 | 6 }[] }
  | { how: 'failed'; why: string }
  | { how: 'cancelled' };

/** More addresses of one name than this are not asked. */
const maxAddresses = 4;

/**
 * Looks names up. The system's resolver runs on a pool of four threads, cannot be cancelled and may hang for half a
 * minute when its DNS server is silent; so one look-up per name is under way at a time and later askers wait for the same
 * one. Else hung look-ups would eat the pool and with it all file access.
 */
export class LookUp {
  readonly #underWay = new Map<string, Promise<Found>>();

  /** Never rejects. Ends after `timeoutMs` or by `signal`, though the system's own look-up may go on behind. */
  async find(host: string, timeoutMs: number, signal: AbortSignal): Promise<Found> {
    if (signal.aborted) return { how: 'cancelled' };
    const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
    const family = isIP(bare);
    if (family !== 0) return { how: 'found', addresses: [{ address: bare, family: family === 4 ? 4 : 6 }] };
    const asked = this.#underWay.get(bare) ?? this.#ask(bare);
    return new Promise((resolve) => {
      const done = (found: Found): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancelled);
        resolve(found);
      };
      const cancelled = (): void => done({ how: 'cancelled' });
      const late = (): void =>
        done({ how: 'failed', why: `could not look up ${oneLine(bare, 100)}: the system's resolver does not answer` });
      const timer = setTimeout(late, timeoutMs);
      signal.addEventListener('abort', cancelled, { once: true });
      void asked.then(done);
    });
  }

  #ask(host: string): Promise<Found> {
    const asked = new Promise<Found>((resolve) => {
      const failed = (error: unknown): void =>
        resolve({
          how: 'failed',
          why: `could not look up ${oneLine(host, 100)}: ${codeOf(error) || oneLine(wordsOf(error), 100)}`,
        });
      try {
        lookup(host, { all: true, order: 'verbatim' }, (error, addresses) => {
          if (error !== null) failed(error);
          else if (addresses.length === 0) failed(new Error('no address'));
          else {
            resolve({
              how: 'found',
              addresses: addresses
                .slice(0, maxAddresses)
                .map(({ address, family: f }) => ({ address, family: f === 6 ? 6 : 4 })),
            });
          }
        });
      } catch (error) {
        failed(error);
      }
    }).finally(() => this.#underWay.delete(host));
    this.#underWay.set(host, asked);
    return asked;
  }
}
