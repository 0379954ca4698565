/** What keeps a spare from judging, or would keep it from acting, is told while somebody can still mend it. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src-main/engine/decide.ts';
import type { Observation, Policy } from '../../../src-main/engine/observation.ts';
import { engineBench } from '../runbook/engine-bench.ts';
import { inPhase, observed, policy } from './moments.ts';

const minute = 60_000;

describe('tests that say nothing', () => {
  it('after eight such rounds an alert, once; no takeover; the end of it is told', async () => {
    const b = engineBench();
    await b.well();
    b.world.active = 'unknown';
    await b.untilPhase('suspecting');
    expect(b.told).toEqual([]);
    await b.work.pass(40_000);
    expect(b.told).toEqual(['inconclusive']);
    await b.work.pass(30 * minute);
    expect([b.phase(), b.told]).toEqual(['suspecting', ['inconclusive']]);
    b.world.active = 'alive';
    await b.untilPhase('watching');
    expect(b.told).toEqual(['inconclusive', 'recovered']);
  });

  it('at the start too, where nothing was ever seen', async () => {
    const b = engineBench();
    b.world.active = 'unknown';
    b.engine.start();
    await b.work.pass(10 * minute);
    expect([b.phase(), b.told]).toEqual(['starting', ['inconclusive']]);
  });

  it('a round that does say something begins the count anew', async () => {
    const b = engineBench({ confirmTimes: 20 });
    await b.well();
    b.world.active = 'unknown';
    await b.work.until('suspicion', () => b.engine.interpreter.state.inconclusiveRounds === 41);
    b.world.active = 'dead';
    await b.work.until('a failed round', () => b.engine.interpreter.state.failedRounds === 1);
    expect(b.engine.interpreter.state.inconclusiveRounds).toBe(0);
    expect(b.told).toEqual([]);
  });
});

describe('references that are silent while all is well', () => {
  it('after four rounds a warning, once, and their return; one silent round is nothing', async () => {
    const b = engineBench();
    await b.well();
    b.world.references = false;
    await b.work.pass(31_000);
    b.world.references = true;
    await b.work.pass(5 * minute);
    expect(b.told).toEqual([]);
    b.world.references = false;
    await b.work.pass(30 * minute);
    expect([b.phase(), b.told]).toEqual(['watching', ['references-silent']]);
    b.world.references = true;
    await b.work.pass(10 * minute);
    expect(b.told).toEqual(['references-silent', 'references-back']);
  });
});

describe('the question at 3 a.m. promises what will happen', () => {
  const asked = (o: Partial<Observation>, by: Partial<Policy> = {}): string =>
    decide(
      inPhase('suspecting', 'down'),
      observed({ ...o, policy: { ...policy, mode: 'confirm', ...by } }),
    ).effects.flatMap((e) => (e.do === 'tell' && e.key === 'awaiting' ? [e.text] : []))[0] ?? '';

  it('every guard holds: the countdown', () => {
    expect(asked({})).toMatch(/Take over\? Without an answer Estepe takes over in 5 min\.$/);
  });

  it('a guard says no: no promise, and which', () => {
    expect(asked({ data: { state: 'never' } })).toMatch(
      /Estepe waits for a person; not by itself as long as this holds it back: restored-data \(nothing has been restored here yet\)\.$/,
    );
    expect(asked({ cooldownLeftMs: minute })).toContain('as long as this holds it back: cool-down');
  });

  it('onSilence hold: nothing happens by itself', () => {
    expect(asked({}, { onSilence: 'hold' })).toMatch(/Take over\? Estepe waits for a person\.$/);
  });
});

it('a countdown that begins anew after maintenance is told anew', async () => {
  const b = engineBench({ mode: 'confirm' });
  await b.well();
  b.world.active = 'dead';
  await b.untilPhase('awaiting');
  b.engine.maintenanceOn({ by: 'console', reason: 'looking', forMs: 10 * minute });
  await b.work.pass(minute);
  expect([b.phase(), b.told]).toEqual(['suspecting', ['awaiting']]);
  b.engine.maintenanceOff({ by: 'console' });
  await b.untilPhase('awaiting');
  expect(b.told).toEqual(['awaiting', 'awaiting']);
});

it('a promotion that was taken back holds the next one for five minutes, not for the whole cool-down', async () => {
  const b = engineBench();
  await b.well();
  b.proc.fate = (name) =>
    name.startsWith('before.sh') ? { ms: 30_000, end: { how: 'exit', code: 0 } } : { how: 'exit', code: 0 };
  b.world.active = 'dead';
  await b.untilPhase('promoting');
  const begun = b.work.time.now;
  await b.work.until('the before-script', () => b.proc.names.includes('before.sh --now'));
  b.world.active = 'alive';
  await b.untilPhase('watching');
  b.world.active = 'dead';
  await b.untilPhase('awaiting');
  await b.untilPhase('promoting');
  const waited = b.work.time.now - begun;
  expect(waited).toBeGreaterThanOrEqual(5 * minute);
  expect(waited).toBeLessThan(6 * minute);
  await b.untilPhase('active');
});

it('a standing lost with a damaged history holds back what is automatic until a person confirms it', async () => {
  const b = engineBench();
  b.history.remember('standingLost', { aside: 'estepe.db.damaged' });
  const engine = b.live();
  engine.start();
  await b.untilPhase('watching', engine);
  b.world.active = 'dead';
  await b.untilPhase('awaiting', engine);
  const ask = { kind: 'promote', by: 'console', reason: 'dead', overrides: [], skipStep: false } as const;
  expect(await engine.order(ask)).toMatchObject({ accepted: false, refusedBy: ['standing-known'] });
  expect(engine.standingConfirmed({ by: 'console', reason: 'looked at both' })).toEqual({ was: true });
  await b.untilPhase('active', engine);
  expect(engine.standingConfirmed({ by: 'console', reason: '' })).toEqual({ was: false });
  expect(b.events('order.standing-confirmed')).toHaveLength(1);
});
