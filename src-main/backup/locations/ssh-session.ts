/**
 * One SSH connection with its SFTP channel: made on a socket of our own (no Nagle delay: 5 times the throughput), the host's key checked
 * before anything secret is sent. Must not know files.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import {
  Client,
  type ClientErrorExtensions,
  type ConnectConfig,
  type ServerHostKeyAlgorithm,
  type SFTPWrapper,
} from 'ssh2';
import type { Clock } from '../../engine/ports.ts';
import { LocationError } from '../location.ts';
import { cancelledFault, locationFault, ofSystem, type Place } from './faults.ts';
import { answerOf } from './flow.ts';

/** Where the keys of hosts are kept that were seen before. */
export interface HostKeys {
  /** what `pin` kept for that host, or null */
  pinned(host: string): string | null;
  /** Keeps it: called once, before anything secret is sent to that host. `fingerprint`: `ssh-ed25519 SHA256:…`. */
  pin(host: string, fingerprint: string): void;
}

export interface SshSettings {
  host: string;
  port: number;
  user: string;
  password: string | null;
  /** private key; `password` is its passphrase then, where it has one */
  key: string | null;
  /** `SHA256:…` from the configuration, or null */
  hostKey: string | null;
  hostKeys: HostKeys;
  place: Place;
  clock: Clock;
  silenceMs: number;
}

/** By kind of key, the safer ones first: a server has several, and which one it shows must not change with a library's taste. */
const families: Readonly<Record<string, ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};
const allAlgorithms = Object.values(families).flat();

/** `ssh-ed25519 SHA256:…`, as `ssh-keygen -l` prints the second part. */
function fingerprintOf(key: Buffer): string {
  const kind = key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
  return `${kind} SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

export interface SshSession {
  readonly sftp: SFTPWrapper;
  /** why it is over; null while it lives */
  broken(): LocationError | null;
  /** Calls back once when the connection breaks; the answer takes that back. */
  onEnd(call: (error: LocationError) => void): () => void;
  /** at once, without a word to the other side */
  drop(): void;
}

/**
 * Connects, checks the host, logs in, opens SFTP.
 * @throws LocationError; what `hostKeys` throws
 */
export async function openSession(settings: SshSettings, signal: AbortSignal): Promise<SshSession> {
  const { place, hostKeys, hostKey } = settings;
  const known = hostKeys.pinned(hostName(settings));
  if (hostKey === null) return attempt(settings, known, algorithmsFor(known), signal);
  // A fingerprint from the configuration does not say of which of the server's keys it is.
  let seen: unknown = null;
  for (const algorithms of Object.values(families)) {
    try {
      return await attempt(settings, hostKey, algorithms, signal);
    } catch (error) {
      const another = error instanceof LocationError && (error.fault === 'host-key' || error.fault === 'unsupported');
      if (!another) throw error;
      if (seen === null || error.fault === 'host-key') seen = error;
    }
  }
  throw seen ?? locationFault(place, 'host-key', 'the server shows no key');
}

const hostName = ({ host, port }: SshSettings): string => (port === 22 ? host : `[${host}]:${port}`);

/** The kind that was pinned is asked for first. */
function algorithmsFor(known: string | null): ServerHostKeyAlgorithm[] {
  const first = families[known?.split(' ')[0] ?? ''] ?? [];
  return [...first, ...allAlgorithms.filter((name) => !first.includes(name))];
}

async function attempt(
  settings: SshSettings,
  expected: string | null,
  algorithms: ServerHostKeyAlgorithm[],
  signal: AbortSignal,
): Promise<SshSession> {
  const { place, clock, silenceMs, host, port } = settings;
  if (signal.aborted) throw cancelledFault(place);
  const socket = connect({ host, port, noDelay: true });
  const client = new Client();
  const drop = (): void => {
    client.destroy();
    socket.destroy();
  };
  const cancelled = (): Error => cancelledFault(place);
  const silent = (): Error => locationFault(place, 'timeout', 'the server does not answer');
  const waiting = { clock, silenceMs, signal, cancelled, silent, letGo: drop };
  try {
    await answerOf(login(client, socket, settings, expected, algorithms), waiting);
    const sftp = await answerOf(channel(client, place), waiting);
    return watched(client, sftp, drop, place);
  } catch (error) {
    client.on('error', () => {});
    drop();
    throw error;
  }
}

function login(
  client: Client,
  socket: Socket,
  settings: SshSettings,
  expected: string | null,
  algorithms: ServerHostKeyAlgorithm[],
): Promise<void> {
  const { place, hostKeys, user, password, key } = settings;
  return new Promise((resolve, reject) => {
    let refused: Error | null = null;
    const check = (shown: Buffer): boolean => {
      const fingerprint = fingerprintOf(shown);
      if (expected === null) {
        try {
          hostKeys.pin(hostName(settings), fingerprint);
          return true;
        } catch (error) {
          // Thrown from here it would be taken for a broken line, and tried again.
          refused = error instanceof Error ? error : new Error(String(error));
          return false;
        }
      }
      const same = expected === fingerprint || expected === fingerprint.split(' ')[1];
      if (!same) {
        const sentence = `the server shows another key than before: ${fingerprint} instead of ${expected}`;
        refused = locationFault(place, 'host-key', sentence);
      }
      return same;
    };
    client.on('error', (error) => reject(refused ?? loginFault(place, error)));
    client.on('close', () => reject(refused ?? locationFault(place, 'connection', 'the connection was cut')));
    client.on('ready', resolve);
    // Many servers ask for the password as if a person sat there.
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, finish) =>
      finish(prompts.map(({ echo }) => (echo ? user : (password ?? '')))),
    );
    const config: ConnectConfig = {
      sock: socket,
      username: user,
      hostVerifier: check,
      tryKeyboard: password !== null,
      // Ours, see `answerOf`.
      readyTimeout: 0,
      keepaliveInterval: 0,
      algorithms: { serverHostKey: algorithms },
      ...(password === null ? {} : { password }),
      ...(key === null ? {} : { privateKey: key }),
      ...(key === null || password === null ? {} : { passphrase: password }),
    };
    socket.once('error', (error) => reject(loginFault(place, error)));
    try {
      client.connect(config);
    } catch (error) {
      const why = error instanceof Error ? error.message : '';
      reject(locationFault(place, 'credentials', `the private key cannot be used (${why})`));
    }
  });
}

function loginFault(place: Place, error: Error & ClientErrorExtensions): LocationError {
  const system = ofSystem(place, error, 'the server');
  if (system !== null) return system;
  if (error.level === 'client-authentication') {
    return locationFault(place, 'credentials', 'the server refused the user, the password or the key');
  }
  if (error.level === 'handshake' || error.level === 'protocol') {
    return locationFault(place, 'unsupported', `no agreement with the server: ${error.message}`);
  }
  return locationFault(place, 'connection', `the connection failed: ${error.message}`);
}

function channel(client: Client, place: Place): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const cut = (): void => reject(locationFault(place, 'connection', 'the connection was cut'));
    client.once('close', cut);
    client.sftp((error, sftp) => {
      client.off('close', cut);
      if (error) reject(locationFault(place, 'unsupported', `the server has no SFTP for this user: ${error.message}`));
      else resolve(sftp);
    });
  });
}

function watched(client: Client, sftp: SFTPWrapper, drop: () => void, place: Place): SshSession {
  let broken: LocationError | null = null;
  const listeners = new Set<(error: LocationError) => void>();
  const cut = (): void => {
    if (broken !== null) return;
    broken = locationFault(place, 'connection', 'the connection was cut');
    for (const call of [...listeners]) call(broken);
  };
  client.removeAllListeners('error').removeAllListeners('close');
  client.on('error', cut);
  client.on('close', cut);
  sftp.on('error', cut);
  sftp.on('close', cut);
  return {
    sftp,
    broken: () => broken,
    onEnd: (call) => {
      listeners.add(call);
      return () => listeners.delete(call);
    },
    drop: () => {
      cut();
      drop();
    },
  };
}
