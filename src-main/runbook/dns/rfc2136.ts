/**
 * Dynamic update (RFC 2136) with TSIG. The prerequisite "this name holds exactly that address" makes it a compare-and-swap: the
 * server does both or neither. A lost reply is resolved by asking what stands there.
 */
import type { DnsChange, DnsContext, DnsRecord, DnsWay } from '../../engine/ports.ts';
import { type Endpoint, place } from '../../heartbeat/evidence.ts';
import { askRecord, askSigned, newId, type SignedReply, type Signer, type Standing } from './ask-record.ts';
import type { Authorities, Authority } from './authoritative.ts';
import { addressBytes, classes, type Resource, rcodeName, rcodes, typeOf, updateBytes } from './message.ts';
import { failed, isAt, notOurs, readStanding, ttlOf, type Way, type WayEnd } from './way.ts';

type Rfc2136 = Extract<DnsWay, { kind: 'rfc2136' }>;

/** How long a question, and how long an update may take. */
const askMs = 3_000;
const updateMs = 5_000;

/** What is asked of the server: to change the record, or whether it would be let. */
interface Order {
  prerequisites: Resource[];
  changes: Resource[];
}

export class Rfc2136Way implements Way {
  readonly #record: DnsRecord;
  readonly #zone: string;
  readonly #server: Rfc2136['server'];
  readonly #key: Signer;
  readonly #authorities: Authorities;

  constructor(record: DnsRecord & { zone: string }, { server }: Rfc2136, key: Signer, authorities: Authorities) {
    this.#record = record;
    this.#zone = record.zone;
    this.#server = server;
    this.#key = key;
    this.#authorities = authorities;
  }

  async authorities(signal: AbortSignal): Promise<Authority[]> {
    const primary = await this.#authorities.find(this.#server, signal, this.#key);
    return [primary, ...(await this.#authorities.ofZone(this.#zone, primary.ends, signal))];
  }

  async change(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    const { prerequisites, record } = this.#resources(change);
    const anyOf = { ...record(change.from), class: classes.ANY, data: Buffer.alloc(0) };
    const added = { ...record(change.to), ttl: this.#record.ttlS };
    return this.#carryOut({ prerequisites, changes: [anyOf, added] }, change, context);
  }

  /**
   * Asks for the removal of the new address, which cannot be there while the prerequisite holds: rights are asked as for the
   * true change (an update without changes would pass every policy), and nothing happens, the serial included.
   */
  async rehearse(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    const { prerequisites, record } = this.#resources(change);
    const end = await this.#carryOut(
      { prerequisites, changes: [{ ...record(change.to), class: classes.NONE }] },
      change,
      context,
    );
    if (end.how !== 'changed') return end;
    return { ...end, words: `${this.#name} would take the update with the key ${this.#key.name}` };
  }

  get #name(): string {
    const { host, port } = this.#server;
    return port === 53 ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  #resources({ from }: DnsChange): { prerequisites: Resource[]; record: (address: string) => Resource } {
    const { name } = this.#record;
    const record = (address: string): Resource => ({
      ...{ name, type: typeOf(address).type, class: classes.IN, ttl: 0 },
      data: addressBytes(address),
    });
    return { prerequisites: [record(from)], record };
  }

  async #carryOut(order: Order, change: DnsChange, { signal }: DnsContext): Promise<WayEnd> {
    const { ends, why } = await this.#authorities.find(this.#server, signal);
    if (why !== null) return failed(why, { again: true });
    let silence = `${this.#name} has no address`;
    for (const end of ends) {
      const before = await this.#ask(end, change, signal);
      if (isAt(before, change, 'after')) {
        return { how: 'already', words: `${place(end)} says so already`, ttlS: null };
      }
      if (before.how === 'unclear' && before.kind === 'key') return failed(`${place(end)} refuses: ${before.why}`);
      if (before.how === 'unclear' && before.kind === 'cancelled') return failed('cancelled');
      if (before.how === 'unclear' && before.kind === 'silent') {
        silence = before.why;
        continue;
      }
      // What else it says is for the server to judge, at the moment of the change: a hidden primary may answer updates only.
      return this.#update(end, order, change, ttlOf(before), signal);
    }
    return failed(`the server was not reached: ${silence}`, { again: true });
  }

  #ask(end: Endpoint, { to }: DnsChange, signal: AbortSignal): Promise<Standing> {
    const { type } = typeOf(to);
    return askRecord(end, this.#record.name, type, { key: this.#key, timeoutMs: askMs, signal });
  }

  /**
   * By UDP first, by TCP where no reply came and the old address still stands. Both may be heard: the prerequisite lets only one
   * of them change anything.
   */
  async #update(
    end: Endpoint,
    { prerequisites, changes }: Order,
    change: DnsChange,
    ttlS: number | null,
    signal: AbortSignal,
  ): Promise<WayEnd> {
    let lost = '';
    for (const transport of ['udp', 'tcp'] as const) {
      const message = updateBytes(newId(), this.#zone, prerequisites, changes);
      const said = await askSigned(end, message, this.#key, { timeoutMs: updateMs, signal, transport });
      if (said.how === 'answered' && (said.isTrusted || said.trouble !== null || rcodeOf(said) !== rcodes.noError)) {
        const verdict = await this.#judge(end, said, change, ttlS, signal);
        if (verdict !== null) return verdict;
        lost = 'the reply cannot be trusted';
      } else {
        lost = said.how === 'answered' ? 'the reply is not signed' : said.why;
      }
      // It may have been done, and only the word of it be lost.
      const now = await this.#ask(end, change, signal);
      const words = `${place(end)} answers ${change.to} now, though its reply to the update was lost (${lost})`;
      if (isAt(now, change, 'after')) return { how: 'changed', words, ttlS };
      if (now.how === 'unclear') {
        const unknown = `whether ${place(end)} made the change is not known: ${lost}, and asked after it, ${now.why}`;
        return failed(unknown, { again: true });
      }
      if (!isAt(now, change, 'before')) return failed(notOurs(this.#record.name, now.addresses, change));
    }
    return failed(`${place(end)} still answers ${change.from} and does not reply to updates: ${lost}`, { again: true });
  }

  /** What a reply comes to; null where it cannot be believed. */
  async #judge(
    end: Endpoint,
    said: SignedReply,
    change: DnsChange,
    ttlS: number | null,
    signal: AbortSignal,
  ): Promise<WayEnd | null> {
    const { name } = this.#record;
    const at = place(end);
    if (said.trouble !== null) {
      // Key and clock are the server's word; what is badly signed is nobody's.
      return rcodeOf(said) === rcodes.notAuth ? failed(`${at} refuses: ${said.trouble}`) : null;
    }
    const code = rcodeOf(said);
    switch (code) {
      case rcodes.noError:
        return { how: 'changed', words: `${at} took the update`, ttlS };
      case rcodes.nxRrset:
      case rcodes.nxDomain: {
        const now = await this.#ask(end, change, signal);
        if (now.how === 'unclear') {
          return failed(`${name} does not hold ${change.from} at ${at}, and what it holds is not known: ${now.why}`);
        }
        if (readStanding(now.addresses, change) === 'after') {
          return { how: 'already', words: `${at} says so already`, ttlS: null };
        }
        return failed(notOurs(name, now.addresses, change), { again: isAt(now, change, 'before') });
      }
      case rcodes.refused:
        return failed(`${at} refuses the update (REFUSED): allow the key ${this.#key.name} to change ${name} there`);
      case rcodes.notAuth:
        return failed(`${at} has no authority for the zone ${this.#zone} (NOTAUTH): name its primary server`);
      case rcodes.notZone:
        return failed(`${at} says that ${name} does not lie in the zone ${this.#zone} (NOTZONE)`);
      case rcodes.notImp:
        return failed(`${at} takes no dynamic updates (NOTIMP)`);
      case rcodes.servFail:
        return failed(`${at} could not make the change (SERVFAIL): its log says why`, { again: true });
      default:
        return failed(`${at} answers ${rcodeName(code)} to the update`);
    }
  }
}

const rcodeOf = ({ reply }: SignedReply): number => reply.message.rcode;
