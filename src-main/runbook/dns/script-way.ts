/**
 * A script of the site's own changes the record. What it did is not taken on trust: the authoritative servers are asked. They are
 * those that the configuration names, else those that the system's resolver finds for the name.
 */
import { Resolver } from 'node:dns/promises';
import type { DnsChange, DnsContext, DnsRecord, DnsWay, Files, Proc } from '../../engine/ports.ts';
import { runScript } from '../script.ts';
import { type Authorities, type Authority, answersNow, isOnly } from './authoritative.ts';
import { typeOf } from './message.ts';
import { failed, type Way, type WayEnd } from './way.ts';

type Script = Extract<DnsWay, { kind: 'script' }>;

export interface ScriptWayParts {
  proc: Proc;
  files: Files;
  scriptsFolder: string;
  authorities: Authorities;
}

/** Further attempts of a script that asks for them; the step itself counts them. */
const retries = 2;

export class ScriptWay implements Way {
  readonly #record: DnsRecord;
  readonly #script: Script;
  readonly #parts: ScriptWayParts;

  constructor(record: DnsRecord, script: Script, parts: ScriptWayParts) {
    this.#record = record;
    this.#script = script;
    this.#parts = parts;
  }

  async authorities(signal: AbortSignal): Promise<Authority[]> {
    if (this.#record.servers.length > 0) return [];
    return this.#parts.authorities.named(await nameServersOf(this.#record.name), signal);
  }

  async change(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    const { signal } = context;
    const own = this.#record.servers.map((server) => this.#parts.authorities.find(server, signal));
    const known = [...(await Promise.all(own)), ...(await this.authorities(signal))];
    const before = await answersNow(known, this.#record, typeOf(change.to).type, signal);
    if (before.length > 0 && before.every((answer) => isOnly(answer, change.to))) {
      return { how: 'already', words: 'every authoritative server says so already', ttlS: null };
    }
    return this.#run(change, context, false, before.find(({ ttlS }) => ttlS !== null)?.ttlS ?? null);
  }

  /** The script is told by ESTEPE_DRY_RUN that nothing may be changed. */
  rehearse(change: DnsChange, context: DnsContext): Promise<WayEnd> {
    return this.#run(change, context, true, null);
  }

  async #run(change: DnsChange, context: DnsContext, dryRun: boolean, ttlS: number | null): Promise<WayEnd> {
    const { proc, files, scriptsFolder } = this.#parts;
    const { onOutput, signal, epoch, step, attempt, reason, runToken } = context;
    const { argv: run, timeoutMs } = this.#script;
    const end = await runScript(
      { proc, files, scriptsFolder, ...(onOutput === undefined ? {} : { onOutput }) },
      { run, timeoutMs, retries },
      {
        ...{ epoch, step, attempt, reason, runToken, dryRun },
        fqdn: this.#record.name,
        oldAddress: change.from,
        newAddress: change.to,
      },
      signal,
    );
    const { sentence, output, verdict } = end;
    if (verdict !== 'done') return failed(sentence, { again: verdict === 'again', output });
    return { how: 'changed', words: sentence, ttlS, output };
  }
}

/** The name servers of the nearest zone above a name, by the system's resolver; none, where it does not find any. */
async function nameServersOf(name: string): Promise<string[]> {
  const labels = name.split('.');
  for (let i = 0; i < labels.length - 1; i += 1) {
    try {
      const found = await new Resolver({ timeout: 1_500, tries: 2 }).resolveNs(labels.slice(i).join('.'));
      if (found.length > 0) return found;
    } catch {
      // no zone begins here
    }
  }
  return [];
}
