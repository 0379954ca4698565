/** A location on whose line other things have to go through too: each transfer keeps under so many bytes a second. */
import type { Location } from './location.ts';

/** @param bandwidth bytes a second; a transfer's own limit wins */
export function limited(location: Location, bandwidth: number): Location {
  return {
    title: location.title,
    list: (prefix, signal) => location.list(prefix, signal),
    stat: (name, signal) => location.stat(name, signal),
    read: (name, from, transfer) => location.read(name, from, { bandwidth, ...transfer }),
    write: (name, source, size, transfer) => location.write(name, source, size, { bandwidth, ...transfer }),
    createExclusive: (name, content, signal) => location.createExclusive(name, content, signal),
    remove: (name, signal) => location.remove(name, signal),
    close: () => location.close(),
  };
}
