/**
 * One FTP connection over TLS, checked and logged in, and what its server's words mean. An FTP connection does one thing at a time. Must
 * not know files.
 */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Client, FTPError } from 'basic-ftp';
import type { Clock } from '../../engine/ports.ts';
import { LocationError, type LocationFault } from '../location.ts';
import { cancelledFault, codeOf, locationFault, ofSystem, type Place } from './faults.ts';
import { answerOf } from './flow.ts';

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

const contexts = new Map<string | null, SecureContext>();

/** Node's own authorities and the machine's. Made once: it takes some 50 ms. */
function trusting(authority: string | null): SecureContext {
  const known = contexts.get(authority);
  if (known !== undefined) return known;
  const own = authority === null ? [] : [authority];
  const context = createSecureContext({
    ca: [...getCACertificates('default'), ...getCACertificates('system'), ...own],
    minVersion: 'TLSv1.2',
  });
  contexts.set(authority, context);
  return context;
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
  const code = codeOf(error);
  if (/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|HOSTNAME_MISMATCH/.test(code)) {
    return locationFault(
      place,
      'certificate',
      `the server's certificate is not accepted: ${certificateWords(code, said)}`,
    );
  }
  if (/^(EPROTO|ERR_SSL)/.test(code)) {
    return locationFault(
      place,
      'unsupported',
      `no TLS with that server (${code})`,
      'look at its TLS settings and port',
    );
  }
  const system = ofSystem(place, error, what);
  if (system !== null) return system;
  if (/timeout/i.test(said)) return locationFault(place, 'timeout', `${what}: the server does not answer`);
  if (/clos|FIN|premature|disconnected|aborted/i.test(said)) {
    return locationFault(place, 'connection', `${what}: the connection was cut`);
  }
  return locationFault(place, 'other', `${what}: ${said}`);
}

function certificateWords(code: string, said: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it is out of date';
  if (code === 'CERT_NOT_YET_VALID') return 'it is not valid yet; is the clock right?';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `it is for another name (${said})`;
  return `no authority that this machine trusts has signed it (${code})`;
}
