/**
 * One FTP connection over TLS, checked and logged in, and what its server's words mean. An FTP connection does one thing at a time. Must
 * not know files.
 */
import { Client, FTPError } from 'basic-ftp';
import type { Clock } from '../../engine/ports.ts';
import { LocationError, type LocationFault } from '../location.ts';
import { cancelledFault, locationFault, ofSystem, type Place } from './faults.ts';
import { answerOf } from './flow.ts';
import { ofTls, trusting } from './tls.ts';

export interface FtpsSettings {
  host: string;
  /** 990: TLS from the first byte; any other: AUTH TLS */
  port: number;
  user: string;
  password: string;
  /** PEM of an authority that is trusted besides the machine's own */
  authority: string | null;
  place: Place;
  clock: Clock;
  silenceMs: number;
}

/** The port on which TLS is spoken from the first byte (IANA: ftps). */
const implicitPort = 990;

export interface FtpSession {
  client: Client;
  /** absolute path of the user's home */
  home: string;
  /** RFC 3659: one file's facts without a data connection */
  hasFacts: boolean;
}

/**
 * Connects, checks the certificate, logs in.
 * @throws LocationError
 */
export async function openFtp(settings: FtpsSettings, signal: AbortSignal): Promise<FtpSession> {
  const { host, port, user, password, authority, silenceMs } = settings;
  const client = new Client(silenceMs);
  keepWords(client);
  const login = async (): Promise<FtpSession> => {
    await client.access({
      ...{ host, port, user, password },
      secure: port === implicitPort ? 'implicit' : true,
      secureOptions: { secureContext: trusting(authority), host, ...(isAddress(host) ? {} : { servername: host }) },
    });
    const features = await client.features();
    return { client, home: await client.pwd(), hasFacts: features.has('MLST') };
  };
  try {
    return await onlyWhileWanted(client, settings, signal, 'the server', login);
  } catch (error) {
    client.close();
    throw error;
  }
}

/** A data connection that breaks must not take the other one with it: there the server says why. */
function keepWords(client: Client): void {
  let prepare = client.prepareTransfer;
  const keeping: typeof prepare = async (ftp) => {
    const reply = await prepare(ftp);
    // Once the library knows which way works it puts that in our place.
    if (client.prepareTransfer !== keeping) prepare = client.prepareTransfer;
    client.prepareTransfer = keeping;
    const { dataSocket } = ftp;
    if (dataSocket === undefined) return reply;
    dataSocket.on('error', () => {});
    for (const event of ['error', 'close'] as const) {
      // The library's own, set last: it would close everything. The transfer itself hears of the error too.
      const closing = dataSocket.listeners(event).at(event === 'error' ? -2 : -1);
      if (closing !== undefined) dataSocket.off(event, closing as () => void);
    }
    return reply;
  };
  client.prepareTransfer = keeping;
}

const isAddress = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/** One exchange of words: ended by the signal at once and by silence, and then the connection is given up. */
export async function onlyWhileWanted<T>(
  client: Client,
  settings: FtpsSettings,
  signal: AbortSignal,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const { place, clock, silenceMs } = settings;
  if (signal.aborted) throw cancelledFault(place);
  try {
    return await answerOf(work(), {
      ...{ clock, silenceMs, signal },
      cancelled: () => cancelledFault(place),
      silent: () => locationFault(place, 'timeout', `${what}: the server does not answer`),
      letGo: () => client.close(),
    });
  } catch (error) {
    throw ftpFault(place, error, what);
  }
}

const ofReply: Readonly<Record<number, LocationFault>> = {
  421: 'connection',
  425: 'connection',
  426: 'connection',
  430: 'credentials',
  452: 'full',
  500: 'unsupported',
  501: 'unsupported',
  502: 'unsupported',
  504: 'unsupported',
  522: 'unsupported',
  530: 'credentials',
  532: 'credentials',
  534: 'unsupported',
  552: 'full',
};

/** 550 and 553 mean anything: only the words tell. */
const ofWords: readonly (readonly [RegExp, LocationFault])[] = [
  [/quota|no space|disk full|storage|insufficient|not enough space/i, 'full'],
  [/too large/i, 'too-large'],
  [/no such|not found|(does not|doesn't|not) exist|cannot find|can't find/i, 'missing'],
  [/permission|denied|not permitted|not allowed|read-?only|forbidden|access/i, 'permission'],
];

/** What a failed exchange means. */
export function ftpFault(place: Place, error: unknown, what: string): LocationError {
  if (error instanceof LocationError) return error;
  const said = error instanceof Error ? error.message : String(error);
  if (error instanceof FTPError) {
    const named = ofWords.find(([words]) => words.test(said))?.[1];
    const coded = ofReply[error.code];
    const fault = coded === 'connection' || coded === undefined ? (named ?? coded ?? 'other') : coded;
    return locationFault(place, fault, `${what}: the server says "${said}"`);
  }
  const tls = ofTls(place, error);
  if (tls !== null) return tls;
  const system = ofSystem(place, error, what);
  if (system !== null) return system;
  if (/timeout/i.test(said)) return locationFault(place, 'timeout', `${what}: the server does not answer`);
  if (/clos|FIN|premature|disconnected|aborted/i.test(said)) {
    return locationFault(place, 'connection', `${what}: the connection was cut`);
  }
  return locationFault(place, 'other', `${what}: ${said}`);
}
