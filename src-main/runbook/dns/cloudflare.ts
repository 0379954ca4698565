/**
 * Cloudflare's interface, version 4. It has no compare-and-swap: the record is read, compared, and changed by its own id. A record
 * behind their proxy would answer with their addresses, which no phone could use: the proxy is switched off.
 */
import { z } from 'zod';
import type { DnsChange, DnsContext, DnsRecord } from '../../engine/ports.ts';
import { oneLine } from '../../heartbeat/evidence.ts';
import type { Authorities, Authority } from './authoritative.ts';
import { plainName, sameSpelling, typeOf } from './message.ts';
import { failed, notOurs, readStanding, type Way, type WayEnd } from './way.ts';
import { type Call, callPatiently } from './web-call.ts';

export const cloudflareEndpoint = 'https://api.cloudflare.com/client/v4';

const zones = z.array(z.object({ id: z.string(), name: z.string(), name_servers: z.array(z.string()).nullish() }));
const records = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    content: z.string(),
    ttl: z.number(),
    proxied: z.boolean().default(false),
  }),
);
const envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).nullish(),
  result: z.unknown().optional(),
});

type Said<T> =
  | { how: 'said'; result: T }
  | { how: 'lost'; words: string }
  | { how: 'failed'; words: string; again: boolean };
type Zone = z.output<typeof zones>[number];
type Found = z.output<typeof records>[number];

/** TTL 1 is "automatic", which is 300 s where the proxy is off. */
const automaticS = 300;

export class CloudflareWay implements Way {
  readonly #record: DnsRecord & { zone: string };
  readonly #token: string;
  readonly #endpoint: string;
  readonly #authorities: Authorities;

  constructor(record: DnsRecord & { zone: string }, token: string, endpoint: string, authorities: Authorities) {
    this.#record = record;
    this.#token = token;
    this.#endpoint = endpoint;
    this.#authorities = authorities;
  }

  /** As Cloudflare itself says: the system's resolver may know an internal zone of that name. */
  async authorities(signal: AbortSignal): Promise<Authority[]> {
    const zone = await this.#zone(signal);
    return zone.how === 'said' ? this.#authorities.named(zone.result.name_servers ?? [], signal) : [];
  }

  async change(change: DnsChange, { signal }: DnsContext): Promise<WayEnd> {
    const found = await this.#find(change, signal);
    if ('how' in found) return found;
    const { zone, record } = found;
    const body = { content: change.to, ttl: this.#record.ttlS, proxied: false };
    const said = await this.#call('PATCH', `zones/${zone.id}/dns_records/${record.id}`, z.unknown(), signal, body);
    const ttlS = record.ttl === 1 ? automaticS : record.ttl;
    if (said.how === 'said') return { how: 'changed', words: 'Cloudflare took the change', ttlS };
    // A lost answer may be that of a change that was made, and a refusal that of one made by somebody else meanwhile.
    const now = await this.#records(zone, change, signal);
    if (now.how !== 'said')
      return failed(`whether Cloudflare made the change is not known: ${said.words}`, { again: true });
    const addresses = now.result.map(({ content }) => sameSpelling(content));
    const what = readStanding(addresses, change);
    if (what === 'after' && said.how === 'lost') {
      return {
        how: 'changed',
        words: `Cloudflare has ${change.to} now, though its answer was lost (${said.words})`,
        ttlS,
      };
    }
    if (what === 'before') return failed(said.words, { again: said.how === 'lost' || said.again });
    return what === 'after' ? failed(said.words) : failed(notOurs(this.#record.name, addresses, change));
  }

  /** Reads only: whether the token may write shows when it does. */
  async rehearse(change: DnsChange, { signal }: DnsContext): Promise<WayEnd> {
    const found = await this.#find(change, signal);
    if ('how' in found) return found;
    const words = 'Cloudflare shows the record to this token; whether it may change it shows only when it does';
    return { how: 'changed', words, ttlS: found.record.ttl };
  }

  /** The one record, holding the old address; else how it ends. */
  async #find(change: DnsChange, signal: AbortSignal): Promise<{ zone: Zone; record: Found } | WayEnd> {
    const zone = await this.#zone(signal);
    if (zone.how !== 'said') return failed(zone.words, { again: zone.how === 'lost' || zone.again });
    const now = await this.#records(zone.result, change, signal);
    if (now.how !== 'said') return failed(now.words, { again: now.how === 'lost' || now.again });
    const [record] = now.result;
    const addresses = now.result.map(({ content }) => sameSpelling(content));
    const what = readStanding(addresses, change);
    if (record !== undefined && (what === 'before' || (what === 'after' && record.proxied))) {
      return { zone: zone.result, record };
    }
    if (what === 'after') return { how: 'already', words: 'Cloudflare has it so already', ttlS: null };
    return failed(notOurs(this.#record.name, addresses, change));
  }

  async #zone(signal: AbortSignal): Promise<Said<Zone>> {
    const { zone } = this.#record;
    const said = await this.#call('GET', `zones?name=${encodeURIComponent(zone)}`, zones, signal);
    if (said.how !== 'said') return said;
    const own = said.result.find(({ name }) => plainName(name) === zone);
    if (own !== undefined) return { how: 'said', result: own };
    return { how: 'failed', words: `Cloudflare shows no zone ${zone} to this token`, again: false };
  }

  async #records(zone: Zone, { to }: DnsChange, signal: AbortSignal): Promise<Said<Found[]>> {
    const query = new URLSearchParams({ type: typeOf(to).word, name: this.#record.name });
    const said = await this.#call('GET', `zones/${zone.id}/dns_records?${query}`, records, signal);
    if (said.how !== 'said') return said;
    return { how: 'said', result: said.result.filter(({ name }) => plainName(name) === this.#record.name) };
  }

  async #call<T>(
    method: Call['method'],
    path: string,
    shape: z.ZodType<T>,
    signal: AbortSignal,
    body?: object,
  ): Promise<Said<T>> {
    const url = new URL(`${this.#endpoint.replace(/\/$/, '')}/${path}`);
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    const asked = () => ({ method, url, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const end = await callPatiently(asked, signal, this.#record.withinMs);
    if (end.how === 'lost') return { how: 'lost', words: end.why };
    if (end.how !== 'answered') return { how: 'failed', words: `Cloudflare was not reached: ${end.why}`, again: true };
    const { status, text } = end;
    const said = envelope.safeParse(jsonOf(text));
    const result = said.success && said.data.success ? shape.safeParse(said.data.result) : null;
    if (status < 300 && result?.success) return { how: 'said', result: result.data };
    const errors = said.data?.errors?.map(({ code, message }) => `${code} ${message}`).join('; ');
    return {
      how: 'failed',
      words: refusal(status, oneLine(errors ?? text, 200)),
      again: status === 429 || status >= 500,
    };
  }
}

function refusal(status: number, words: string): string {
  if (status === 401 || status === 403)
    return `Cloudflare refuses the token (${status}: ${words}): it needs DNS edit for the zone`;
  if (status === 429) return `Cloudflare wants fewer questions (429: ${words})`;
  return `Cloudflare answers ${status}: ${words || 'nothing that can be read'}`;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
