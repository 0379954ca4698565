/**
 * The `web` test: HTTPS to the node's own address with SNI and Host = FQDN, since by DNS the other node might answer.
 * What is wrong with the certificate makes it `degraded` and no more: both nodes carry the same one, so a takeover would
 * cure nothing. Knows numeric endpoints only.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Attempt, attempt } from './attempt.ts';
import { type CertificateView, viewCertificate } from './certificate.ts';
import {
  blame,
  codeOf,
  type Endpoint,
  type Finding,
  glimpse,
  oneLine,
  place,
  socketFault,
  span,
  wordsOf,
} from './evidence.ts';
import { tlsWords } from './sip.ts';

export interface WebQuestion {
  end: Endpoint;
  fqdn: string;
  path: string;
  /** must stand in the first 64 KiB of the body; null: the status alone counts */
  marker: string | null;
  /** fewer days than this left on the certificate: degraded */
  warnDays: number;
  timeoutMs: number;
  /** what the whole test may take, a look-up of its name included, as evidence says it; default: `timeoutMs` */
  wholeMs?: number | undefined;
  source?: string | undefined;
  /** trusted authorities in PEM instead of the built-in ones */
  ca?: string | undefined;
}

const maxBodyBytes = 64 * 1024;

type Stage = 'connecting' | 'tls' | 'waiting' | 'body';

interface Progress {
  stage: Stage;
  certificate: CertificateView | null;
  status: string | null;
}

/** Asks once. Never rejects; ends by its time-out or by `signal`, however slowly the answer drips. */
export function webGet(question: WebQuestion, signal: AbortSignal): Promise<Finding> {
  const progress: Progress = { stage: 'connecting', certificate: null, status: null };
  return attempt(
    question.timeoutMs,
    signal,
    () => silence(question, progress),
    (a) => get(a, question, progress),
  );
}

function silence({ end, timeoutMs, wholeMs = timeoutMs }: WebQuestion, progress: Progress): Finding {
  const what: Record<Stage, string> = {
    connecting: `no connection to ${place(end)}`,
    tls: 'port accepts, but no TLS handshake',
    waiting: 'TLS handshake done, but no HTTP answer',
    body: `${progress.status ?? 'answer begun'}, but the marker did not come`,
  };
  const evidence = `${what[progress.stage]} within ${span(wholeMs)}`;
  if (progress.stage === 'body') return spoken(evidence, progress);
  return { ...dead(evidence, progress), silent: true, ...(progress.stage === 'connecting' ? {} : { there: true }) };
}

function detailOf(progress: Progress): Record<string, unknown> {
  return {
    ...(progress.status === null ? {} : { status: progress.status }),
    ...(progress.certificate === null ? {} : { certificate: progress.certificate }),
  };
}

function dead(evidence: string, progress: Progress): Finding {
  return { outcome: 'dead', evidence, detail: detailOf(progress) };
}

/** No service, but something that answers. */
function spoken(evidence: string, progress: Progress): Finding {
  return { ...dead(evidence, progress), there: true };
}

/** A good answer, judged by its certificate. */
function answered(progress: Progress): Finding {
  const faults = progress.certificate?.faults ?? [];
  const words = [progress.status ?? '', ...faults.map(({ sentence }) => sentence)].join('; ');
  return { outcome: faults.length > 0 ? 'degraded' : 'alive', evidence: words, detail: detailOf(progress) };
}

function get(a: Attempt, question: WebQuestion, progress: Progress): void {
  const { end, fqdn, path, source, ca } = question;
  const literal = isIP(fqdn);
  const authority = literal === 6 ? `[${fqdn}]` : fqdn;
  const request = httpsRequest({
    host: end.address,
    port: end.port,
    family: end.family,
    path,
    method: 'GET',
    // RFC 6066 §3: no SNI for numeric addresses
    servername: literal === 0 ? fqdn : '',
    headers: {
      host: end.port === 443 ? authority : `${authority}:${end.port}`,
      'user-agent': 'Estepe',
      'accept-encoding': 'identity',
      connection: 'close',
    },
    // its own connection each time: a kept one would answer for a server that takes no new ones
    agent: false,
    maxHeaderSize: maxBodyBytes,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(source === undefined ? {} : { localAddress: source }),
    ...(ca === undefined ? {} : { ca }),
  });
  a.onEnd(() => request.destroy());
  request.on(
    'socket',
    a.safely((socket) => {
      const tls = socket as TLSSocket;
      tls.once('connect', () => {
        progress.stage = 'tls';
      });
      tls.once(
        'secureConnect',
        a.safely(() => {
          progress.stage = 'waiting';
          progress.certificate = viewCertificate(tls, fqdn, question.warnDays, Date.now());
        }),
      );
    }),
  );
  request.on(
    'error',
    a.safely((error: Error) => a.settle(failed(error, question, progress))),
  );
  request.on(
    'upgrade',
    a.safely((_response, socket) => {
      socket.destroy();
      a.settle(foreign('a protocol switch nobody asked for', progress));
    }),
  );
  request.on(
    'response',
    a.safely((response) => judge(a, response, question, progress)),
  );
  request.end();
}

function foreign(what: string, progress: Progress): Finding {
  return {
    outcome: 'foreign',
    evidence: `something else answers on this port: ${what}`,
    detail: detailOf(progress),
  };
}

function failed(error: Error, { end }: WebQuestion, progress: Progress): Finding {
  const code = codeOf(error);
  // llhttp's own errors: bytes came, and they are no HTTP
  if (code.startsWith('HPE_')) {
    const raw = 'rawPacket' in error && error.rawPacket instanceof Uint8Array ? `, ${glimpse(error.rawPacket)}` : '';
    return foreign(`no HTTP (${oneLine(wordsOf(error), 80)})${raw}`, progress);
  }
  if (progress.stage === 'connecting' || blame(error) === 'own') return socketFault(error, end);
  if (progress.stage === 'tls') return spoken(`TLS failed: ${tlsWords(error)}`, progress);
  if (code === 'ECONNRESET') return spoken(`${place(end)} closed the connection without an answer`, progress);
  return spoken(`the connection broke: ${tlsWords(error)}`, progress);
}

function judge(a: Attempt, response: IncomingMessage, question: WebQuestion, progress: Progress): void {
  const status = response.statusCode ?? 0;
  progress.stage = 'body';
  progress.status = oneLine(`HTTP/${response.httpVersion} ${status} ${response.statusMessage ?? ''}`, 120);
  if (status < 200 || status > 599) {
    a.settle(foreign(`a status that is none, ${progress.status}`, progress));
    return;
  }
  if (status >= 500) {
    a.settle(spoken(progress.status, progress));
    return;
  }
  const { marker } = question;
  if (marker === null || marker === '') {
    // the rest of the body is not waited for: the head was parsed, the service lives
    a.settle(answered(progress));
    return;
  }
  const wanted = Buffer.from(marker, 'utf8');
  const missing = a.safely(() => {
    a.settle(spoken(`${progress.status} answers, but without the marker "${oneLine(marker, 60)}"`, progress));
  });
  // only what could still begin the marker is kept between two chunks
  let tail: Buffer = Buffer.alloc(0);
  let seen = 0;
  response.on(
    'data',
    a.safely((chunk: Buffer) => {
      const room = chunk.subarray(0, Math.max(0, maxBodyBytes - seen));
      seen += chunk.length;
      const window = Buffer.concat([tail, room]);
      if (window.includes(wanted)) a.settle(answered(progress));
      else if (seen >= maxBodyBytes) missing();
      tail = window.subarray(Math.max(0, window.length - wanted.length + 1));
    }),
  );
  response.on('end', missing);
  response.on(
    'error',
    a.safely((error: Error) => a.settle(failed(error, question, progress))),
  );
}
