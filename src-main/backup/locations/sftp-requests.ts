/**
 * Requests of one piece of work over one SFTP channel, many at once: each is answered, or all fail together when the work is cancelled,
 * the server is silent, or the connection breaks. Must not know what is asked.
 */
import type { SFTPWrapper } from 'ssh2';
import type { Clock } from '../../engine/ports.ts';
import { LocationError } from '../location.ts';
import { cancelledFault, locationFault, type Place } from './faults.ts';
import { SilenceWatch } from './flow.ts';
import type { SshSession } from './ssh-session.ts';

/** draft-ietf-secsh-filexfer-02 §7 */
const status = { end: 1, noSuchFile: 2, denied: 3, noConnection: 6, connectionLost: 7, unsupported: 8 } as const;

export type Answer<T> = (error: Error | null | undefined, value: T) => void;

export interface Manner {
  place: Place;
  clock: Clock;
  silenceMs: number;
  signal: AbortSignal;
}

export class Requests {
  readonly #session: SshSession;
  readonly #manner: Manner;
  readonly #pending = new Set<(error: LocationError) => void>();
  readonly #watch: SilenceWatch;
  readonly #unhear: () => void;
  readonly #onAbort = (): void => this.#failAll(cancelledFault(this.#manner.place));
  #over: LocationError | null = null;

  constructor(session: SshSession, manner: Manner) {
    const { clock, silenceMs, signal, place } = manner;
    this.#session = session;
    this.#manner = manner;
    this.#watch = new SilenceWatch(
      clock,
      silenceMs,
      () => this.#pending.size > 0,
      () => {
        this.#failAll(locationFault(place, 'timeout', 'the server does not answer'));
        session.drop();
      },
    );
    this.#unhear = session.onEnd((error) => this.#failAll(error));
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  get session(): SshSession {
    return this.#session;
  }

  /** @param path what it is about, for the sentence */
  ask<T>(path: string, work: (sftp: SFTPWrapper, answer: Answer<T>) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const over = this.#over ?? this.#session.broken();
      if (over !== null) {
        reject(over);
        return;
      }
      if (this.#pending.size === 0) this.#watch.moved();
      this.#pending.add(reject);
      const heard = (): void => {
        this.#pending.delete(reject);
        this.#watch.moved();
      };
      try {
        work(this.#session.sftp, (error, value) => {
          heard();
          if (error) reject(this.#named(error, path));
          else resolve(value);
        });
      } catch (error) {
        // An extension that the server has not.
        heard();
        reject(this.#named(error, path));
      }
    });
  }

  /** One that is answered with success or failure only. */
  done(path: string, work: (sftp: SFTPWrapper, answer: (error?: Error | null) => void) => void): Promise<void> {
    return this.ask<void>(path, (sftp, answer) => work(sftp, (error) => answer(error, undefined)));
  }

  /** No more requests: lets go of timers and signals. */
  end(): void {
    this.#watch.end();
    this.#unhear();
    this.#manner.signal.removeEventListener('abort', this.#onAbort);
  }

  #failAll(error: LocationError): void {
    this.#over ??= error;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
  }

  #named(error: unknown, path: string): LocationError {
    const { place } = this.#manner;
    const what = path === '' ? 'the folder' : path;
    const said = error instanceof Error ? error.message : String(error);
    switch (statusOf(error)) {
      case status.noSuchFile:
        return locationFault(place, 'missing', `${what}: does not exist`);
      case status.denied:
        return locationFault(place, 'permission', `${what}: this user may not do that there`);
      case status.unsupported:
        return locationFault(place, 'unsupported', `${what}: the server cannot do that (${said})`);
      case status.noConnection:
      case status.connectionLost:
        return locationFault(place, 'connection', `${what}: the connection was cut`);
    }
    // What the library says of itself.
    if (/does not support/i.test(said)) return locationFault(place, 'unsupported', `${what}: ${said}`);
    if (/No response from server|Not connected|Channel/i.test(said)) {
      return this.#session.broken() ?? locationFault(place, 'connection', `${what}: the connection was cut`);
    }
    return locationFault(place, 'other', `${what}: the server says "${said}"`);
  }
}

function statusOf(error: unknown): number {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
  return typeof code === 'number' ? code : -1;
}

/** Whether a read was answered with "end of file", which is no failure. */
export const isEnd = (error: unknown): boolean => statusOf(error) === status.end;

/** Whether the server lacks what was asked for. */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof LocationError && error.fault === 'unsupported';
