/**
 * The step that points the pair's name to the node that takes over, and its counterpart. Each record in turn; one that fails does not
 * keep the next from being switched (inside and outside have records of their own). Must not know how a record is changed.
 */
import type { OnFail } from '../contract/words.ts';
import type { Dns, DnsChange, DnsRecord } from '../engine/ports.ts';
import { done, failure, type Step, type StepContext, type StepEnd } from './step.ts';

/** One record, and which address it is to hold in place of which. */
export interface DnsSwitch extends DnsChange {
  record: DnsRecord;
  onFail: OnFail;
}

/** The way back: what leads this node's records to the other one again. */
export const undoOf = (switches: readonly DnsSwitch[]): DnsSwitch[] =>
  switches.map((one) => ({ ...one, from: one.to, to: one.from }));

/** How long a change itself may take, besides the time in which the servers follow. */
function changeMs({ way, withinMs }: DnsRecord): number {
  switch (way.kind) {
    case 'script':
      return way.timeoutMs + 30_000;
    case 'dnscmd':
      return 150_000;
    case 'rfc2136':
      return 60_000;
    case 'cloudflare':
    case 'route53':
      // put off by the provider for as long as the servers may take
      return 120_000 + withinMs;
  }
}

const strictness: readonly OnFail[] = ['continue', 'ask', 'halt'];
const strictest = (switches: readonly DnsSwitch[]): OnFail =>
  switches.reduce<OnFail>(
    (worst, { onFail }) => (strictness.indexOf(onFail) > strictness.indexOf(worst) ? onFail : worst),
    'continue',
  );

/** Where a record is changed, for the plan: `rfc2136 at 192.0.2.53`. */
function place({ record }: DnsSwitch): string {
  const { way } = record;
  if (way.kind === 'rfc2136') return `rfc2136 at ${way.server.host}`;
  if (way.kind === 'dnscmd') return `dnscmd at ${way.server}`;
  return way.kind === 'script' ? (way.argv[0] ?? 'script') : way.kind;
}

/** Whether another node took over meanwhile: then the name is its to switch. */
type Outbid = (c: StepContext) => Promise<StepEnd | null>;

export function switchDnsStep(dns: Dns, switches: readonly DnsSwitch[], outbid: Outbid): Step {
  const plan = switches.map((one) => `${one.record.name} to ${one.to} (${place(one)})`).join('; ');
  const budget = switches.reduce((sum, { record }) => sum + changeMs(record) + record.withinMs, 30_000);
  return {
    id: 'switch-dns',
    title: 'Switch DNS',
    detail: plan || 'none is configured',
    timeoutMs: budget,
    retries: switches.length === 0 ? 0 : 2,
    onFail: switches.length === 0 ? 'continue' : strictest(switches),
    pointOfNoReturn: false,
    repeatOnResume: false,
    remains:
      switches.length === 0
        ? ''
        : `DNS may point to ${[...new Set(switches.map(({ to }) => to))].join(', ')}, and was not taken back`,
    run: async (c) => {
      if (switches.length === 0) return { outcome: 'skipped', sentence: 'none is configured', output: '' };
      return (await outbid(c)) ?? switchAll(dns, switches, c);
    },
  };
}

/** Switches, or in a dry run rehearses, each of them; a record that is switched already is left alone by the port. */
export async function switchAll(dns: Dns, switches: readonly DnsSwitch[], c: StepContext): Promise<StepEnd> {
  const sentences: string[] = [];
  let output = '';
  const failures: { onFail: OnFail; again: boolean }[] = [];
  for (const { record, from, to, onFail } of switches) {
    if (c.signal.aborted) {
      sentences.push(`${record.name} (${record.way.kind}) was not begun: cancelled`);
      failures.push({ onFail, again: false });
      continue;
    }
    const context = {
      ...{ signal: c.signal, attempt: c.attempt, runToken: c.runToken, onOutput: c.onOutput, step: 'switch-dns' },
      epoch: c.epoch ?? 0,
      reason: c.runbook.because,
    };
    const end = await dns[c.dryRun ? 'rehearse' : 'switch'](record, { from, to }, context);
    sentences.push(end.sentence);
    output += end.output;
    if (end.outcome === 'failed') failures.push({ onFail, again: end.again === true });
  }
  const sentence = sentences.join('. ');
  if (failures.length === 0) return done(sentence, output);
  const count = switches.length === 1 ? '' : `${failures.length} of ${switches.length} records not switched. `;
  const end = failure(`${count}${sentence}`, output);
  if (failures.some(({ again }) => again) && !c.signal.aborted) return { ...end, again: true };
  // Those that must hold are switched: what failed is said, and lets the runbook go on by its own word.
  const mayGoOn = failures.every(({ onFail }) => onFail === 'continue') && strictest(switches) !== 'continue';
  return mayGoOn ? done(`${count}${sentence}`, output) : end;
}
