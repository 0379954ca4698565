/** The real `Dns`: changes a record the way its configuration says, and asks every authoritative server what came of it. */
import { sentenceOf } from '../../contract/errors.ts';
import { inWords } from '../../engine/duration.ts';
import type {
  Clock,
  Dns,
  DnsAnswer,
  DnsChange,
  DnsContext,
  DnsEnd,
  DnsRecord,
  Files,
  Proc,
} from '../../engine/ports.ts';
import { LookUp } from '../../heartbeat/look-up.ts';
import {
  Authorities,
  type Authority,
  answersNow,
  answersUntil,
  answerText,
  isOnly,
  withoutDoubles,
} from './authoritative.ts';
import { CloudflareWay, cloudflareEndpoint } from './cloudflare.ts';
import { DnscmdWay } from './dnscmd.ts';
import { plainName, typeOf } from './message.ts';
import { Rfc2136Way } from './rfc2136.ts';
import { Route53Way } from './route53.ts';
import { ScriptWay } from './script-way.ts';
import { parseTsigKey } from './tsig.ts';
import { staleText } from './ttl.ts';
import type { Way, WayEnd } from './way.ts';

export interface RealDnsParts {
  clock: Pick<Clock, 'wall'>;
  proc: Proc;
  files: Files;
  /** absolute path */
  scriptsFolder: string;
  /** a secret by its name; throws a sentence without it */
  secretOf: (name: string) => string;
  /** a part of a secret that must not be shown either */
  hide: (secret: string) => void;
  /** where the name servers listen that a zone names; 53 everywhere but in a laboratory */
  nameServerPort?: number;
}

const ended = (outcome: DnsEnd['outcome'], sentence: string, more: Partial<DnsEnd> = {}): DnsEnd => ({
  outcome,
  sentence,
  output: '',
  ...more,
});

export class RealDns implements Dns {
  readonly #parts: RealDnsParts;
  readonly #authorities: Authorities;

  constructor(parts: RealDnsParts) {
    this.#parts = parts;
    this.#authorities = new Authorities(new LookUp(), parts.nameServerPort ?? 53);
  }

  switch(record: DnsRecord, change: DnsChange, context: DnsContext): Promise<DnsEnd> {
    return this.#guarded(record, async (own, way) => {
      const end = await way.change(change, context);
      if (end.how === 'failed') return failure(own, end);
      try {
        return await this.#follow(own, way, change, context.signal, end);
      } catch (error) {
        return ended('failed', `${own.name}: ${end.words}, and the servers could not be asked: ${sentenceOf(error)}`, {
          output: end.output ?? '',
        });
      }
    });
  }

  rehearse(record: DnsRecord, change: DnsChange, context: DnsContext): Promise<DnsEnd> {
    return this.#guarded(record, async (own, way) => {
      const end = await way.rehearse(change, context);
      if (end.how === 'failed') return failure(own, end);
      const stale = staleText(own, end.ttlS);
      return ended('done', `${own.name} was left as it is: ${end.words}${stale}`, { output: end.output ?? '' });
    });
  }

  async look(record: DnsRecord, like: string, signal: AbortSignal): Promise<DnsAnswer[]> {
    try {
      const own = { ...record, name: plainName(record.name) };
      const authorities = await this.#all(own, this.#wayOf(own), signal);
      return await answersNow(authorities, own, typeOf(like).type, signal);
    } catch (error) {
      return [{ server: 'any server', addresses: null, ttlS: null, why: sentenceOf(error) }];
    }
  }

  async #guarded(record: DnsRecord, work: (own: DnsRecord, way: Way) => Promise<DnsEnd>): Promise<DnsEnd> {
    try {
      const own = {
        ...record,
        name: plainName(record.name),
        zone: record.zone === null ? null : plainName(record.zone),
      };
      return await work(own, this.#wayOf(own));
    } catch (error) {
      return ended('failed', `${record.name} was not switched: ${sentenceOf(error)}`);
    }
  }

  /** @throws an error with a sentence, where the secret is missing or no key */
  #wayOf(record: DnsRecord): Way {
    const { clock, secretOf, hide, proc, files, scriptsFolder } = this.#parts;
    const { way } = record;
    if (way.kind === 'script') {
      return new ScriptWay(record, way, { proc, files, scriptsFolder, authorities: this.#authorities });
    }
    if (way.kind === 'route53') {
      const parts = { authorities: this.#authorities, wall: () => clock.wall() };
      return new Route53Way(record, way, secretOf(way.key), parts);
    }
    if (record.zone === null) throw new Error('its zone is not configured');
    const own = { ...record, zone: record.zone };
    switch (way.kind) {
      case 'dnscmd':
        return new DnscmdWay(own, way.server, { proc, cwd: scriptsFolder, authorities: this.#authorities });
      case 'cloudflare':
        return new CloudflareWay(own, secretOf(way.token), way.endpoint ?? cloudflareEndpoint, this.#authorities);
      case 'rfc2136': {
        const key = parseTsigKey(secretOf(way.key));
        if ('wrong' in key) throw new Error(`the secret ${way.key} cannot be used: ${key.wrong}`);
        hide(key.secret.toString('base64'));
        return new Rfc2136Way(own, way, { ...key, nowS: () => Math.floor(clock.wall() / 1000) }, this.#authorities);
      }
    }
  }

  async #all(record: DnsRecord, way: Way, signal: AbortSignal): Promise<Authority[]> {
    const own = record.servers.map((server) => this.#authorities.find(server, signal));
    return withoutDoubles([...(await way.authorities(signal)), ...(await Promise.all(own))]);
  }

  /** After the change: every authoritative server is asked until it answers the new address. */
  async #follow(
    record: DnsRecord,
    way: Way,
    change: DnsChange,
    signal: AbortSignal,
    end: Exclude<WayEnd, { how: 'failed' }>,
  ): Promise<DnsEnd> {
    const { name, withinMs } = record;
    const output = end.output ?? '';
    const authorities = await this.#all(record, way, signal);
    const answers = await answersUntil(authorities, record, typeOf(change.to).type, change.to, signal);
    if (signal.aborted)
      return ended('failed', `${name}: ${end.words}; cancelled while the servers were asked`, { output });
    const stale = end.how === 'changed' ? staleText(record, end.ttlS) : '';
    const points = end.how === 'already' ? `${name} points to ${change.to} already` : `${name} points to ${change.to}`;
    if (answers.length === 0) {
      if (end.isProven) return ended('done', `${points} (${end.words})${stale}`, { output });
      const why = `${end.words}, and no authoritative server is known that could be asked: name them in \`servers\``;
      return ended('failed', `${name}: ${why}`, { output });
    }
    const said = `(${[end.words, ...answers.map(answerText)].join('; ')})`;
    const others = answers.filter((answer) => answer.addresses !== null && !isOnly(answer, change.to));
    const follow = answers.filter((answer) => isOnly(answer, change.to)).length;
    if (others.length > 0 || (follow === 0 && !end.isProven)) {
      const still = `${answers.length - follow} of ${answers.length} authoritative servers did not answer ${change.to} within ${inWords(withinMs)}`;
      return ended('failed', `${name}: ${still} ${said}${stale}`, { output, again: follow === 0 });
    }
    // Silent all the while: it gives the old address to nobody, and may lie in the ruins of the other node.
    const mute = answers.filter(({ addresses }) => addresses === null).length;
    const silent =
      mute === 0 ? '' : `, as far as they speak: ${mute} of ${answers.length} authoritative servers did not`;
    return ended('done', `${points}${silent} ${said}${stale}`, { output });
  }
}

function failure({ name }: DnsRecord, { words, again, output }: Extract<WayEnd, { how: 'failed' }>): DnsEnd {
  return ended('failed', `${name} was not switched: ${words}`, { output: output ?? '', ...(again ? { again } : {}) });
}
