import { describe, expect, it } from 'vitest';
import type { Beat } from '../../../src-main/engine/ports.ts';
import type { FencePlan } from '../../../src-main/runbook/fence/fence-step.ts';
import type { PbxApiEnd, PeerFence } from '../../../src-main/runbook/fence/means.ts';
import type { RunbookStart } from '../../../src-main/runbook/journal.ts';
import { promotionStepIds } from '../../../src-main/runbook/promotion.ts';
import type { Runner } from '../../../src-main/runbook/runner.ts';
import { bench, plan } from './promotion-bench.ts';
import { exit } from './workbench.ts';

const script = { argv: ['fence.sh'], timeoutMs: 20_000, retries: 2 };
const api = {
  address: '192.0.2.1',
  port: 5001,
  fqdn: 'pbx.example.com',
  clientId: 'estepe',
  secret: 'pbx-api',
  timeoutMs: 60_000,
};
const dead = { outcome: 'dead', evidence: 'no answer' } as const;
const alive = { outcome: 'alive', evidence: 'SIP/2.0 200 OK' } as const;
type Old = Omit<Beat, 'test' | 'ms'>;

const fencedBy = (change: Partial<FencePlan>) => bench({ fence: { ...plan.fence, ...change } });
type Bench = ReturnType<typeof bench>;

const peerSays = (b: Bench, outcome: 'stood-down' | 'refused' | 'unreachable', then: Old = b.answers.old) => {
  const asked: { epoch: number; because: string }[] = [];
  const peer: PeerFence = {
    isPaired: () => true,
    askStandDown: async (epoch, because) => {
      asked.push({ epoch, because });
      b.answers.old = then;
      return { outcome, sentence: `the other node: ${outcome}` };
    },
  };
  b.fencing.peer = peer;
  return asked;
};
const apiSays = (b: Bench, outcome: PbxApiEnd['outcome'], then: Old = b.answers.old) => {
  const asked: boolean[] = [];
  b.fencing.pbxApi = {
    stop: async (_plan, { dryRun }) => {
      asked.push(dryRun);
      b.answers.old = then;
      return { outcome, sentence: `the API: ${outcome}` };
    },
  };
  return asked;
};
/** Begun on a runner that has the parts which this test gave. */
function begun(b: Bench, change: Partial<RunbookStart> = {}): Runner {
  const runner = b.live();
  runner.begin({
    kind: 'promotion',
    origin: 'person',
    by: 'console',
    because: 'it is dead & gone',
    overrides: [],
    epoch: null,
    dryRun: false,
    steps: promotionStepIds,
    ...change,
  });
  return runner;
}
const fenced = (b: Bench) => b.end(begun(b));

describe('the fence, means by means', () => {
  it('a dead one without any means: two silent rounds are the proof, and nothing else was done', async () => {
    const b = bench();
    await fenced(b);
    expect(b.said('fence')).toBe('192.0.2.1 is silent, 2 rounds in a row (sip: no answer)');
    expect(b.told).toEqual([]);
    expect(b.status()).toMatch(/^done/);
  });

  it('one that stands down when asked is asked under the epoch that was claimed; harsher means are spared', async () => {
    const b = fencedBy({ api, script });
    b.answers.old = alive;
    const asked = peerSays(b, 'stood-down', dead);
    const stopped = apiSays(b, 'stopped');
    await fenced(b);
    expect(asked).toEqual([{ epoch: 1, because: 'it is dead & gone' }]);
    expect(stopped).toEqual([]);
    expect(b.proc.names).not.toContain('fence.sh');
    expect(b.said('fence')).toMatch(
      /^asked over the peer link it stood down \(the other node: stood-down\); 192\.0\.2\.1 is silent/,
    );
  });

  it('a means that says it is done, and is not: the next one follows', async () => {
    const b = fencedBy({ api, script });
    b.answers.old = alive;
    peerSays(b, 'stood-down');
    apiSays(b, 'stopped', dead);
    await fenced(b);
    expect(b.proc.names).not.toContain('fence.sh');
    expect(b.said('fence')).toMatch(
      /^asked over the peer link it stood down \(the other node: stood-down\); the API: stopped; 192\.0\.2\.1 is silent/,
    );
  });

  it('peer and API out of reach: the script, told of the epoch and the old address, before the before-script', async () => {
    const b = fencedBy({ api, script });
    peerSays(b, 'unreachable');
    apiSays(b, 'unreachable');
    await fenced(b);
    expect(b.proc.names.slice(0, 2)).toEqual(['fence.sh', 'before.sh --now']);
    expect(b.proc.ran[0]?.env).toMatchObject({
      ESTEPE_STEP: 'fence',
      ESTEPE_EPOCH: '1',
      ESTEPE_DRY_RUN: '0',
      ESTEPE_OLD_ADDRESS: '192.0.2.1',
    });
    expect(b.vetted[0]).toBe('/scripts/fence.sh');
    expect(b.status()).toMatch(/^done/);
  });

  it('exit 1 of the script is tried again, told which attempt it is', async () => {
    const b = fencedBy({ script });
    b.proc.fate = (name, nth) => exit(name === 'fence.sh' && nth < 3 ? 1 : 0);
    await fenced(b);
    const runs = b.proc.ran.filter(({ env }) => env.ESTEPE_STEP === 'fence');
    expect(runs.map(({ env }) => env.ESTEPE_ATTEMPT)).toEqual(['1', '2', '3']);
    expect(b.said('fence')).toMatch(/^fence\.sh ended with 0 /);
  });

  it('a peer that never answers is left in the end, and the fence goes on', async () => {
    const b = bench();
    let signal: AbortSignal | null = null;
    b.fencing.peer = {
      isPaired: () => true,
      askStandDown: (_epoch, _because, given) => {
        signal = given;
        return new Promise(() => {});
      },
    };
    await fenced(b);
    expect(b.said('fence')).toMatch(/^the peer link did not answer within 2 min 10 s; 192\.0\.2\.1 is silent/);
    expect((signal as AbortSignal | null)?.aborted).toBe(true);
  });
});

describe('what is not proven', () => {
  const unproven: [string, Old][] = [
    ['could not be asked after', { outcome: 'unknown', evidence: 'EMFILE' }],
    ['answers with a 500', { outcome: 'dead', there: true, evidence: 'HTTP/1.1 500' }],
    ['speaks something else', { outcome: 'foreign', evidence: 'something else answers' }],
  ];

  it.each(unproven)('best-effort: one that %s is gone past, and people are told of both answering', async (_, old) => {
    const b = bench();
    b.answers.old = old;
    await fenced(b);
    expect(b.status()).toMatch(/^done/);
    expect(b.said('fence')).toContain('192.0.2.1 is not proven silent within 30 s');
    expect(b.told).toEqual([
      {
        key: 'fence.1',
        text: expect.stringMatching(/not fenced, and the takeover goes on.*both nodes may answer now/),
      },
    ]);
    expect(b.history.events({ limit: 50 }).find((e) => e.rule === 'fence.1')).toMatchObject({
      kind: 'alert',
      severity: 'alert',
    });
  });

  it.each(unproven)(
    'required: one that %s halts it before anything runs here; a person may leave it out',
    async (_, old) => {
      const b = fencedBy({ need: 'required' });
      b.answers.old = old;
      const runner = begun(b);
      await b.end(runner);
      expect(b.status()).toMatch(/^halted: Fence the old active: .*\(fence: required\)$/);
      expect(b.proc.names).toEqual([]);
      expect(b.told).toEqual([]);
      expect(runner.facts()).toMatchObject({ skippable: true, committed: false });
      runner.resume({ skipStep: true, by: 'console', overrides: [] });
      await b.end(runner);
      expect(b.said('fence')).toBe('left out by console');
      expect(b.status()).toMatch(/^done/);
    },
  );

  it.each([
    ['best-effort', 'automatic', /^cancelled: 192\.0\.2\.1 still serves within 30 s \(sip: SIP/],
    ['required', 'silence', /^cancelled: 192\.0\.2\.1 still serves within 30 s \(sip: SIP/],
    ['required', 'person', /^halted: Fence the old active: 192\.0\.2\.1 still serves within 30 s \(sip: SIP/],
  ] as const)('%s: one that serves ends what began by %s, whatever the need', async (need, origin, status) => {
    const b = fencedBy({ need });
    b.answers.old = alive;
    const runner = begun(b, { origin });
    await b.end(runner);
    expect(b.status()).toMatch(status);
    expect(b.proc.names).toEqual([]);
    expect(b.told).toEqual([]);
  });

  it('best-effort: beside one that serves only a person goes on who overrode its proven death, and all are told', async () => {
    const b = bench();
    b.answers.old = alive;
    const runner = begun(b, { overrides: [{ guard: 'proven-down', reason: 'nobody hears it' }] });
    await b.end(runner);
    expect(b.status()).toMatch(/^done/);
    expect(b.told.map(({ key }) => key)).toEqual(['fence.1']);
  });

  it('a bare accept of the tunnel port beside silence is no service, and no silence either', async () => {
    const tests = [
      ...plan.fence.silence.tests,
      { id: 'tunnel', kind: 'tunnel', port: 5090, timeoutMs: 4_000 } as const,
    ];
    const b = fencedBy({ silence: { ...plan.fence.silence, tests } });
    b.answers.byTest = { sip: { ...dead, silent: true }, tunnel: { outcome: 'alive', evidence: 'port accepts' } };
    await fenced(b);
    expect(b.said('fence')).toMatch(/not proven silent within 30 s \(tunnel: port accepts\)/);
    expect(b.told).toHaveLength(1);
  });

  it.each([
    ['best-effort', /^done/, 1],
    ['required', /^halted: .*it may come back and serve beside this node \(fence: required\)$/, 0],
  ] as const)('silent, but the script that was to keep it so failed: %s', async (need, status, told) => {
    const b = fencedBy({ need, script });
    b.proc.fate = (name) => exit(name === 'fence.sh' ? 2 : 0);
    await fenced(b);
    expect(b.status()).toMatch(status);
    expect(b.told).toHaveLength(told);
  });

  it('one silent round is not enough: it answers once more, and the count begins anew', async () => {
    const b = bench();
    const rounds: Old[] = [dead, alive, dead, dead];
    let asked = 0;
    Object.defineProperty(b.answers, 'old', { get: () => rounds[Math.min(asked++, rounds.length - 1)] });
    await fenced(b);
    expect(asked).toBe(4);
    expect(b.status()).toMatch(/^done/);
  });
});

describe('a claim that is worth nothing', () => {
  it.each(['person', 'automatic'] as const)(
    'B4 the other node knows an epoch that is not lower: given back, silent or not, and nothing is forced on it (%s)',
    async (origin) => {
      const b = fencedBy({ api, script, need: 'best-effort' });
      const sentence = 'Epoch 1 does not bid over this node, which knows epoch 1.';
      b.fencing.peer = {
        isPaired: () => true,
        askStandDown: async () => ({ outcome: 'refused', sentence, outbid: true }),
      };
      const asked = apiSays(b, 'stopped');
      b.answers.old = dead;
      await b.end(begun(b, { origin }));
      expect(b.status()).toMatch(/^cancelled: .*which knows epoch 1\. The claim made here is worth nothing/);
      expect(asked).toEqual([]);
      expect(b.proc.names).toEqual([]);
      expect(b.history.standing()?.role).not.toBe('active');
    },
  );
});

describe('the fence and the runbook', () => {
  it('taken back after it, what it did is said', async () => {
    const b = fencedBy({ script });
    b.proc.fate = (name) => (name.startsWith('before') ? { ms: 50_000, end: exit(0) } : exit(0));
    const runner = begun(b);
    await b.work.until('the before-script', () => b.proc.names.includes('before.sh --now'));
    runner.cancel('console cancelled it');
    await b.end(runner);
    expect(b.status()).toBe(
      'cancelled: console cancelled it; the old active was fenced (fence.sh), which was not taken back; before.sh had been run, and what it did was not taken back',
    );
  });

  it('cancelled in the middle, it ends at once and nothing more is tried', async () => {
    const b = fencedBy({ script });
    b.proc.fate = () => ({ ms: 15_000, end: exit(0) });
    const runner = begun(b);
    await b.work.until('the script', () => b.proc.names.length === 1);
    runner.cancel('console cancelled it');
    await b.end(runner);
    expect(b.status()).toMatch(/^cancelled: console cancelled it/);
    expect(b.proc.names).toEqual(['fence.sh']);
  });

  it('F1 cut off in its script: what that left is ended, and the fence is begun anew', async () => {
    const b = fencedBy({ script });
    b.proc.fate = (name, nth) => (name === 'fence.sh' && nth === 1 ? { ms: 1e9, end: exit(0) } : exit(0));
    b.begin();
    await b.work.until('the script', () => b.proc.names.includes('fence.sh'));
    b.proc.leftovers.set(b.proc.ran[0]?.runToken ?? '', 1);
    await b.end(await b.reborn());
    expect(b.proc.leftovers.size).toBe(0);
    expect(b.proc.names.filter((name) => name === 'fence.sh')).toHaveLength(2);
    expect(b.status()).toMatch(/^done/);
  });

  it('G5 a dry run tells the script so, asks the API only to look, and proves nothing', async () => {
    const b = fencedBy({ api, script });
    const asked = apiSays(b, 'checked');
    b.answers.old = alive;
    begun(b, { dryRun: true, steps: ['fence'] });
    await b.work.until('an end', () => b.history.lastRunbook()?.status !== 'running');
    expect(asked).toEqual([true]);
    expect(b.proc.ran[0]?.env).toMatchObject({ ESTEPE_DRY_RUN: '1' });
    expect(b.said('fence')).toMatch(/^dry run: the API: checked; fence\.sh ended with 0/);
  });
});
