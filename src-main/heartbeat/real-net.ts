/**
 * The `Net` port on real sockets: looks the name up, asks every address of it, and turns what was found into a beat.
 * Whatever goes wrong on this machine's own side is `unknown`, never `dead`. Decides nothing about the pair.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Outcome } from '../contract/words.ts';
import type { Beat, Net, Proc, ReferenceBeat, ReferenceSpec, Target, TestSpec } from '../engine/ports.ts';
import { runCommandTest } from './command-test.ts';
import { type Endpoint, type Finding, oneLine, wordsOf } from './evidence.ts';
import { defaultGateways } from './gateway.ts';
import { type Found, LookUp } from './look-up.ts';
import { type Answer, type Asking, askDns, askPing, askSip, askTcp } from './references.ts';
import { sipOptions } from './sip.ts';
import { tunnelAccepts } from './tunnel.ts';
import { webGet } from './web.ts';

export interface RealNetOptions {
  proc: Proc;
  /** folder of the scripts that `command` tests run */
  scripts: string;
  dataFolder: string;
  /** local address to send from; used for targets of its own family only */
  source?: string;
  /** trusted authorities (PEM) instead of Node's built-in ones */
  ca?: string;
}

/** Better first: of several addresses of one name the best answer counts. */
const rank: readonly Outcome[] = ['alive', 'degraded', 'foreign', 'dead', 'unknown'];

export class RealNet implements Net {
  readonly #options: RealNetOptions;
  readonly #lookUp = new LookUp();

  constructor(options: RealNetOptions) {
    this.#options = options;
  }

  /** One test once. Never rejects; ends within `test.timeoutMs` (a look-up of the name included) or by `signal`. */
  async probe(test: TestSpec, target: Target, signal: AbortSignal): Promise<Beat> {
    const startedAt = performance.now();
    let finding: Finding;
    try {
      finding =
        test.kind === 'command' ? await this.#command(test, target, signal) : await this.#ask(test, target, signal);
    } catch (error) {
      finding = { outcome: 'unknown', evidence: `the test itself failed: ${wordsOf(error)}` };
    }
    return {
      test: test.id,
      outcome: finding.outcome,
      ms: since(startedAt),
      evidence: oneLine(finding.evidence),
      ...(finding.silent === true ? { silent: true } : {}),
      ...(finding.there === true ? { there: true } : {}),
      ...(finding.detail === undefined ? {} : { detail: finding.detail }),
    };
  }

  /** One reference once. Never rejects; ends within its time-out (plus 1 s for `ping`) or by `signal`. */
  async reference(spec: ReferenceSpec, signal: AbortSignal): Promise<ReferenceBeat> {
    const startedAt = performance.now();
    let answer: Answer;
    try {
      answer = signal.aborted ? { answered: null, evidence: 'cancelled' } : await this.#refer(spec, signal);
    } catch (error) {
      answer = { answered: null, evidence: `could not ask: ${wordsOf(error)}` };
    }
    return { id: spec.id, answered: answer.answered, ms: since(startedAt), evidence: oneLine(answer.evidence) };
  }

  #command(test: TestSpec & { kind: 'command' }, target: Target, signal: AbortSignal): Promise<Finding> {
    const { proc, scripts, dataFolder } = this.#options;
    const question = { test, target, scripts, dataFolder, runToken: newToken(test.id) };
    return runCommandTest(question, proc, signal);
  }

  async #ask(test: Exclude<TestSpec, { kind: 'command' }>, target: Target, signal: AbortSignal): Promise<Finding> {
    const startedAt = performance.now();
    // half of the budget at most, so that the test itself is still a fair one
    const found = await this.#lookUp.find(target.address, test.timeoutMs / 2, signal);
    if (found.how !== 'found') return { outcome: 'unknown', evidence: whyNot(found) };
    const timeoutMs = Math.max(1, test.timeoutMs - (performance.now() - startedAt));
    // asked side by side: a name with an address of a family that nobody serves must not use up the time
    return best(
      found.addresses.map(({ address, family }) => (stop: AbortSignal) => {
        const end = { address, family, port: test.port };
        const common = {
          end,
          fqdn: target.fqdn,
          timeoutMs,
          wholeMs: test.timeoutMs,
          source: this.#sourceFor(end),
          ca: this.#options.ca,
        };
        switch (test.kind) {
          case 'sip':
            return sipOptions({ ...common, transport: test.transport }, stop);
          case 'web':
            return webGet({ ...common, path: test.path, marker: test.marker, warnDays: test.warnDays }, stop);
          case 'tunnel':
            return tunnelAccepts(common, stop);
        }
      }),
      signal,
    );
  }

  async #refer(spec: ReferenceSpec, signal: AbortSignal): Promise<Answer> {
    if (spec.kind === 'gateway') return this.#gateway(spec.timeoutMs, signal);
    const startedAt = performance.now();
    const found = await this.#lookUp.find(spec.host, spec.timeoutMs / 2, signal);
    if (found.how !== 'found') return { answered: null, evidence: whyNot(found) };
    const timeoutMs = Math.max(1, spec.timeoutMs - (performance.now() - startedAt));
    const all = found.addresses.map(({ address, family }) => {
      if (spec.kind === 'ping') {
        return askPing(address, this.#options.proc, newToken('ping'), { timeoutMs, signal });
      }
      const end = { address, family, port: spec.port };
      const asking: Asking = { timeoutMs, signal, source: this.#sourceFor(end) };
      if (spec.kind === 'tcp') return askTcp(end, asking);
      return spec.kind === 'dns' ? askDns(end, asking) : askSip(end, spec.host, asking);
    });
    return firstAnswer(all);
  }

  async #gateway(timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    const { proc } = this.#options;
    const gateways = await defaultGateways(proc, timeoutMs, newToken('route'), signal);
    if (gateways.length === 0) return { answered: false, evidence: 'this machine has no default gateway' };
    return firstAnswer(
      gateways.map(async (address) => {
        const answer = await askPing(address, proc, newToken('ping'), { timeoutMs, signal });
        if (answer.answered !== null || signal.aborted) return answer;
        // no ping on this machine: knock instead. A refusal proves life; silence proves nothing, firewalls drop.
        const family = isIP(address.split('%')[0] ?? '') === 6 ? 6 : 4;
        const end: Endpoint = { address, family, port: 53 };
        const knock = await askTcp(end, { timeoutMs, signal, source: this.#sourceFor(end) });
        return knock.answered === true ? knock : answer;
      }),
    );
  }

  #sourceFor(end: { family: 4 | 6 }): string | undefined {
    const { source } = this.#options;
    return source !== undefined && isIP(source) === end.family ? source : undefined;
  }
}

const since = (startedAt: number): number => Math.round((performance.now() - startedAt) * 10) / 10;

/** Marks a process tree of ours; random, since two tests of one id may overlap. */
const newToken = (what: string): string => `${what.replace(/[^\w-]/g, '_')}-${randomBytes(6).toString('hex')}`;

const whyNot = (found: Exclude<Found, { how: 'found' }>): string => (found.how === 'failed' ? found.why : 'cancelled');

/** The best finding; the first `alive` ends the others. */
async function best(
  asks: readonly ((signal: AbortSignal) => Promise<Finding>)[],
  signal: AbortSignal,
): Promise<Finding> {
  const [only] = asks;
  if (asks.length === 1 && only !== undefined) return only(signal);
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  const findings: Finding[] = [];
  await Promise.all(
    asks.map(async (ask) => {
      const finding = await ask(either);
      // those that `enough` ended have nothing to say
      if (!enough.signal.aborted) findings.push(finding);
      if (finding.outcome === 'alive') enough.abort();
    }),
  );
  const sorted = findings.toSorted((a, b) => rank.indexOf(a.outcome) - rank.indexOf(b.outcome));
  const top = sorted[0] ?? { outcome: 'unknown', evidence: 'nothing was asked' };
  if (top.outcome !== 'dead') return top;
  const silent = sorted.every((finding) => finding.silent === true);
  const there = sorted.some((finding) => finding.there === true);
  return { ...top, silent, there, evidence: sorted.map(({ evidence }) => evidence).join('; ') };
}

/** True if anything answered, false if something was asked in vain, else null. */
async function firstAnswer(asked: readonly Promise<Answer>[]): Promise<Answer> {
  const all = await Promise.all(asked);
  return (
    all.find(({ answered }) => answered === true) ??
    all.find(({ answered }) => answered === false) ??
    all[0] ?? { answered: null, evidence: 'nothing was asked' }
  );
}
