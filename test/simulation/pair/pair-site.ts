/** The configuration of one node of the simulated pair. */
import type { Policy } from '../../../src-main/engine/observation.ts';
import type { Site } from '../../../src-main/station/engine.ts';
import { defaultPolicy, siteOf } from '../sim-site.ts';
import { addressOf, type Name, otherOf } from './pair-world.ts';

export const pair = 'pair';
export const fqdn = 'pbx.example';

export const pairPolicy: Policy = { ...defaultPolicy, cooldownMs: 1_800_000, failbackStableMs: 600_000 };

export function pairSite(name: Name, policy: Policy): Site {
  const one = siteOf(policy, { role: name === 'a' ? 'active' : 'passive' });
  const [own, other] = [
    { address: addressOf[name], fqdn },
    { address: addressOf[otherOf(name)], fqdn },
  ];
  const { plan, watched } = one;
  return {
    ...one,
    node: `${pair}@${own.address}`,
    watched: { ...watched, target: other },
    plan: {
      ...plan,
      ...{ oldAddress: other.address, newAddress: own.address },
      fence: { ...plan.fence, silence: { ...plan.fence.silence, target: other } },
      proof: { ...plan.proof, target: own },
      dns: plan.dns.map((record) => ({ ...record, from: other.address, to: own.address })),
    },
  };
}
