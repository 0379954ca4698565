/** The step that switches DNS, within a whole promotion: order, failures, repetition, who lets it go on. */
import { describe, expect, it } from 'vitest';
import type { OnFail } from '../../../src-main/contract/words.ts';
import type { DnsRecord } from '../../../src-main/engine/ports.ts';
import { type DnsSwitch, undoOf } from '../../../src-main/runbook/dns-step.ts';
import { bench } from './promotion-bench.ts';

const record = (name: string): DnsRecord => ({
  ...{ name, zone: 'example.com', ttlS: 60, servers: [], withinMs: 60_000 },
  way: { kind: 'rfc2136', server: { host: '192.0.2.53', port: 53 }, key: 'estepe' },
});
const to = (name: string, onFail: OnFail = 'ask'): DnsSwitch => ({
  ...{ record: record(name), from: '192.0.2.1', to: '192.0.2.2', onFail },
});
const inside = to('inside.example.com');
const outside: DnsSwitch = { ...to('outside.example.com'), from: '203.0.113.1', to: '203.0.113.2' };

describe('switch-dns', () => {
  it('switches each record, once the PBX is proven alive and before the after-script', async () => {
    const b = bench({ dns: [inside, outside] });
    b.dns.fate = () => {
      expect(b.said('prove-alive')).toContain('it answers here');
      expect(b.proc.names).not.toContain('after.sh');
      return {};
    };
    b.begin();
    await b.end();
    expect(b.status()).toBe('done: every step is done');
    expect(b.dns.asked.map(({ what, name, change }) => [what, name, change])).toEqual([
      ['switch', 'inside.example.com', { from: '192.0.2.1', to: '192.0.2.2' }],
      ['switch', 'outside.example.com', { from: '203.0.113.1', to: '203.0.113.2' }],
    ]);
    expect(b.said('switch-dns')).toBe(
      'inside.example.com points to 192.0.2.2. outside.example.com points to 203.0.113.2',
    );
  });

  it('one that fails does not keep the next from being switched; a person is asked, and goes on without', async () => {
    const b = bench({ dns: [inside, outside] });
    b.dns.fate = (name) => (name.startsWith('inside') ? { outcome: 'failed', sentence: 'inside: refused' } : {});
    b.begin();
    await b.end();
    expect(b.status()).toBe(
      'halted: Switch DNS: 1 of 2 records not switched. inside: refused. outside.example.com points to 203.0.113.2',
    );
    expect(b.runner.facts()).toMatchObject({ skippable: true });
    b.runner.resume({ skipStep: true, by: 'ana', overrides: [] });
    await b.end();
    expect(b.status()).toMatch(/^done/);
    expect(b.history.standing()).toMatchObject({ role: 'active' });
  });

  it('what may pass is tried again, and told which attempt it is', async () => {
    const b = bench({ dns: [inside] });
    b.dns.fate = (_, nth) => (nth < 3 ? { outcome: 'failed', again: true, sentence: 'silence' } : {});
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^done/);
    expect(b.dns.asked.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  it.each<[string, DnsSwitch[], string, string]>([
    ['halt', [to('a', 'halt')], 'halted: Switch DNS: no', 'failed'],
    ['continue', [to('a', 'continue')], 'done: every step is done', 'failed'],
    ['continue beside one that holds', [to('a', 'continue'), to('b', 'ask')], 'done: every step is done', 'done'],
  ])('onFail: %s', async (_, dns, status, outcome) => {
    const b = bench({ dns });
    b.dns.fate = (name) => (name === 'a' ? { outcome: 'failed', sentence: 'no' } : {});
    b.begin();
    await b.end();
    expect(b.status()).toBe(status);
    const entry = b.history.lastRunbook()?.entries.findLast(({ step }) => step === 'switch-dns');
    expect(entry?.result).toMatchObject({ outcome, sentence: expect.stringContaining('no') });
  });

  it('is not for this node to switch once another one claimed a higher epoch', async () => {
    const b = bench({ dns: [inside] });
    b.proc.fate = (name) => {
      if (name === 'start b') b.claims.elsewhere.set(2, 'head-office@192.0.2.1#1');
      return { how: 'exit', code: 0 };
    };
    b.begin();
    await b.end();
    expect(b.dns.asked).toEqual([]);
    expect(b.status()).toBe(
      'cancelled: epoch 2 was claimed meanwhile: another node takes over; before.sh had been run, and what it did was not taken back; DNS may point to 192.0.2.2, and was not taken back',
    );
  });

  it('after a crash in the middle of it, it is asked anew', async () => {
    const b = bench({ dns: [inside] });
    let hang = true;
    b.dns.switch = async ({ name }, change, { attempt }) => {
      b.dns.asked.push({ what: 'switch', name, change, attempt });
      return hang ? new Promise<never>(() => {}) : { outcome: 'done', sentence: 'it says so already', output: '' };
    };
    b.begin();
    await b.work.until('the switch to begin', () => b.dns.asked.length === 1);
    hang = false;
    const next = await b.reborn();
    await b.end(next);
    expect(b.status()).toMatch(/^done/);
    expect(b.dns.asked.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it('the way back exchanges the two', () => {
    expect(undoOf([outside])).toMatchObject([{ from: '203.0.113.2', to: '203.0.113.1', record: outside.record }]);
  });
});
