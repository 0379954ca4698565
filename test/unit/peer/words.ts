/** A node's word for tests: the active of `head-office`, serving. */
import type { NodeWord } from '../../../src-main/peer/word.ts';

export const lifeA = 'a'.repeat(32);
export const lifeB = 'b'.repeat(32);

export const wordWith = (change: Partial<NodeWord> = {}): NodeWord => ({
  format: 1,
  pair: 'head-office',
  fqdn: 'pbx.example.com',
  node: 'head-office@192.0.2.1',
  place: '192.0.2.1',
  role: 'active',
  epoch: 3,
  seq: 7,
  life: lifeA,
  at: 1_700_000_000_000,
  phase: 'serving',
  healthy: true,
  tests: [{ id: 'sip', outcome: 'alive', evidence: 'SIP/2.0 200 OK' }],
  services: 'running',
  intervalMs: 30_000,
  version: '0.1.0',
  backup: { name: 'head-office-e3.zip', createdAt: 1_700_000_000_000, verified: true },
  ...change,
});
