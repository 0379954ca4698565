/**
 * Microsoft's DNS server, by its own tool: the exact record is deleted, the new one added. Two calls and no compare-and-swap, so it
 * is asked before, and after each call that failed. Deleting without the data would take every address of the name away.
 */
import { inWords } from '../../engine/duration.ts';
import type { Command, CommandEnd, DnsChange, DnsContext, DnsRecord, Proc } from '../../engine/ports.ts';
import { oneLine } from '../../heartbeat/evidence.ts';
import { askRecord, type Standing } from './ask-record.ts';
import type { Authorities, Authority } from './authoritative.ts';
import { typeOf } from './message.ts';
import { failed, isAt, notOurs, readStanding, ttlOf, type Way, type WayEnd } from './way.ts';

/** A domain controller under load takes its time; a hung RPC takes for ever. */
const commandMs = 30_000;
const askMs = 3_000;

export class DnscmdWay implements Way {
  readonly #record: DnsRecord & { zone: string };
  readonly #server: string;
  readonly #proc: Proc;
  readonly #cwd: string;
  readonly #authorities: Authorities;

  constructor(
    record: DnsRecord & { zone: string },
    server: string,
    parts: { proc: Proc; cwd: string; authorities: Authorities },
  ) {
    this.#record = record;
    this.#server = server;
    this.#proc = parts.proc;
    this.#cwd = parts.cwd;
    this.#authorities = parts.authorities;
  }

  #primary(signal: AbortSignal): Promise<Authority> {
    return this.#authorities.find({ host: this.#server, port: this.#authorities.port }, signal);
  }

  async authorities(signal: AbortSignal): Promise<Authority[]> {
    const primary = await this.#primary(signal);
    return [primary, ...(await this.#authorities.ofZone(this.#record.zone, primary.ends, signal))];
  }

  async change(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    const { name } = this.#record;
    const before = await this.#ask(change, context.signal);
    if (before.how === 'unclear') return failed(`${this.#server} was not asked: ${before.why}`, { again: true });
    const what = readStanding(before.addresses, change);
    if (what === 'after') return { how: 'already', words: `${this.#server} says so already`, ttlS: null };
    // Nothing stands there between the two calls: an earlier attempt may have ended just then.
    const isOurGap = what === 'nothing' && context.attempt > 1;
    if (what !== 'before' && !isOurGap) return failed(notOurs(name, before.addresses, change));
    let output = '';
    if (!isOurGap) {
      const end = await this.#run(this.#deletion(change.from), context);
      output = end.output;
      const now = end.why === null ? null : await this.#ask(change, context.signal);
      const isGone = now?.how === 'stands' && readStanding(now.addresses, change) === 'nothing';
      if (end.why !== null && !isGone) {
        return failed(`the old address was not deleted: ${end.why}`, { again: end.again, output });
      }
    }
    return this.#add(change, context, output, ttlOf(before));
  }

  /** The old one is gone: nothing would be worse than to leave it at that, so it is tried twice. */
  async #add(change: DnsChange, context: DnsContext, before: string, ttlS: number | null): Promise<WayEnd> {
    let output = before;
    let why = '';
    for (let tries = 0; tries < 2 && !context.signal.aborted; tries += 1) {
      const end = await this.#run(this.#addition(change.to), context);
      output += end.output;
      if (end.why === null) return { how: 'changed', words: `dnscmd changed it on ${this.#server}`, ttlS, output };
      const now = await this.#ask(change, context.signal);
      if (isAt(now, change, 'after')) {
        const words = `${this.#server} answers ${change.to} now, though dnscmd failed (${end.why})`;
        return { how: 'changed', words, ttlS, output };
      }
      why = end.why;
      if (now.how === 'stands' && now.addresses.length > 0)
        return failed(notOurs(this.#record.name, now.addresses, change));
    }
    const gone = `${change.from} was deleted and ${change.to} could not be added, so the name has no address now`;
    return failed(`${gone}: ${why || 'cancelled'}`, { again: true, output });
  }

  async rehearse(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    const before = await this.#ask(change, context.signal);
    if (before.how === 'unclear') return failed(`${this.#server} was not asked: ${before.why}`, { again: true });
    const what = readStanding(before.addresses, change);
    if (what === 'after') return { how: 'already', words: `${this.#server} says so already`, ttlS: null };
    if (what !== 'before') return failed(notOurs(this.#record.name, before.addresses, change));
    // Reading the node by the same tool asks for the same way in; the right to write shows only in writing.
    const { zone } = this.#record;
    const { word } = typeOf(change.to);
    const end = await this.#run(['/enumrecords', zone, this.#node, '/type', word], context);
    if (end.why !== null) return failed(`dnscmd cannot read the record: ${end.why}`, { output: end.output });
    const words = `dnscmd reads the record on ${this.#server}; whether this account may write it shows only when it does`;
    return { how: 'changed', words, ttlS: ttlOf(before), output: end.output };
  }

  /** `@`: the zone's own name. */
  get #node(): string {
    const { name, zone } = this.#record;
    return name === zone ? '@' : name.slice(0, -zone.length - 1);
  }

  #deletion(address: string): string[] {
    return ['/recorddelete', this.#record.zone, this.#node, typeOf(address).word, address, '/f'];
  }

  #addition(address: string): string[] {
    return ['/recordadd', this.#record.zone, this.#node, String(this.#record.ttlS), typeOf(address).word, address];
  }

  async #ask({ to }: DnsChange, signal: AbortSignal): Promise<Standing> {
    const { ends, why } = await this.#primary(signal);
    let last: Standing = { how: 'unclear', kind: 'silent', why: why ?? `${this.#server} has no address` };
    for (const end of ends) {
      last = await askRecord(end, this.#record.name, typeOf(to).type, { key: null, timeoutMs: askMs, signal });
      if (last.how === 'stands') break;
    }
    return last;
  }

  async #run(
    args: readonly string[],
    { signal, runToken, onOutput }: DnsContext,
  ): Promise<{ why: string | null; again: boolean; output: string }> {
    const command: Command = {
      argv: ['dnscmd', this.#server, ...args],
      cwd: this.#cwd,
      env: {},
      timeoutMs: commandMs,
      ...{ signal, runToken },
      ...(onOutput === undefined ? {} : { onOutput }),
    };
    const { end, output } = await this.#proc.run(command);
    return { ...wordsOf(end, output), output };
  }
}

/** Its own words for what went wrong stand behind "Command failed:", with the number of the Windows error. */
function wordsOf(end: CommandEnd, output: string): { why: string | null; again: boolean } {
  const said = /Command failed:\s*(\S+)\s+(\d+)/i.exec(output);
  switch (end.how) {
    case 'exit': {
      if (end.code === 0 && said === null) return { why: null, again: false };
      const code = said === null ? end.code : Number(said[2]);
      const name = said?.[1] ?? oneLine(output, 160);
      return { why: `dnscmd failed with ${code}${name ? ` (${name})` : ''}${hintFor(code)}`, again: passing.has(code) };
    }
    case 'timeout':
      return { why: `dnscmd did not end within ${inWords(commandMs)}`, again: true };
    case 'signal':
      return { why: `dnscmd was ended by ${end.signal}`, again: true };
    case 'cancelled':
      return { why: 'cancelled', again: false };
    case 'not-started':
      return { why: `dnscmd was not started: ${end.why}; it comes with the DNS Server Tools of RSAT`, again: false };
  }
}

/** RPC_S_SERVER_UNAVAILABLE, RPC_S_SERVER_TOO_BUSY, RPC_S_CALL_FAILED */
const passing = new Set([1722, 1723, 1726]);

function hintFor(code: number): string {
  if (code === 5) return ': the account that Estepe runs under needs the right to administer DNS there';
  if (code === 1722) return ': the DNS server was not reached';
  return code === 9601 ? ': there is no such zone on that server' : '';
}
