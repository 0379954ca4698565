import { describe, expect, it } from 'vitest';
import type { Role } from '../../../src-main/contract/words.ts';
import { servingWord } from '../engine/moments.ts';
import { lookInto } from '../history/workbench.ts';
import { engineBench } from './engine-bench.ts';
import { exit, refuseWriting } from './workbench.ts';

describe('from death to takeover', () => {
  it('A2 four failed rounds, the first on the steady cadence and three re-checks; each decision is told with its rule', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'dead';
    const took = await b.untilPhase('promoting');
    // the last one is the fence's own
    expect(b.asked.slice(-5)).toEqual([30_000, 35_000, 40_000, 45_000, 49_000]);
    expect(took).toBe(45_000 + 4_000 - 20);
    await b.untilPhase('active');
    expect(b.decided()).toEqual([
      'starting.healthy',
      'watching.failed-round',
      'suspecting.down-automatic',
      'promoting.done',
    ]);
    const [why] = b.events('suspecting.down-automatic');
    expect(why).toMatchObject({
      severity: 'alert',
      phase: 'promoting',
      verdict: 'down',
      reason: expect.stringMatching(/^4 of 4 rounds in a row failed, every guard holds/),
      evidence: {
        from: 'suspecting',
        to: 'promoting',
        failedRounds: 4,
        facts: expect.objectContaining({ go: 'self' }),
      },
    });
    expect(b.told).toEqual(['promoted']);
    expect(b.history.standing()).toMatchObject({ role: 'active', epoch: 1 });
  });

  it('looks every 5 s while it is not sure, every 30 s again when it is', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'dead';
    await b.work.pass(41_000);
    b.world.active = 'alive';
    await b.work.pass(90_000);
    expect(b.asked).toEqual([0, 30_000, 35_000, 40_000, 45_000, 75_000, 105_000]);
    expect(b.decided().slice(-2)).toEqual(['watching.failed-round', 'suspecting.cleared']);
  });

  it('a test that turns is a row of its own, once a turn', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'degraded';
    await b.work.pass(90_000);
    expect(b.events('test.sip').map((e) => e.reason)).toEqual(['sip turned from alive to degraded: degraded']);
    expect(b.events('test.web')).toHaveLength(1);
  });

  it('B1 the other node’s word stops it, and it goes on by itself when that grows old', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'dead';
    b.world.word = servingWord;
    await b.untilPhase('conflicting');
    b.world.word = { ...servingWord, ageMs: 600_000 };
    await b.untilPhase('active');
    expect(b.told).toEqual(['conflicting', 'promoted']);
  });

  it('C1 a gap is told, and a full confirmation is observed anew', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'dead';
    await b.work.pass(40_000);
    b.work.clock.stall(10_000, 'stall');
    const took = await b.untilPhase('promoting');
    expect(took).toBeGreaterThan(10_000 + 3 * 5_000);
    expect(b.events('watch.gap')).toMatchObject([{ reason: expect.stringMatching(/saw nothing for 10 s \(stall\)/) }]);
  });
});

describe('what time alone brings', () => {
  it('G4 the countdown ends to the second, and silence promotes; it is asked once', async () => {
    const b = engineBench({ mode: 'confirm' });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('awaiting');
    const counted = await b.untilPhase('promoting');
    expect([300_000, 300_001]).toContain(counted);
    await b.untilPhase('active');
    expect(b.told).toEqual(['awaiting', 'promoted']);
    expect(b.history.lastRunbook()).toMatchObject({ origin: 'silence', by: 'Estepe' });
  });

  it('G4 onSilence hold: told when the countdown is over, and nothing else', async () => {
    const b = engineBench({ mode: 'confirm', onSilence: 'hold' });
    await b.well();
    b.world.active = 'dead';
    await b.work.pass(900_000);
    expect([b.phase(), b.told]).toEqual(['awaiting', ['awaiting', 'awaiting.silence-held']]);
  });

  it('the end of the cool-down lets it take over by itself', async () => {
    const b = engineBench({ cooldownMs: 600_000 });
    b.history.remember('lastPromotion', b.work.time.wall());
    const again = b.live();
    again.start();
    await b.untilPhase('watching', again);
    b.world.active = 'dead';
    await b.untilPhase('awaiting', again);
    await b.untilPhase('promoting', again);
    expect(b.work.time.now).toBe(600_001);
  });

  it('A9 the end of maintenance lets it take over, and is told', async () => {
    const b = engineBench();
    await b.well();
    b.engine.maintenanceOn({ by: 'console', reason: 'update', forMs: 300_000 });
    b.world.active = 'dead';
    await b.work.pass(299_000);
    expect(b.phase()).toBe('suspecting');
    await b.untilPhase('promoting');
    expect(b.work.time.now).toBeLessThan(320_000);
    expect(b.events('maintenance.ended')).toHaveLength(1);
    expect(b.events('order.maintenance-on')[0]?.reason).toBe('console switched maintenance on for 5 min: update');
  });

  it('observe-only says what it would do, and does nothing', async () => {
    const b = engineBench({ observeOnly: true });
    await b.well();
    b.world.active = 'dead';
    await b.work.pass(3_600_000);
    expect([b.phase(), b.told, b.proc.names]).toEqual(['suspecting', ['observe-only'], []]);
  });
});

describe('orders', () => {
  it('G1 of two at once one promotes, the other is told that one is running', async () => {
    const b = engineBench({ mode: 'manual' });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('awaiting');
    const [first, second] = await Promise.all([b.promote(), b.promote()]);
    expect(first).toMatchObject({ accepted: true, rule: 'order.promote' });
    expect(second).toMatchObject({ accepted: false, rule: 'order.refused', reason: 'a promotion is already running' });
    await b.untilPhase('active');
    expect(b.history.highestEpoch()).toBe(1);
  });

  it('G2 a person promotes while the countdown runs: one promotion, theirs', async () => {
    const b = engineBench({ mode: 'confirm' });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('awaiting');
    await b.promote();
    await b.untilPhase('active');
    await b.work.pass(600_000);
    expect(b.history.lastRunbook()).toMatchObject({ id: 1, origin: 'person', by: 'console' });
  });

  it('G3 refused by name, asked to override, and recorded with the reason', async () => {
    const b = engineBench();
    await b.well();
    expect(await b.promote()).toMatchObject({ accepted: false, refusedBy: ['proven-down'] });
    const overrides = [{ guard: 'proven-down', reason: 'it is deaf, I called it' }] as const;
    expect(await b.promote({ overrides: [...overrides] })).toMatchObject({ accepted: true, refusedBy: [] });
    await b.untilPhase('active');
    expect(b.history.lastRunbook()).toMatchObject({ origin: 'person', overrides });
    expect(
      b.events('order.promote').map((e) => [e.severity, e.evidence.refusedBy, e.evidence.overrides]),
    ).toContainEqual(['warning', ['proven-down'], []]);
  });

  it('G2 cancelled before the point of no return: taken back, and held until the other node was well', async () => {
    const b = engineBench();
    b.proc.fate = () => ({ ms: 20_000, end: exit(0) });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('promoting');
    await b.work.pass(1_000);
    expect(await b.cancel()).toMatchObject({ accepted: true, rule: 'promoting.cancelled-by-person' });
    await b.untilPhase('awaiting');
    await b.work.pass(7_200_000);
    expect(b.phase()).toBe('awaiting');
    b.world.active = 'alive';
    await b.untilPhase('watching');
    b.world.active = 'dead';
    await b.untilPhase('active');
  });

  it('B5 the other node answers before the point of no return: taken back by itself', async () => {
    const b = engineBench();
    b.proc.fate = () => ({ ms: 20_000, end: exit(0) });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('promoting');
    b.world.active = 'alive';
    await b.untilPhase('watching');
    expect(b.history.lastRunbook()).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('the verdict became healthy before the point of no return'),
    });
    expect(b.told).toEqual(['cancelled']);
  });

  it('to consider one keeps nothing and begins nothing', async () => {
    const b = engineBench({ mode: 'manual' });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('awaiting');
    const ask = { by: 'console', reason: '', kind: 'promote', overrides: [], skipStep: false } as const;
    expect(b.engine.interpreter.consider(ask)).toMatchObject({ accepted: true, rule: 'order.promote' });
    expect([b.phase(), b.events('order.promote'), b.history.lastRunbook()]).toEqual(['awaiting', [], null]);
    expect(await b.promote()).toMatchObject({ accepted: true });
  });

  it('one that comes while the engine ends is answered, not left waiting', async () => {
    const b = engineBench();
    await b.well();
    await b.engine.stop();
    expect(await b.promote()).toMatchObject({ accepted: false, reason: 'this engine is ending' });
    expect(b.phase()).toBe('watching');
  });

  it('one whose consequence cannot be read back is answered all the same, and the next one too', async () => {
    const b = engineBench();
    b.proc.fate = () => ({ ms: 20_000, end: exit(0) });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('promoting');
    await b.work.pass(1_000);
    lookInto(b.history.file, (db) => db.exec('ALTER TABLE fact RENAME TO torn'));
    expect(await b.cancel()).toMatchObject({ accepted: true });
    expect(await b.promote()).toMatchObject({ accepted: false });
    await b.work.pass(60_000);
    expect(b.history.lastRunbook()?.status).toBe('cancelled');
  });
});

describe('a journal that cannot be written', () => {
  it('D6 at the begin of a promotion: halted in words, nothing done; when there is room again a person goes on', async () => {
    const b = engineBench();
    await b.well();
    const heal = refuseWriting(b.history, 'INSERT ON runbook');
    b.world.active = 'dead';
    await b.untilPhase('halted');
    expect(b.proc.names).toEqual([]);
    expect(b.told).toEqual(['halted.0']);
    heal();
    expect(await b.promote()).toMatchObject({ accepted: true, rule: 'halted.resumed' });
    await b.untilPhase('active');
    expect(b.history.standing()).toMatchObject({ role: 'active' });
  });
});

describe('where a start finds this node', () => {
  it.each<[Role, { role: Role; epoch: number } | null, string]>([
    ['passive', null, 'starting'],
    ['passive', { role: 'passive', epoch: 3 }, 'starting'],
    ['passive', { role: 'active', epoch: 1 }, 'active'],
    ['active', null, 'serving'],
    ['active', { role: 'active', epoch: 0 }, 'serving'],
    ['active', { role: 'passive', epoch: 1 }, 'stood-down'],
  ])('configured %s, standing %o: %s', (role, standing, phase) => {
    const b = engineBench({}, { role });
    if (standing) b.history.saveStanding({ ...standing, since: 0 });
    expect(b.live().interpreter.state.phase).toBe(standing ? phase : b.phase());
    if (!standing) expect(b.phase()).toBe(phase);
  });

  it('F1 in the middle of a promotion: the guards wait until the verdict is clear again, then it goes on', async () => {
    const b = engineBench();
    b.proc.fate = (name, nth) => (name.startsWith('before') && nth === 1 ? { ms: 1e9, end: exit(0) } : exit(0));
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('promoting');
    await b.work.until('the before-script', () => b.proc.names.length > 0);
    const next = b.reborn();
    expect(b.phase(next)).toBe('promoting');
    await b.work.pass(10_000);
    expect(b.proc.names).toEqual(['before.sh --now']);
    await b.untilPhase('active', next);
    expect(b.proc.names).toEqual(['before.sh --now', 'before.sh --now', 'start a', 'start b', 'after.sh']);
    expect(b.history.highestEpoch()).toBe(1);
  });

  it('F1 in the middle of a promotion, and the other node is back: taken back', async () => {
    const b = engineBench();
    b.proc.fate = () => ({ ms: 1e9, end: exit(0) });
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('promoting');
    await b.work.until('the before-script', () => b.proc.names.length > 0);
    b.world.active = 'alive';
    const next = b.reborn();
    await b.untilPhase('watching', next);
    expect(b.history.lastRunbook()?.status).toBe('cancelled');
    expect(b.proc.names).toEqual(['before.sh --now']);
  });

  it('a halted one waits for a person, over the restart too', async () => {
    const b = engineBench();
    b.proc.fate = (name) => exit(name === 'start b' ? 1 : 0);
    await b.well();
    b.world.active = 'dead';
    await b.untilPhase('halted');
    const next = b.reborn();
    await b.work.pass(600_000);
    expect(b.phase(next)).toBe('halted');
    b.proc.fate = (name) => exit(name === 'query' ? 3 : 0);
    await next.order({ by: 'console', reason: '', kind: 'promote', overrides: [], skipStep: false });
    await b.untilPhase('active', next);
  });

  it('outranked: stands down before anything else, watches the other node, and is passive at the next start', async () => {
    const b = engineBench({}, { role: 'active' });
    b.history.saveStanding({ role: 'active', epoch: 1, since: 0 });
    b.world.word = { ...servingWord, epoch: 2 };
    const engine = b.live();
    engine.start();
    await b.untilPhase('watching', engine);
    expect(b.proc.names).toEqual(['stop']);
    expect(b.history.standing()).toMatchObject({ role: 'passive', epoch: 2 });
    expect(b.phase(b.live())).toBe('stood-down');
    expect(b.told).toEqual(['outranked']);
  });
});
