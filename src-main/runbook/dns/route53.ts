/**
 * Amazon Route 53. DELETE of the exact old record and CREATE of the new one in one batch is a compare-and-swap: it is carried out
 * whole or not at all. Source: Route 53 API reference 2013-04-01, ChangeResourceRecordSets, GetChange.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { DnsChange, DnsContext, DnsRecord, DnsWay } from '../../engine/ports.ts';
import { oneLine } from '../../heartbeat/evidence.ts';
import type { Authorities, Authority } from './authoritative.ts';
import { type AwsKeys, signedHeaders } from './aws-signature.ts';
import { plainName, sameSpelling, typeOf } from './message.ts';
import { failed, notOurs, readStanding, type Way, type WayEnd } from './way.ts';
import { callPatiently } from './web-call.ts';

export const route53Endpoint = 'https://route53.amazonaws.com';
const version = '2013-04-01';
const namespace = `https://route53.amazonaws.com/doc/${version}/`;
const pollMs = 2_000;
/** as long as one question may be put off by "fewer, please" */
const patienceMs = 20_000;

type Said =
  | { how: 'said'; xml: string }
  | { how: 'lost'; words: string }
  | { how: 'failed'; words: string; again: boolean; code: string };

interface RecordSet {
  addresses: string[];
  values: string[];
  ttlS: number;
  /** alias, weighted, by region …: not a plain record */
  isPlain: boolean;
}

export class Route53Way implements Way {
  readonly #record: DnsRecord;
  readonly #zoneId: string;
  readonly #keys: AwsKeys;
  readonly #endpoint: string;
  readonly #authorities: Authorities;
  readonly #wall: () => number;

  constructor(
    record: DnsRecord,
    { zoneId, keyId, endpoint }: Extract<DnsWay, { kind: 'route53' }>,
    key: string,
    { authorities, wall }: { authorities: Authorities; wall: () => number },
  ) {
    this.#wall = wall;
    this.#record = record;
    this.#zoneId = zoneId.replace(/^\/?hostedzone\//, '');
    this.#keys = { keyId, key };
    this.#endpoint = (endpoint ?? route53Endpoint).replace(/\/$/, '');
    this.#authorities = authorities;
  }

  async authorities(signal: AbortSignal): Promise<Authority[]> {
    const zone = await this.#call('GET', `hostedzone/${this.#zoneId}`, '', signal);
    return zone.how === 'said' ? this.#authorities.named(allOf(zone.xml, 'NameServer'), signal) : [];
  }

  async change(change: DnsChange, { signal }: DnsContext): Promise<WayEnd> {
    const found = await this.#find(change, signal);
    if ('how' in found) return found;
    const said = await this.#call('POST', `hostedzone/${this.#zoneId}/rrset`, this.#batch(change, found), signal);
    if (said.how === 'said') {
      const isInSync = await this.#untilInSync(oneOf(said.xml, 'Id') ?? '', signal);
      const words = isInSync
        ? 'Route 53 has the change on all its servers (INSYNC)'
        : 'Route 53 took the change and has not said INSYNC yet';
      return { how: 'changed', words, ttlS: found.ttlS, isProven: isInSync };
    }
    const now = await this.#recordSet(change, signal);
    if (!('addresses' in now))
      return failed(`whether Route 53 made the change is not known: ${said.words}`, { again: true });
    const what = readStanding(now.addresses, change);
    if (what === 'after') {
      const words = `Route 53 has ${change.to} now, though its answer was ${said.how === 'lost' ? 'lost' : 'another'} (${said.words})`;
      return { how: 'changed', words, ttlS: found.ttlS };
    }
    if (what === 'before') return failed(said.words, { again: said.how === 'lost' || said.again });
    return failed(notOurs(this.#record.name, now.addresses, change));
  }

  /** Reads only: whether the key may write shows when it does. */
  async rehearse(change: DnsChange, { signal }: DnsContext): Promise<WayEnd> {
    const found = await this.#find(change, signal);
    if ('how' in found) return found;
    const words = 'Route 53 shows the record to this key; whether it may change it shows only when it does';
    return { how: 'changed', words, ttlS: found.ttlS };
  }

  async #find(change: DnsChange, signal: AbortSignal): Promise<RecordSet | WayEnd> {
    const now = await this.#recordSet(change, signal);
    if (!('addresses' in now)) return failed(now.words, { again: now.how === 'lost' || now.again });
    const { name } = this.#record;
    if (!now.isPlain)
      return failed(`${name} is no plain record at Route 53 (alias, weighted, by region): it is left alone`);
    const what = readStanding(now.addresses, change);
    if (what === 'after') return { how: 'already', words: 'Route 53 has it so already', ttlS: null, isProven: true };
    return what === 'before' ? now : failed(notOurs(name, now.addresses, change));
  }

  async #recordSet({ to }: DnsChange, signal: AbortSignal): Promise<RecordSet | Exclude<Said, { how: 'said' }>> {
    const { word } = typeOf(to);
    const { name } = this.#record;
    const query = new URLSearchParams({ name, type: word, maxitems: '2' });
    const said = await this.#call('GET', `hostedzone/${this.#zoneId}/rrset?${query}`, '', signal);
    if (said.how !== 'said') return said;
    // The list begins at the name and goes on with others.
    const sets = allOf(said.xml, 'ResourceRecordSet').filter(
      (set) => plainName(unescaped(oneOf(set, 'Name') ?? '')) === name && oneOf(set, 'Type') === word,
    );
    const values = sets.flatMap((set) => allOf(set, 'Value'));
    return {
      values,
      addresses: values.map(sameSpelling),
      ttlS: Number(oneOf(sets[0] ?? '', 'TTL') ?? 0),
      isPlain: sets.length <= 1 && !sets.some((set) => /<(SetIdentifier|AliasTarget)>/.test(set)),
    };
  }

  /** The old one has to be said exactly, its TTL too, or the whole batch is refused. */
  #batch({ to }: DnsChange, { values, ttlS }: RecordSet): string {
    const set = (action: string, ttl: number, value: string): string =>
      `<Change><Action>${action}</Action><ResourceRecordSet><Name>${inXml(this.#record.name)}.</Name><Type>${typeOf(to).word}</Type>` +
      `<TTL>${ttl}</TTL><ResourceRecords><ResourceRecord><Value>${inXml(value)}</Value></ResourceRecord></ResourceRecords>` +
      '</ResourceRecordSet></Change>';
    const changes = set('DELETE', ttlS, values[0] ?? '') + set('CREATE', this.#record.ttlS, to);
    return (
      '<?xml version="1.0" encoding="UTF-8"?>' +
      `<ChangeResourceRecordSetsRequest xmlns="${namespace}"><ChangeBatch><Changes>${changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`
    );
  }

  async #untilInSync(id: string, signal: AbortSignal): Promise<boolean> {
    const end = performance.now() + this.#record.withinMs;
    const path = `change/${encodeURIComponent(id.replace(/^\/change\//, ''))}`;
    while (!signal.aborted) {
      const said = await this.#call('GET', path, '', signal);
      if (said.how === 'said' && oneOf(said.xml, 'Status') === 'INSYNC') return true;
      if (performance.now() + pollMs > end) return false;
      await pause(pollMs, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  async #call(method: 'GET' | 'POST', path: string, body: string, signal: AbortSignal): Promise<Said> {
    const url = new URL(`${this.#endpoint}/${version}/${path}`);
    const headers: Record<string, string> = body === '' ? {} : { 'content-type': 'application/xml' };
    const asked = () => ({
      ...{ method, url },
      // signed anew each time: a signature is good for minutes only
      headers: signedHeaders({ method, url, body, headers }, this.#keys, {
        ...{ region: 'us-east-1', service: 'route53' },
        at: new Date(this.#wall()),
      }),
      ...(body === '' ? {} : { body }),
    });
    const end = await callPatiently(asked, signal, patienceMs);
    if (end.how === 'lost') return { how: 'lost', words: end.why };
    if (end.how !== 'answered') {
      return { how: 'failed', words: `Route 53 was not reached: ${end.why}`, again: true, code: '' };
    }
    if (end.status < 300) return { how: 'said', xml: end.text };
    const code = oneOf(end.text, 'Code') ?? '';
    const message = oneLine(unescaped(oneOf(end.text, 'Message') ?? end.text), 200);
    const again =
      end.status >= 500 || end.status === 429 || code === 'PriorRequestNotComplete' || code.startsWith('Throttling');
    return { how: 'failed', words: refusal(end.status, code, message), again, code };
  }
}

function refusal(status: number, code: string, message: string): string {
  const said = `(${code || status}: ${message})`;
  if (/expired|RequestTimeTooSkewed/i.test(`${code} ${message}`)) {
    return `Route 53 says that the clock of this machine is off ${said}: set it by a time server`;
  }
  if (status === 403) return `Route 53 refuses the key ${said}: it needs the right to change this hosted zone`;
  return code === 'NoSuchHostedZone'
    ? `Route 53 has no such hosted zone ${said}`
    : `Route 53 answers ${status} ${said}`;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const inXml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&${Object.keys(entities).find((name) => entities[name] === c)};`);

/** Names come with `\052` for `*` and the like, and entities. */
const unescaped = (text: string): string =>
  text
    .replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** The elements of that name; Route 53's answers hold none within themselves. */
const allOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'))].map((match) => match[1] ?? '');
const oneOf = (xml: string, name: string): string | undefined => allOf(xml, name)[0];
