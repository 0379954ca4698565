/** The configuration of the simulated node, as the engine needs it. */
import type { Role } from '../../src-main/contract/words.ts';
import type { Policy } from '../../src-main/engine/observation.ts';
import type { TestSpec } from '../../src-main/engine/ports.ts';
import type { Site } from '../../src-main/station/engine.ts';
import { fenceTarget, ownAddress, watchedAddress } from './sim-ports.ts';

/** Faults planted on purpose, to see that they are found. */
export type Bug = 'skip-confirmation' | 'ignore-claim' | 'lose-results';
export const bugs: readonly Bug[] = ['skip-confirmation', 'ignore-claim', 'lose-results'];

export interface SiteOptions {
  bug?: Bug;
  /** where the configuration says that this node starts; default passive */
  role?: Role;
}

export const defaultPolicy: Policy = {
  failWhen: 'all',
  intervalMs: 30_000,
  confirmTimes: 3,
  confirmEveryMs: 5_000,
  mode: 'automatic',
  countdownMs: 300_000,
  onSilence: 'promote',
  cooldownMs: 3_600_000,
  maxOffsetMs: null,
  observeOnly: false,
  claim: 'required',
  references: 2,
};

const specs: TestSpec[] = [
  { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4000 },
  { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 4000 },
  { id: 'tunnel', kind: 'tunnel', port: 5090, timeoutMs: 4000 },
];
const references = ['a', 'b'].map((id) => ({ id, kind: 'ping', host: id, timeoutMs: 2000 }) as const);
const record = {
  ...{ name: 'pbx.example', zone: 'example', ttlS: 60, servers: [], withinMs: 60_000 },
  way: { kind: 'rfc2136', server: { host: '192.0.2.53', port: 53 }, key: 'estepe' } as const,
};
const script = (name: string) => ({ argv: [name], timeoutMs: 60_000, retries: 2, onFail: 'halt' as const });

export function siteOf(policy: Policy, { role = 'passive', bug }: SiteOptions): Site {
  const confirmTimes = bug === 'skip-confirmation' ? 0 : policy.confirmTimes;
  return {
    node: 'spare',
    role,
    policy: { ...policy, confirmTimes },
    watched: {
      target: { address: watchedAddress, fqdn: 'pbx.example' },
      tests: specs,
      references: references.slice(0, policy.references),
    },
    plan: {
      fqdn: 'pbx.example',
      oldAddress: watchedAddress,
      newAddress: ownAddress,
      scriptsFolder: '/scripts',
      claim: policy.claim,
      fence: {
        need: 'best-effort',
        api: null,
        script: null,
        silence: {
          target: fenceTarget,
          tests: specs,
          failWhen: policy.failWhen,
          withinMs: 30_000,
          pauseMs: 1_000,
          rounds: 2,
        },
      },
      before: script('before'),
      after: { ...script('after'), onFail: 'continue' },
      services: { start: [['start']], query: [['query']], stop: [['stop']], timeoutMs: 60_000, onFail: 'halt' },
      proof: { target: { address: ownAddress, fqdn: 'pbx.example' }, tests: specs, withinMs: 60_000, pauseMs: 1_000 },
      dns: [{ record, from: watchedAddress, to: ownAddress, onFail: 'ask' }],
    },
  };
}
