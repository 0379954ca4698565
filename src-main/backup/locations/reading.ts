/** An object's bytes on their way out of a location: metered, cancelled, and never just ending too early. Must not know any protocol. */
import type { Readable } from 'node:stream';
import type { Clock } from '../../engine/ports.ts';
import type { LocationError, Transfer } from '../location.ts';
import { cancelledFault, locationFault, type Place } from './faults.ts';
import { Meter } from './flow.ts';

export interface Reading {
  /** of the object, for sentences */
  name: string;
  /** bytes that were read before */
  from: number;
  /** bytes of the whole object */
  size: number;
  place: Place;
  transfer: Transfer;
  clock: Clock;
}

export const shortFault = (place: Place, name: string, got: number, of: number): LocationError =>
  locationFault(place, 'connection', `${name} was cut off at ${got} of ${of} bytes`);

/** @param raw the bytes from `from` on; destroyed with what is given back */
export function metered(raw: Readable, { name, from, size, place, transfer, clock }: Reading): Readable {
  const { signal } = transfer;
  // What ends too early was cut, even where the server's last word was friendly.
  const atEnd = (bytes: number) => (bytes < size ? shortFault(place, name, bytes, size) : null);
  const meter = new Meter(transfer, size, clock, { from, atEnd });
  const onAbort = (): void => void meter.destroy(cancelledFault(place));
  raw.once('error', (error) => meter.destroy(error));
  raw.once('close', () => {
    if (!raw.readableEnded && !meter.destroyed) meter.destroy(shortFault(place, name, meter.bytes, size));
  });
  meter.once('close', () => {
    signal.removeEventListener('abort', onAbort);
    raw.destroy();
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  raw.pipe(meter);
  return meter;
}
