/**
 * 3CX's own API (v20, "XAPI"): stops the services of the old active. Asked at the node's own address, since the FQDN may point
 * to either, with the certificate checked against the FQDN: a client secret is handed over. 3CX xapi-tutorial, swagger.yaml.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { sentenceOf } from '../../contract/errors.ts';
import type { PbxApi, PbxApiEnd, PbxApiPlan } from './means.ts';

export interface XapiOptions {
  /** the secret of that name; throws with a sentence */
  secret: (name: string) => string;
  /** trusted authorities (PEM) instead of the built-in ones */
  ca?: string;
  /** between two looks at the services, milliseconds */
  pollMs?: number;
}

/** One request; the whole is bounded by the step. */
const requestMs = 10_000;
const maxBodyBytes = 1024 * 1024;

const tokenSchema = z.object({ access_token: z.string().min(1) });
const servicesSchema = z.object({ value: z.array(z.object({ Name: z.string(), Status: z.string() })) });
type Service = z.infer<typeof servicesSchema>['value'][number];

/** What the API itself stands on: stopped last, since with it the answers end. */
const carriesTheApi = /nginx|SystemService|CfgServ/i;
/** No phone talks to it, and a database that is cut off helps nobody. */
const staysUp = /postgres/i;

/** The connection ended, or nobody answered: what follows when the API's own service stops. */
class Unreachable extends Error {}
class Refused extends Error {}

interface Ask {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export class XapiClient implements PbxApi {
  readonly #options: XapiOptions;

  constructor(options: XapiOptions) {
    this.#options = options;
  }

  /** Stops what runs there and looks until it has stopped. Never rejects; no sentence holds secret or token. */
  async stop(plan: PbxApiPlan, { dryRun, signal }: { dryRun: boolean; signal: AbortSignal }): Promise<PbxApiEnd> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(plan.timeoutMs)]);
    const place = `the API of the PBX on ${plan.address}:${plan.port}`;
    try {
      const token = await this.#token(plan, limit);
      const running = (await this.#services(plan, token, limit)).filter(isRunning);
      if (dryRun) return { outcome: 'checked', sentence: `${place} answers; ${running.length} services run there` };
      if (running.length === 0) return { outcome: 'stopped', sentence: `${place} says that no service runs there` };
      const last = running.filter(({ Name }) => carriesTheApi.test(Name));
      const first = running.filter((service) => !last.includes(service));
      await this.#stopAll(plan, token, first, limit);
      await this.#until(plan, token, first, limit);
      // With these the API goes too: that it does not answer any more is what was asked for.
      try {
        await this.#stopAll(plan, token, last, limit);
        await this.#until(plan, token, last, limit);
      } catch (error) {
        if (!(error instanceof Unreachable) || limit.aborted) throw error;
      }
      return { outcome: 'stopped', sentence: `${place} stopped ${running.map(({ Name }) => Name).join(', ')}` };
    } catch (error) {
      if (signal.aborted) return { outcome: 'not-stopped', sentence: `cancelled while ${place} was asked` };
      if (limit.aborted)
        return {
          outcome: 'not-stopped',
          sentence: `${place} did not stop the services within ${plan.timeoutMs / 1000} s`,
        };
      const outcome = error instanceof Unreachable ? 'unreachable' : 'not-stopped';
      return { outcome, sentence: `${place}: ${sentenceOf(error)}` };
    }
  }

  async #token(plan: PbxApiPlan, signal: AbortSignal): Promise<string> {
    const body = new URLSearchParams({
      client_id: plan.clientId,
      client_secret: this.#options.secret(plan.secret),
      grant_type: 'client_credentials',
    }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const text = await this.#ask(plan, { method: 'POST', path: '/connect/token', headers, body }, signal);
    return parsed(tokenSchema, text, 'the answer to /connect/token').access_token;
  }

  async #services(plan: PbxApiPlan, token: string, signal: AbortSignal): Promise<Service[]> {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const text = await this.#ask(plan, { method: 'GET', path: '/xapi/v1/Services', headers }, signal);
    return parsed(servicesSchema, text, 'the list of services').value.filter(({ Name }) => !staysUp.test(Name));
  }

  async #stopAll(plan: PbxApiPlan, token: string, services: readonly Service[], signal: AbortSignal): Promise<void> {
    if (services.length === 0) return;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ ServiceNames: services.map(({ Name }) => Name) });
    await this.#ask(plan, { method: 'POST', path: '/xapi/v1/Services/Pbx.Stop', headers, body }, signal);
  }

  async #until(plan: PbxApiPlan, token: string, services: readonly Service[], signal: AbortSignal): Promise<void> {
    const names = new Set(services.map(({ Name }) => Name));
    for (;;) {
      const now = await this.#services(plan, token, signal);
      if (!now.some((service) => names.has(service.Name) && service.Status !== 'Stopped')) return;
      await wait(this.#options.pollMs ?? 1_000, undefined, { signal });
    }
  }

  /** The body of a 2xx answer. */
  #ask(plan: PbxApiPlan, { method, path, headers, body }: Ask, signal: AbortSignal): Promise<string> {
    const { address, port, fqdn } = plan;
    const { ca } = this.#options;
    return new Promise((resolve, reject) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(requestMs)]);
      const request = httpsRequest({
        host: address,
        port,
        path,
        method,
        // RFC 6066 §3: no SNI for numeric addresses; the name is checked all the same
        servername: isIP(fqdn) === 0 ? fqdn : '',
        headers: {
          host: port === 443 ? fqdn : `${fqdn}:${port}`,
          'user-agent': 'Estepe',
          'content-length': Buffer.byteLength(body ?? ''),
          ...headers,
        },
        agent: false,
        signal: limit,
        ...(ca === undefined ? {} : { ca }),
      });
      request.on('error', (error) =>
        reject(limit.aborted && !signal.aborted ? new Unreachable('no answer within 10 s') : fault(error)),
      );
      request.on(
        'response',
        (response) =>
          void bodyOf(response).then((text) => {
            const status = response.statusCode ?? 0;
            if (status >= 200 && status < 300) resolve(text);
            else if (status >= 502 && status <= 504)
              reject(new Unreachable(`${method} ${path} was answered with ${status}`));
            else reject(new Refused(`${method} ${path} was answered with ${status}${meaning(status)}`));
          }, reject),
      );
      request.end(body);
    });
  }
}

const isRunning = ({ Status }: Service): boolean => Status !== 'Stopped';

function meaning(status: number): string {
  if (status === 400 || status === 401) return ': client id or secret are not accepted there';
  if (status === 403) return ': this client may not do that (its role in 3CX)';
  return status === 404 ? ': this PBX has no such API (3CX v20 with an ENT license has)' : '';
}

function parsed<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    // zod's and JSON's own words would repeat what came, and a token may be in it
    throw new Refused(`${what} is not what 3CX v20 answers`);
  }
}

/** TLS faults are no silence: somebody is there, and is not who it should be. */
function fault(error: NodeJS.ErrnoException): Error {
  const code = error.code ?? '';
  if (/^(CERT_|ERR_TLS_|UNABLE_|DEPTH_ZERO|SELF_SIGNED)/.test(code))
    return new Refused(`its certificate is not trusted (${code}); the secret was not sent`);
  return new Unreachable(code === '' ? sentenceOf(error) : code);
}

function bodyOf(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > maxBodyBytes) response.destroy(new Refused('its answer is larger than 1 MiB'));
    });
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    response.on('error', (error: Error) => reject(error instanceof Refused ? error : fault(error)));
    response.on('close', () => reject(new Unreachable('the connection broke')));
  });
}
