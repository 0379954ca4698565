/**
 * Speaks to the engine that runs on a data folder: finds it by its engine.json, calls it over HTTP, and turns whatever
 * goes wrong on the way into sentences. Knows the contract, never the engine's parts.
 */
import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import { dataFolderAt } from '../config/data-folder.ts';
import { type Endpoint, readEndpoint } from '../config/endpoint.ts';
import type { contract } from '../contract/contract.ts';
import { EstepeError, errorCodes, sentenceOf } from '../contract/errors.ts';

export type EngineClient = ContractRouterClient<typeof contract>;

export interface Engine {
  client: EngineClient;
  /** `http://127.0.0.1:PORT/` */
  url: string;
  /** the same with the token in its fragment: lets a browser in; secret */
  link: string;
  /** Makes a call; every failure is an EstepeError. */
  call<T>(make: (client: EngineClient) => Promise<T>): Promise<T>;
}

/** An engine that is there answers at once; one that hangs must not hang the admin's terminal. */
const callWithinMs = 15_000;

/**
 * @throws EstepeError `no-engine` when none runs on this data folder
 */
export function findEngine(dataFolder: string): Engine {
  const { endpoint: url, token } = liveEndpoint(dataFolder);
  const base = url.endsWith('/') ? url : `${url}/`;
  const open = new Calls();
  const client: EngineClient = createORPCClient(
    new RPCLink({
      url: `${base}rpc`,
      headers: { authorization: `Bearer ${token}` },
      fetch: (request, init) => open.fetch(request, init),
    }),
  );
  return {
    client,
    url: base,
    link: `${base}#token=${encodeURIComponent(token)}`,
    async call(make) {
      let late: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_resolve, reject) => {
        late = setTimeout(() => {
          reject(silent(dataFolder, base, callWithinMs));
          open.end();
        }, callWithinMs);
      });
      try {
        return await Promise.race([make(client), silence]);
      } catch (error) {
        throw callFailure(error, dataFolder, base);
      } finally {
        clearTimeout(late);
      }
    },
  };
}

/**
 * The requests of one client that may still be open: one that a frozen engine never answers would keep this process from
 * ending. Holds them by name, since a signal that is only reached through others (`AbortSignal.any`, a `Request`'s own)
 * may be collected before it fires.
 */
class Calls {
  readonly #open = new Map<AbortController, Request>();

  fetch(request: Request, init: RequestInit): Promise<Response> {
    const own = new AbortController();
    this.#open.set(own, request);
    const { signal } = request;
    if (signal.aborted) own.abort(signal.reason);
    signal.addEventListener('abort', () => own.abort(signal.reason), { once: true });
    return fetch(request, { ...init, signal: own.signal });
  }

  end(): void {
    for (const own of this.#open.keys()) own.abort();
  }
}

function liveEndpoint(dataFolder: string): Endpoint {
  const notice = readEndpoint(dataFolderAt(dataFolder));
  switch (notice.state) {
    case 'live':
      return notice.endpoint;
    case 'none':
      throw new EstepeError(
        'no-engine',
        `No engine runs on ${dataFolder}.`,
        'Start it with `estepe serve`, or name the right folder with --data.',
        { dataFolder },
      );
    case 'starting':
      throw new EstepeError(
        'no-engine',
        `An engine is just starting on ${dataFolder}, or a restore is under way there without one: it tells no address.`,
        'Ask again in a moment.',
        { dataFolder },
      );
    case 'stale': {
      const { pid, startedAt } = notice.endpoint;
      throw new EstepeError(
        'no-engine',
        `No engine runs on ${dataFolder}: the last one (process ${pid}, started ${new Date(startedAt).toISOString()}) died.`,
        'See its log in the data folder, and start it again with `estepe serve`.',
        { dataFolder, pid, startedAt },
      );
    }
  }
}

/** A failed call as an error for the admin; also for a feed that broke. */
export function callFailure(error: unknown, dataFolder: string, url: string): EstepeError {
  if (error instanceof EstepeError) return error;
  if (error instanceof ORPCError) {
    const told = toldBy(error.data);
    if (told?.code === 'unauthorized') {
      return new EstepeError(
        'unauthorized',
        `The engine at ${url} refused this data folder's token: ${told.message}.`,
        'Another engine may have taken the port, or engine.json is of an earlier start: look with `estepe status`, or start the engine again.',
        { dataFolder, url },
        error,
      );
    }
    if (told !== null) return new EstepeError(told.code, told.message, told.todo, {}, error);
    return new EstepeError(
      'internal',
      `The engine at ${url} answered in a way this Estepe does not understand: ${error.message}`,
      'Check that the engine and this command line are of the same version.',
      { url },
      error,
    );
  }
  const reason = networkReason(error);
  return new EstepeError(
    'no-engine',
    reason === 'ECONNREFUSED'
      ? `No engine answers on ${url}, though ${dataFolder} says that one should: it ended without a word.`
      : `The connection to the engine at ${url} was lost: ${reason}.`,
    'Look at the engine’s log in the data folder, and start it with `estepe serve`.',
    { dataFolder, url, reason },
    error,
  );
}

/** The error for an engine that accepts and says nothing. */
export function silent(dataFolder: string, url: string, ms: number): EstepeError {
  return new EstepeError(
    'no-engine',
    `The engine at ${url} accepts the connection but has not answered for ${ms / 1000} s.`,
    'The engine hangs: look at its log in the data folder, and start it again.',
    { dataFolder, url },
  );
}

function toldBy(data: unknown): { code: EstepeError['code']; message: string; todo: string } | null {
  if (typeof data !== 'object' || data === null) return null;
  const { code, message, todo } = data as Record<string, unknown>;
  const known = errorCodes.find((one) => one === code);
  if (known === undefined || typeof message !== 'string' || typeof todo !== 'string') return null;
  return { code: known, message, todo };
}

/** `fetch failed` says nothing; its cause does. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : sentenceOf(cause ?? error);
}
