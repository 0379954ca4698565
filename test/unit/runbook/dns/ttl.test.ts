import { expect, it } from 'vitest';
import { staleText, ttlTrouble } from '../../../../src-main/runbook/dns/ttl.ts';

const record = { name: 'pbx.example.com', ttlS: 60 };
const answer = (server: string, ttlS: number | null) => ({ server, addresses: ['192.0.2.1'], ttlS, why: null });

it('E6 a TTL longer than configured is told before the incident, by the longest', () => {
  const trouble = ttlTrouble(record, [answer('ns1', 300), answer('ns2', 21_600), answer('ns3', null)]);
  expect(trouble?.sentence).toBe(
    'pbx.example.com has a TTL of 6 h at ns2, and `promotion.dns` says 1 min: after a switch phones may keep the old address for up to 6 h.',
  );
  expect(trouble?.todo).toContain('Lower the TTL of the record to 1 min now');
  expect(ttlTrouble(record, [answer('ns1', 60), answer('ns2', null)])).toBeNull();
  expect(ttlTrouble(record, [])).toBeNull();
});

it('and said with the switch', () => {
  expect(staleText(record, 21_600)).toContain('for up to 6 h, the TTL it had (configured: 1 min)');
  expect([staleText(record, 60), staleText(record, null)]).toEqual(['', '']);
});
