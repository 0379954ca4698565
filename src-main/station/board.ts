/** The configured location as the board of words and claims. Opened anew when the configuration changes; small texts only. */
import { Readable } from 'node:stream';
import type { Location } from '../backup/location.ts';
import { LocationError } from '../backup/location.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Board } from '../peer/board.ts';

/** A word has 16 KiB at most, a claim some hundred bytes. */
const maxBytes = 64 * 1024;

export function boardOf(location: Location): Board {
  return {
    title: location.title,
    async put(name, text, signal) {
      const bytes = Buffer.from(text);
      await location.write(name, Readable.from([Buffer.from(bytes)]), bytes.length, { signal });
    },
    async get(name, signal) {
      let stream: Readable;
      try {
        stream = await location.read(name, 0, { signal });
      } catch (error) {
        if (error instanceof LocationError && error.fault === 'missing') return null;
        throw error;
      }
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of stream as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes > maxBytes) {
          const what = `${location.title}: ${name} is larger than ${maxBytes / 1024} KiB.`;
          throw new EstepeError('location', what, 'remove it: it is none of what Estepe writes there');
        }
        pieces.push(piece);
      }
      return Buffer.concat(pieces).toString();
    },
    list: async (prefix, signal) => (await location.list(prefix, signal)).map(({ name }) => name),
    createExclusive: (name, text, signal) => location.createExclusive(name, text, signal),
    close: () => location.close(),
  };
}
