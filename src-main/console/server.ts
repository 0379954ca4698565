/**
 * The console over HTTP on loopback: calls under /rpc and /metrics behind a token, the built page, /healthz. Keeps strangers out
 * (gate.ts, guesses.ts) and bounds what any client can cost. Knows the engine only as a desk; logs nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RPCHandler } from '@orpc/server/node';
import type { Desk } from '../contract/desk.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { blindedBy } from '../contract/view.ts';
import { callError } from './call-errors.ts';
import {
  allowedHosts,
  hostInUrl,
  isLoopback,
  judgeCall,
  judgeSource,
  type Refusal,
  tokenCheck,
  tooLarge,
} from './gate.ts';
import { makeGuessLimit } from './guesses.ts';
import { metricsOf, metricsType } from './metrics.ts';
import { servePage } from './pages.ts';
import { makeRouter } from './router.ts';

export interface ConsoleOptions {
  desk: Desk;
  /** a loopback address; anything else is refused */
  host: string;
  /** 0 takes a free one */
  port: number;
  /** at least 16 characters of randomness; whoever has it may promote */
  token: string;
  /** the built page, `out/renderer` */
  rendererFolder: string;
  /** Estepe's own, as /healthz tells it */
  version: string;
  /** Told of faults of our own, for the log. */
  onFault?: (error: unknown) => void;
  limits?: Partial<ConsoleLimits>;
}

/** What a client may cost. The defaults are generous for one page and one command line. */
export interface ConsoleLimits {
  /** milliseconds for a request's headers to arrive */
  headersMs: number;
  /** milliseconds for the whole request to arrive */
  requestMs: number;
  connections: number;
}

export interface RunningConsole {
  /** `http://127.0.0.1:PORT/`, without the token */
  url: string;
  /** the address that lets a browser in: the token in its fragment, which no server and no referrer ever sees. Secret. */
  link: string;
  port: number;
  /** From the next call on another desk answers: the engine of a folder that had none. Calls under way end with the old one. */
  serve(desk: Desk): void;
  /** Cuts every feed and connection; resolves when the port is free again. Calling it again is harmless. */
  close(): Promise<void>;
}

const maxBodyBytes = 64 * 1024;
/** Calls that carry a whole text: escaped as JSON each of its signs may take up to six bytes. */
const textCalls: readonly string[] = ['config/check', 'config/save', 'config/try/start', 'secrets/set'];
const maxTextBodyBytes = 1024 * 1024;
const usualLimits: ConsoleLimits = { headersMs: 5_000, requestMs: 10_000, connections: 100 };
/** A feed says something every 5 s at the latest; a socket this long without progress has nobody reading it. */
const stalledSocketMs = 60_000;

const safeHeaders: Record<string, string> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
};

/**
 * Starts the console. Rejects with EstepeError `port` (taken, not allowed, not loopback) or `config` (token too short).
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { host, token, rendererFolder, version, onFault = () => {} } = options;
  if (!isLoopback(host)) {
    throw new EstepeError(
      'port',
      `the console may not listen on ${host}: only on this machine's own loopback`,
      'use 127.0.0.1; from elsewhere reach it through an SSH tunnel or a remote desktop',
    );
  }
  if (token.length < 16) {
    throw new EstepeError('config', 'the console token is too short', 'delete it and restart: a new one is made');
  }

  const limits = { ...usualLimits, ...options.limits };
  let { desk } = options;
  let rpc = new RPCHandler(makeRouter({ desk, onFault }));
  const rightToken = tokenCheck(token);
  const guesses = makeGuessLimit(() => performance.now());
  let hosts: ReadonlySet<string> = new Set();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const [name, value] of Object.entries(safeHeaders)) response.setHeader(name, value);
    const source = judgeSource(request.headers, hosts);
    if (source !== null) return refuse(response, source);
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path === '/healthz') return health(request, response, desk, version);
    if (!isCall(path) && path !== '/metrics') return servePage(rendererFolder, request, response);

    if (!rightToken(request.headers.authorization)) {
      return refuseToken(response, guesses.wrong(request.socket.remoteAddress ?? ''));
    }
    return isCall(path) ? called(request, response) : metrics(request, response, desk);
  };

  const called = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const maxBytes = mostBytesOf(request.url);
    const refusal = judgeCall(request.method, request.headers, maxBytes);
    if (refusal !== null) return refuse(response, refusal);
    const body = await readJson(request, maxBytes);
    if ('status' in body) return refuse(response, body);

    response.setHeader('Cache-Control', 'no-store');
    // The adapter takes a body that was read already (as body parsers leave it) instead of the stream.
    Object.assign(request, { body: body.json });
    const { matched } = await rpc.handle(request, response, { prefix: '/rpc', context: {} });
    if (!matched) {
      refuse(response, {
        status: 404,
        code: 'not-found',
        message: 'there is no such call',
        todo: 'check that client and engine are of the same version',
      });
    }
  };

  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
      maxHeaderSize: 16 * 1024,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        if (response.destroyed || request.destroyed) return; // the client left; nobody to tell
        onFault(error);
        if (response.headersSent) response.destroy();
        else refuse(response, internalFault);
      });
    },
  );
  server.maxConnections = limits.connections;
  server.timeout = stalledSocketMs;

  const port = await listen(server, host, options.port);
  hosts = allowedHosts(host, port);
  const url = `http://${hostInUrl(host)}:${port}/`;
  let closing: Promise<void> | undefined;
  return {
    url,
    link: `${url}#token=${encodeURIComponent(token)}`,
    port,
    serve(next) {
      desk = next;
      rpc = new RPCHandler(makeRouter({ desk, onFault }));
    },
    close() {
      closing ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closing;
    },
  };
}

const isCall = (path: string): boolean => path === '/rpc' || path.startsWith('/rpc/');

const mostBytesOf = (url: string | undefined): number =>
  textCalls.some((call) => (url ?? '').split('?', 1)[0] === `/rpc/${call}`) ? maxTextBodyBytes : maxBodyBytes;

const internalFault: Refusal = {
  status: 500,
  code: 'internal',
  message: 'the console could not answer',
  todo: "see the engine's log for what went wrong",
};

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(portError(error, host, port));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function portError(error: NodeJS.ErrnoException, host: string, port: number): EstepeError {
  const where = `port ${port} on ${host}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new EstepeError(
        'port',
        `${where} is taken by another program`,
        'end that program, or give the console another port',
        { port },
        error,
      );
    case 'EACCES':
      return new EstepeError(
        'port',
        `${where} may not be used by this account`,
        'give the console a port above 1023',
        { port },
        error,
      );
    default:
      return new EstepeError(
        'port',
        `the console cannot listen on ${where}: ${sentenceOf(error)}`,
        'give the console another address or port',
        { port },
        error,
      );
  }
}

/** One line for monitors: is the engine there, and does it watch? */
function health(request: IncomingMessage, response: ServerResponse, desk: Desk, version: string): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    sendJson(response, 405, { ok: false, version });
    return;
  }
  const snapshot = snapshotOf(desk);
  if (snapshot === null) return sendJson(response, 503, { ok: false, version, trouble: 'first-run' });
  const trouble = blindedBy(snapshot);
  sendJson(response, trouble === null ? 200 : 503, {
    ok: trouble === null,
    version,
    phase: snapshot.core.phase,
    ...(trouble === null ? {} : { trouble: trouble.key }),
  });
}

/** Null before the first configuration: nothing is watched, so there is nothing to tell. */
function snapshotOf(desk: Desk): Snapshot | null {
  try {
    return desk.snapshot();
  } catch (error) {
    if (error instanceof EstepeError && error.code === 'first-run') return null;
    throw error;
  }
}

/** For a monitoring system: whoever scrapes has the token, as other callers do. */
async function metrics(request: IncomingMessage, response: ServerResponse, desk: Desk): Promise<void> {
  const read = request.method === 'GET' || request.method === 'HEAD';
  if (!read) response.setHeader('Allow', 'GET, HEAD');
  const snapshot = snapshotOf(desk);
  const text = read && snapshot !== null ? await metricsOf(snapshot) : '';
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(read ? 200 : 405, { 'Content-Type': metricsType });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** The body as JSON, an empty one as no input. Stops reading at the limit. */
async function readJson(request: IncomingMessage, maxBytes: number): Promise<{ json: object } | Refusal> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (size === 0) return { json: {} };
  try {
    const json: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { json };
  } catch {
    // falls through: the same answer for what is no JSON and what is no object
  }
  return {
    status: 400,
    code: 'usage',
    message: 'the body is not a JSON object',
    todo: 'send what the contract asks for',
  };
}

function refuseToken(response: ServerResponse, blockedMs: number): void {
  if (blockedMs > 0) {
    const seconds = Math.ceil(blockedMs / 1000);
    response.setHeader('Retry-After', String(seconds));
    refuse(response, {
      status: 429,
      code: 'unauthorized',
      message: 'too many wrong tokens from this address',
      todo: `use the right token, or wait ${seconds} s`,
    });
    return;
  }
  response.setHeader('WWW-Authenticate', 'Bearer realm="estepe"');
  refuse(response, {
    status: 401,
    code: 'unauthorized',
    message: 'the token is missing or wrong',
    todo: 'open the address that `estepe status` prints',
  });
}

/** A refusal in the shape of a failed call, so that every client reads it alike. Closes the connection. */
function refuse(response: ServerResponse, { status, code, message, todo }: Refusal): void {
  // What is left of the body is not worth reading.
  response.setHeader('Connection', 'close');
  sendJson(response, status, { json: callError(code, message, todo, status).toJSON(), meta: [] });
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(response.req.method === 'HEAD' ? undefined : JSON.stringify(value));
}
