import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src-main/contract/words.ts';
import type { Beat, Net, TestSpec } from '../../../src-main/engine/ports.ts';
import { proveAlive } from '../../../src-main/runbook/prove-alive.ts';
import { Clockwork } from '../clockwork.ts';

const sip: TestSpec = { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4_000 };
const web: TestSpec = { id: 'web', kind: 'web', port: 5001, path: '/', marker: null, warnDays: 14, timeoutMs: 4_000 };
const proof = {
  target: { address: '192.0.2.2', fqdn: 'pbx.example.com' },
  tests: [sip, web],
  withinMs: 60_000,
  pauseMs: 1_000,
};

/** What each test answers in its nth round; the last answer goes on. */
function proving(answers: Record<string, Outcome[]>) {
  const work = new Clockwork();
  const asked: { test: string; address: string; at: number }[] = [];
  const net: Pick<Net, 'probe'> = {
    probe(test, target): Promise<Beat> {
      const nth = asked.filter((a) => a.test === test.id).length;
      asked.push({ test: test.id, address: target.address, at: work.time.now });
      const all = answers[test.id] ?? [];
      const outcome = all[Math.min(nth, all.length - 1)] ?? 'dead';
      const ms = outcome === 'dead' ? 4_000 : 5;
      return new Promise((go) => {
        work.clock.after(ms, () => go({ test: test.id, outcome, ms, evidence: outcome }));
      });
    },
  };
  const control = new AbortController();
  const ports = { clock: work.clock, net: net as Net };
  return { work, asked, control, end: proveAlive(ports, proof, control.signal) };
}

describe('proof that the PBX answers here', () => {
  it('takes two rounds in a row of every test, asked of this node and not of the other', async () => {
    const { work, asked, end } = proving({ sip: ['alive'], web: ['degraded'] });
    await work.pass(3_000);
    expect(await end).toMatchObject({
      outcome: 'done',
      sentence: 'it answers here after 1 s (sip: alive; web: degraded)',
    });
    expect(asked.map((a) => [a.test, a.at])).toEqual([
      ['sip', 0],
      ['web', 0],
      ['sip', 1_005],
      ['web', 1_005],
    ]);
    expect(new Set(asked.map((a) => a.address))).toEqual(new Set(['192.0.2.2']));
  });

  it('waits for a service that is slow to start', async () => {
    const { work, end } = proving({ sip: ['dead', 'dead', 'alive'], web: ['alive'] });
    await work.pass(60_000);
    expect(await end).toMatchObject({ outcome: 'done', sentence: expect.stringContaining('after 11 s') });
  });

  it('E5 starts and dies: one good round is none', async () => {
    const { work, end } = proving({ sip: ['alive', 'dead'], web: ['alive'] });
    await work.pass(120_000);
    expect(await end).toEqual({ outcome: 'failed', sentence: 'not proven alive within 1 min (sip: dead)', output: '' });
  });

  it('E5 dies and comes back: the two rounds are counted anew', async () => {
    const { work, asked, end } = proving({ sip: ['alive', 'dead', 'alive', 'alive'], web: ['alive'] });
    await work.pass(60_000);
    expect(await end).toMatchObject({ outcome: 'done' });
    expect(asked.filter((a) => a.test === 'sip')).toHaveLength(4);
  });

  it('E5 one test stays silent: failed when its time is over, naming that one only', async () => {
    const { work, end } = proving({ sip: ['dead'], web: ['alive'] });
    let ended = false;
    void end.then(() => {
      ended = true;
    });
    const took = await work.until('the end', () => ended);
    expect(took).toBeGreaterThanOrEqual(proof.withinMs);
    expect(took).toBeLessThanOrEqual(proof.withinMs + sip.timeoutMs + proof.pauseMs);
    expect(await end).toMatchObject({ outcome: 'failed', sentence: 'not proven alive within 1 min (sip: dead)' });
  });

  it.each<Outcome>(['foreign', 'unknown', 'dead'])('%s is no answer', async (outcome) => {
    const { work, end } = proving({ sip: [outcome], web: ['alive'] });
    await work.pass(120_000);
    expect(await end).toMatchObject({ outcome: 'failed', sentence: `not proven alive within 1 min (sip: ${outcome})` });
  });

  it('cancelled while it waits, ends at once with what it saw last', async () => {
    const { work, control, end } = proving({ sip: ['dead'], web: ['alive'] });
    await work.pass(4_500);
    control.abort();
    await work.settle();
    expect(await end).toMatchObject({
      outcome: 'failed',
      sentence: 'cancelled while waiting for the services (sip: dead; web: alive)',
    });
  });
});
