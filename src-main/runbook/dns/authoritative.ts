/**
 * Every authoritative server of a zone, asked until it answers the new address: those that the zone names, and those that the
 * configuration adds. Must not know how a record is changed.
 */
import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { DnsAnswer, DnsRecord, DnsServer } from '../../engine/ports.ts';
import { type Endpoint, place } from '../../heartbeat/evidence.ts';
import type { LookUp } from '../../heartbeat/look-up.ts';
import { ask } from './ask.ts';
import { askRecord, newId, type Signer } from './ask-record.ts';
import { addressIn, nameIn, plainName, queryBytes, sameSpelling, types } from './message.ts';

/** One server that is asked: by the first of its addresses that says something. */
export interface Authority {
  label: string;
  ends: readonly Endpoint[];
  /** where the server shows this zone to who has the key */
  key: Signer | null;
  /** why it has no address */
  why: string | null;
}

const lookUpMs = 5_000;
const askMs = 2_500;
const pauseMs = 500;

export const endOf = (address: string, port: number): Endpoint => ({
  address,
  family: isIP(address) === 6 ? 6 : 4,
  port,
});

export class Authorities {
  readonly #lookUp: LookUp;
  /** where name servers listen that a zone names: 53 everywhere but in a laboratory */
  readonly #port: number;

  constructor(lookUp: LookUp, port: number) {
    this.#lookUp = lookUp;
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  /** A server by its address or name. Never rejects. */
  async find({ host, port }: DnsServer, signal: AbortSignal, key: Signer | null = null): Promise<Authority> {
    const found = await this.#lookUp.find(host, lookUpMs, signal);
    if (found.how !== 'found') {
      return { label: host, ends: [], key, why: found.how === 'failed' ? found.why : 'cancelled' };
    }
    const ends = found.addresses.map(({ address }) => endOf(address, port));
    const [first] = ends;
    const label = first === undefined || isIP(host) !== 0 ? hostText(host, port) : `${host} (${first.address})`;
    return { label, ends, key, why: null };
  }

  /** The servers that a zone names, as one of them says. None, where it does not say. Never rejects. */
  async ofZone(zone: string, at: readonly Endpoint[], signal: AbortSignal): Promise<Authority[]> {
    for (const end of at) {
      const asked = await ask(end, queryBytes(newId(), zone, types.NS), { timeoutMs: askMs, signal, resend: true });
      if (asked.how !== 'answered') continue;
      const { answers, additional } = asked.reply.message;
      const names = [...new Set(answers.filter(({ type }) => type === types.NS).map(nameIn))];
      const glue = (name: string): string[] =>
        additional.filter((record) => record.name === name).flatMap((record) => addressIn(record) ?? []);
      return Promise.all(names.map((name) => this.#named(name, glue(name), zone, end, signal)));
    }
    return [];
  }

  /** Servers by name, as a provider says them. */
  named(names: readonly string[], signal: AbortSignal): Promise<Authority[]> {
    return Promise.all(names.map((host) => this.find({ host: plainName(host), port: this.#port }, signal)));
  }

  async #named(name: string, glue: string[], zone: string, at: Endpoint, signal: AbortSignal): Promise<Authority> {
    const known = glue.length > 0 ? glue : await this.#inZone(name, zone, at, signal);
    if (known.length === 0) return this.find({ host: name, port: this.#port }, signal);
    const ends = known.map((address) => endOf(address, this.#port));
    return { label: `${name} (${known[0]})`, ends, key: null, why: null };
  }

  /** The address of a name server that lies in its own zone: the system's resolver may know another zone of that name. */
  async #inZone(name: string, zone: string, at: Endpoint, signal: AbortSignal): Promise<string[]> {
    if (!name.endsWith(`.${plainName(zone)}`)) return [];
    const asked = [types.A, types.AAAA].map((type) =>
      askRecord(at, name, type, { key: null, timeoutMs: askMs, signal }),
    );
    const stands = await Promise.all(asked);
    return stands.flatMap((s) => (s.how === 'stands' ? s.addresses.filter((address) => isIP(address) !== 0) : []));
  }
}

const hostText = (host: string, port: number): string => {
  const text = host.includes(':') ? `[${host}]` : host;
  return port === 53 ? host : `${text}:${port}`;
};

/** Each server once: the first that has an address keeps it. */
export function withoutDoubles(authorities: readonly Authority[]): Authority[] {
  const seen = new Set<string>();
  return authorities.filter(({ ends, label }) => {
    const places = ends.length > 0 ? ends.map(place) : [label];
    const isKnown = places.some((at) => seen.has(at));
    for (const at of places) seen.add(at);
    return !isKnown;
  });
}

/** What one server answers for a record. Never rejects. */
async function answerOf(authority: Authority, name: string, type: number, signal: AbortSignal): Promise<DnsAnswer> {
  const { label: server, ends, key } = authority;
  let why = authority.why ?? 'it has no address';
  for (const end of ends) {
    const standing = await askRecord(end, name, type, { key, timeoutMs: askMs, signal });
    if (standing.how === 'stands') {
      return { server, addresses: standing.addresses, ttlS: standing.ttlS, why: null };
    }
    why = standing.why;
  }
  return { server, addresses: null, ttlS: null, why };
}

/** What all of them answer now. Never rejects. */
export const answersNow = (
  authorities: readonly Authority[],
  { name }: Pick<DnsRecord, 'name'>,
  type: number,
  signal: AbortSignal,
): Promise<DnsAnswer[]> => Promise.all(authorities.map((authority) => answerOf(authority, name, type, signal)));

/** Whether a server answers this address and no other. */
export const isOnly = ({ addresses }: Pick<DnsAnswer, 'addresses'>, address: string): boolean =>
  addresses?.length === 1 && addresses[0] === sameSpelling(address);

/**
 * Asks until all of them answer `address`, each no more once it did; for at most `withinMs`.
 * @returns the last answer of each, in their order
 */
export async function answersUntil(
  authorities: readonly Authority[],
  record: Pick<DnsRecord, 'name' | 'withinMs'>,
  type: number,
  address: string,
  signal: AbortSignal,
): Promise<DnsAnswer[]> {
  const end = performance.now() + record.withinMs;
  const last = new Map<Authority, DnsAnswer>();
  const follows = (authority: Authority): boolean => {
    const answer = last.get(authority);
    return answer !== undefined && isOnly(answer, address);
  };
  for (;;) {
    const left = authorities.filter((authority) => !follows(authority));
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(Math.max(askMs, end - performance.now())))]);
    const answers = await answersNow(left, record, type, bounded);
    for (const [i, authority] of left.entries()) {
      const answer = answers[i];
      if (answer !== undefined) last.set(authority, answer);
    }
    if (authorities.every(follows) || signal.aborted || performance.now() + pauseMs >= end) break;
    await pause(pauseMs, undefined, { signal }).catch(() => {});
  }
  return authorities.flatMap((authority) => last.get(authority) ?? []);
}

/** `ns1 (192.0.2.53) answers 192.0.2.2`, for sentences. */
export function answerText({ server, addresses, why }: DnsAnswer): string {
  if (addresses === null) return `${server} does not say (${why ?? 'no answer'})`;
  return addresses.length === 0 ? `${server} has no such record` : `${server} answers ${addresses.join(' and ')}`;
}
