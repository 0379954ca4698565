import { describe, expect, it } from 'vitest';
import type { StepId } from '../../../src-main/contract/words.ts';
import type { CommandEnd } from '../../../src-main/engine/ports.ts';
import { EpochMemory } from '../../../src-main/runbook/epoch-seen.ts';
import { promotionStepIds } from '../../../src-main/runbook/promotion.ts';
import { bench, plan } from './promotion-bench.ts';
import { exit } from './workbench.ts';

describe('a promotion', () => {
  it('claims, fences, says goodbye, starts, proves, tells, and only then is active', async () => {
    const b = bench();
    b.begin();
    expect(b.history.standing()).toBeNull();
    await b.end();
    expect(b.status()).toBe('done: every step is done');
    expect(b.proc.names).toEqual(['before.sh --now', 'start a', 'start b', 'after.sh']);
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
    expect(b.history.lastRunbook()).toMatchObject({ epoch: 1, steps: promotionStepIds });
    expect(b.vetted).toEqual(['/scripts/before.sh', '/scripts/after.sh']);
    expect(promotionStepIds.map(b.said)).toEqual([
      'they hold',
      'epoch 1 is ours',
      '192.0.2.1 is silent, 2 rounds in a row (sip: no answer)',
      'before.sh ended with 0 after 1 s',
      '2 start commands done',
      'it answers here after 1 s (sip: 200 OK)',
      'none is configured',
      'after.sh ended with 0 after 1 s',
      'active under epoch 1',
    ]);
  });

  it('tells scripts what they need, each in a run of its own', async () => {
    const b = bench();
    b.begin();
    await b.end();
    const [before, , , after] = b.proc.ran;
    expect(before?.env).toEqual({
      ESTEPE_EPOCH: '1',
      ESTEPE_STEP: 'before-script',
      ESTEPE_ATTEMPT: '1',
      ESTEPE_REASON: process.platform === 'win32' ? 'it is dead   gone' : 'it is dead & gone',
      ESTEPE_DRY_RUN: '0',
      ESTEPE_FQDN: 'pbx.example.com',
      ESTEPE_OLD_ADDRESS: '192.0.2.1',
      ESTEPE_NEW_ADDRESS: '192.0.2.2',
    });
    expect(after?.env).toMatchObject({ ESTEPE_STEP: 'after-script' });
    expect([before?.cwd, before?.timeoutMs]).toEqual(['/scripts', 60_000]);
    expect(before?.runToken).not.toBe(after?.runToken);
    expect(b.history.lastRunbook()?.entries.map((e) => e.runToken)).toContain(before?.runToken);
  });

  it('without scripts and services configured, leaves those steps out and says so', async () => {
    const b = bench({ before: null, after: null, services: { ...plan.services, start: [], query: [], stop: [] } });
    b.begin();
    await b.end();
    expect(['before-script', 'start-services', 'after-script'].map((id) => b.said(id as StepId))).toEqual([
      'none is configured',
      'no services are configured',
      'none is configured',
    ]);
    expect(b.status()).toMatch(/^done/);
  });

  it('is taken back where the guards do not hold any more', async () => {
    const b = bench();
    b.guards.ok = false;
    b.begin();
    await b.end();
    expect(b.status()).toBe('cancelled: references: 0 of 2 answered');
    expect(b.claims.asked).toEqual([]);
  });
});

describe('the claim', () => {
  it.each<[string, (b: ReturnType<typeof bench>) => void, number]>([
    ['nothing known', () => {}, 1],
    ['the standing', (b) => b.history.saveStanding({ role: 'passive', epoch: 4, since: 0 }), 5],
    ['a claim here', (b) => void b.history.claimEpoch(6, 'somebody', 0), 7],
    ['a claim elsewhere', (b) => void b.claims.elsewhere.set(9, 'somebody'), 10],
    ['what an earlier life of the engine saw', (b) => new EpochMemory(b.history).note(12), 13],
    [
      'one that this node claimed alone, without its numbers',
      (b) => b.history.saveStanding({ role: 'passive', epoch: 7, since: 0 }),
      10,
    ],
  ])('is one above %s', async (_, given, epoch) => {
    const b = bench();
    given(b);
    b.begin();
    await b.end();
    expect(b.claims.asked.map((a) => a.epoch)).toEqual([epoch]);
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch });
  });

  it('B6 lost to another node: taken back, nothing started, and the cool-down has begun', async () => {
    const b = bench();
    b.claims.elsewhere.set(1, 'branch@192.0.2.1');
    b.claims.highest = () => Promise.resolve(0);
    b.begin();
    await b.end();
    expect(b.status()).toBe('cancelled: epoch 1 was claimed by branch@192.0.2.1: another node takes over');
    expect(b.proc.ran).toEqual([]);
    expect(b.history.recall('lastClaim')).toBe(b.work.time.wall());
    expect(b.history.recall('lastPromotion')).toBeUndefined();
  });

  it('F1 cut off after it was won: claimed again under the same owner and the same epoch, after the guards', async () => {
    const b = bench();
    b.claims.hang = true;
    b.begin();
    await b.work.settle();
    expect(b.history.highestEpoch()).toBe(1);
    b.claims.hang = false;
    await b.end(await b.reborn());
    expect(b.guards.asked).toBe(2);
    const [first, second] = b.claims.asked;
    expect(second).toEqual(first);
    expect(first?.owner).toMatch(/^head-office@192\.0\.2\.2#\d+-1$/);
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
  });

  it('two runbooks of one node are two owners: an epoch is not won twice', async () => {
    const b = bench();
    b.guards.ok = true;
    b.begin(['claim']);
    await b.end();
    b.begin(['claim']);
    await b.end();
    expect(b.claims.asked.map((a) => a.epoch)).toEqual([1, 2]);
    expect(new Set(b.claims.asked.map((a) => a.owner)).size).toBe(2);
  });

  const nas = 'nas: no answer within 15 s';

  it('B4 nobody to keep it, required: three times in vain, then what began by itself is taken back, lost to nobody', async () => {
    const b = bench();
    b.claims.unreachable = nas;
    b.begin();
    await b.end();
    expect(b.claims.asked).toHaveLength(3);
    expect(b.status()).toBe(
      `cancelled: epoch 1 could not be claimed: ${nas}. The other node could not see that this one takes over`,
    );
    expect(b.proc.names).toEqual([]);
    // Lost to nobody: what waits for another node to come up need not wait.
    expect(b.history.recall('claimLost')).toBeUndefined();
  });

  it('B4 nobody to keep it, required, ordered by a person: halted; going on over the guard claims it here alone, and says so', async () => {
    const b = bench();
    b.claims.unreachable = nas;
    b.begin(promotionStepIds, 'promotion', null, 'person');
    await b.end();
    expect(b.status()).toMatch(/^halted: Claim the epoch: epoch 1 could not be claimed: nas/);
    const overrides = [{ guard: 'claim-keeper', reason: 'the NAS burned, too' }] as const;
    b.runner.resume({ skipStep: false, by: 'console', overrides });
    await b.end();
    expect(b.status()).toMatch(/^done/);
    // 1 may be the other node's by now, where this one cannot see it
    expect(b.said('claim')).toBe(`epoch 9 is ours, on this node alone: ${nas}`);
  });

  it('B4 nobody to keep it, best-effort: claimed here alone', async () => {
    const b = bench({ claim: 'best-effort' });
    b.claims.unreachable = nas;
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^done/);
    expect(b.said('claim')).toBe(`epoch 9 is ours, on this node alone: ${nas}`);
    expect(b.claims.asked.map(({ epoch }) => epoch)).toEqual([1, 9]);
  });

  it('lost to another node it is remembered: that one is given the time to come up', async () => {
    const b = bench();
    b.claims.elsewhere.set(1, 'branch@192.0.2.1');
    b.claims.highest = () => Promise.resolve(0);
    b.begin();
    await b.end();
    expect(b.history.recall('claimLost')).toBe(b.runner.record?.id);
  });

  it('is looked at once more before this node becomes active: claimed since, what was started is stopped', async () => {
    const b = bench();
    b.proc.fate = (name) => {
      if (name === 'after.sh') b.claims.elsewhere.set(2, 'branch');
      return exit(0);
    };
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^cancelled: epoch 2 was claimed meanwhile: another node takes over/);
    expect(b.proc.names.at(-1)).toBe('stop');
    expect(b.history.standing()?.role).not.toBe('active');
  });
});

describe('the scripts', () => {
  it('E1 exit 1 is tried again, told which attempt it is, and then goes on', async () => {
    const b = bench();
    b.proc.fate = (name, nth) => exit(name.startsWith('before') && nth < 3 ? 1 : 0);
    b.begin();
    await b.end();
    expect(b.proc.ran.filter((c) => c.argv[0]?.includes('before')).map((c) => c.env.ESTEPE_ATTEMPT)).toEqual([
      '1',
      '2',
      '3',
    ]);
    expect(b.status()).toMatch(/^done/);
  });

  it.each<[string, CommandEnd, number, RegExp]>([
    ['E1 exit 1 as often as there are tries', exit(1), 3, /before\.sh ended with 1 .*no try left after 3/],
    ['E1 exit 2 is final', exit(2), 1, /before\.sh ended with 2 after 1 s \(final by its own word\)/],
    [
      'E1 a signal is final',
      { how: 'signal', signal: 'SIGSEGV' },
      1,
      /before\.sh was killed by SIGSEGV after 1 s, not by Estepe/,
    ],
    ['E2 a time-out may be tried again', { how: 'timeout' }, 3, /did not end within 60 s, ended by force/],
    ['E4 one that cannot be started', { how: 'not-started', why: 'no such file' }, 1, /was not started: no such file/],
  ])('%s: halts', async (_, end, times, reason) => {
    const b = bench();
    b.proc.fate = (name) => (name.startsWith('before') ? end : exit(0));
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^halted: Run the before-script: /);
    expect(b.status()).toMatch(reason);
    expect(b.proc.names).toEqual(Array.from({ length: times }, () => 'before.sh --now'));
  });

  it('an after-script that fails does not keep this node from being active', async () => {
    const b = bench();
    b.proc.fate = (name) => exit(name === 'after.sh' ? 2 : 0);
    b.begin();
    await b.end();
    expect(b.status()).toMatch(/^done/);
    expect(b.said('after-script')).toContain('ended with 2');
  });
});

describe('the services', () => {
  const atStart = (b: ReturnType<typeof bench>, end: CommandEnd): void => {
    b.proc.fate = (name) => (name === 'start b' ? end : exit(0));
  };

  it.each<[CommandEnd, RegExp]>([
    [exit(5), /`start b` ended with 5$/],
    [{ how: 'timeout' }, /`start b` did not end within 1 min$/],
    [{ how: 'not-started', why: 'ENOENT' }, /`start b` was not started: ENOENT$/],
    [{ how: 'signal', signal: 'SIGKILL' }, /`start b` was killed by SIGKILL$/],
  ])('that do not start (%o) halt it, saying which command; nothing after it is run', async (end, reason) => {
    const b = bench();
    atStart(b, end);
    b.begin();
    await b.end();
    expect(b.status()).toMatch(reason);
    expect(b.proc.names).toEqual(['before.sh --now', 'start a', 'start b']);
    expect(b.history.lastRunbook()?.entries.at(-1)?.result?.output).toContain('start a says exit');
  });

  it('F1 cut off while starting: asked after first, and not started again where they run', async () => {
    const b = bench();
    b.proc.fate = (name) => (name === 'start b' ? { ms: 1e9, end: exit(0) } : exit(0));
    b.begin();
    await b.work.pass(10_000);
    const token = b.history.openRunbook()?.entries.at(-1)?.runToken ?? '';
    b.proc.leftovers.set(token, 5);
    b.proc.fate = () => exit(0);
    await b.end(await b.reborn());
    expect(b.proc.names).toEqual(['before.sh --now', 'start a', 'start b', 'query', 'after.sh']);
    expect(b.said('start-services')).toBe('they run already');
    // what the start left running is the PBX: it goes on
    expect([...b.proc.leftovers]).toEqual([[token, 5]]);
    expect(b.guards.asked).toBe(1);
  });

  it('F1 and started again where they do not', async () => {
    const b = bench();
    b.proc.fate = (name) => (name === 'start b' ? { ms: 1e9, end: exit(0) } : exit(0));
    b.begin();
    await b.work.pass(10_000);
    b.proc.leftovers.set(b.history.openRunbook()?.entries.at(-1)?.runToken ?? '', 5);
    b.proc.fate = (name) => exit(name === 'query' ? 3 : 0);
    await b.end(await b.reborn());
    expect(b.proc.names).toEqual(['before.sh --now', 'start a', 'start b', 'query', 'start a', 'start b', 'after.sh']);
    expect([...b.proc.leftovers]).toEqual([]);
  });

  it('E5 that stay silent halt it at the proof, which may be left out', async () => {
    const b = bench();
    b.answers.here = false;
    b.begin();
    await b.end();
    expect(b.status()).toBe('halted: Prove that the PBX answers here: not proven alive within 1 min (sip: silent)');
    expect(b.runner.facts()).toMatchObject({ committed: true, skippable: true });
    b.runner.resume({ skipStep: true, by: 'console', overrides: [] });
    await b.end();
    expect(b.history.standing()).toMatchObject({ role: 'active' });
  });

  it('given up after they were started: stopped, and this node stays passive', async () => {
    const b = bench();
    b.answers.here = false;
    b.begin();
    await b.end();
    b.runner.abandon('console gave it up');
    await b.end();
    expect(b.proc.names.at(-1)).toBe('stop');
    expect(b.status()).toMatch(/^cancelled: console gave it up/);
    expect(b.history.standing()?.role ?? 'passive').toBe('passive');
  });

  it('given up without a stop command: a test that says nothing here does not keep it from ending', async () => {
    const b = bench({ services: { ...plan.services, stop: [] } });
    b.answers.here = false;
    b.begin();
    await b.end();
    b.answers.unsure = true;
    b.runner.abandon('console gave it up');
    await b.end();
    expect(b.status()).toMatch(/^cancelled: console gave it up/);
  });

  it('given up without a stop command: over when nothing answers here, since that is seen and not taken on trust', async () => {
    const b = bench({ services: { ...plan.services, stop: [] } });
    b.answers.here = false;
    b.begin();
    await b.end();
    b.answers.here = true;
    b.runner.abandon('console gave it up');
    await b.end();
    expect(b.status()).toMatch(
      /^halted: .*no stop commands are configured .*not silent \(sip: 200 OK.*stop it by hand/,
    );
    b.answers.here = false;
    b.runner.abandon('console gave it up');
    await b.end();
    expect(b.status()).toMatch(/^cancelled: /);
  });
});

describe('standing down', () => {
  const steps: readonly StepId[] = ['stop-services', 'flip-standing'];

  it('stops the services, then is passive under the epoch of the other node', async () => {
    const b = bench();
    b.history.saveStanding({ role: 'active', epoch: 2, since: 0 });
    b.begin(steps, 'stand-down', 3);
    await b.end();
    expect(b.proc.names).toEqual(['stop']);
    expect(b.history.standing()).toMatchObject({ role: 'passive', epoch: 3 });
  });

  it('that cannot stop them halts, still active by its standing', async () => {
    const b = bench();
    b.history.saveStanding({ role: 'active', epoch: 2, since: 0 });
    b.proc.fate = () => exit(1);
    b.begin(steps, 'stand-down', 3);
    await b.end();
    expect(b.status()).toBe('halted: Stop the services: `stop` ended with 1');
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 2 });
  });
});
