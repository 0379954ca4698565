/** A halted promotion, and what was learnt of the other node meanwhile: going on must not make two active ones. */
import { describe, expect, it } from 'vitest';
import type { GuardName } from '../../../src-main/contract/words.ts';
import { engineBench } from './engine-bench.ts';
import { exit } from './workbench.ts';

const minute = 60_000;
type Bench = ReturnType<typeof engineBench>;

/** Halted where this program fails; the other node is dead. */
async function haltedAt(program: string, mode: 'automatic' | 'manual' = 'automatic'): Promise<Bench> {
  const b = engineBench({ mode });
  await b.well();
  b.proc.fate = (name) => exit(name.startsWith(program) ? 2 : 0);
  b.world.active = 'dead';
  if (mode === 'manual') {
    await b.untilPhase('awaiting');
    expect(await b.promote()).toMatchObject({ accepted: true });
  }
  await b.untilPhase('halted');
  b.proc.fate = () => exit(0);
  return b;
}

const goOn = (b: Bench, overrides: { guard: GuardName; reason: string }[] = []) =>
  b.engine.order({ kind: 'promote', by: 'console', reason: 'again', skipStep: false, overrides });

describe('the other node answers again while it stands halted', () => {
  it.each([
    ['before.sh', 'automatic'],
    ['before.sh', 'manual'],
    ['start', 'automatic'],
    ['start', 'manual'],
  ] as const)(
    'at %s, %s: told once; going on is refused by name, and an override is the person’s own',
    async (program, mode) => {
      const b = await haltedAt(program, mode);
      b.world.active = 'alive';
      await b.work.until('healthy', () => b.engine.interpreter.state.verdict === 'healthy');
      await b.work.pass(10 * minute);
      expect(b.told.filter((key) => key.startsWith('halted.other-answers'))).toHaveLength(1);
      expect(await goOn(b)).toMatchObject({ accepted: false, refusedBy: ['proven-down'] });
      expect(b.phase()).toBe('halted');
      expect(await goOn(b, [{ guard: 'references', reason: 'not this one' }])).toMatchObject({ accepted: false });
      const overrides = [{ guard: 'proven-down', reason: 'I pulled its cable' } as const];
      expect(await goOn(b, overrides)).toMatchObject({ accepted: true });
      await b.untilPhase('active');
      expect(b.events('order.promote').at(0)?.evidence).toMatchObject({ overrides });
    },
  );

  it('given up: the spare watches again', async () => {
    const b = await haltedAt('start');
    b.world.active = 'alive';
    b.world.here = 'dead';
    await b.work.until('healthy', () => b.engine.interpreter.state.verdict === 'healthy');
    await b.cancel();
    await b.untilPhase('watching');
  });

  it('answers only after the order: before the point of no return it is taken back, past it it halts again', async () => {
    for (const [program, phase] of [
      ['before.sh', 'watching'],
      ['start', 'halted'],
    ] as const) {
      const b = await haltedAt(program);
      b.work.clock.stall(10_000, 'stall');
      b.world.active = 'alive';
      expect(await goOn(b)).toMatchObject({ accepted: true });
      await b.untilPhase(phase);
      expect(b.history.standing()?.role).toBe('passive');
    }
  });
});

it('still dead: going on asks once more and goes live', async () => {
  const b = await haltedAt('start');
  expect(await goOn(b)).toMatchObject({ accepted: true });
  await b.untilPhase('active');
});

describe('resumed past the point of no return', () => {
  async function cutOff() {
    const b = engineBench();
    await b.well();
    b.proc.fate = (name) => (name.startsWith('start') ? { ms: 30_000, end: exit(0) } : exit(0));
    b.world.active = 'dead';
    await b.work.until('its start', () => b.proc.names.includes('start a'));
    return b;
  }

  it.each([
    ['isolated', /neither the other node nor any reference answers: this node may be cut off/],
    ['conflicting', /the other node says itself that it serves/],
  ] as const)('%s: it waits ten minutes for better proof, then a person is asked', async (what, sentence) => {
    const b = await cutOff();
    if (what === 'isolated') b.world.references = false;
    else b.world.word = { role: 'active', epoch: 9, ageMs: 1_000, healthy: true, via: 'location', everyMs: 30_000 };
    const engine = b.reborn();
    await b.work.pass(9 * minute);
    expect([b.phase(engine), b.history.standing()?.role]).toEqual(['promoting', 'passive']);
    await b.untilPhase('halted', engine, 3 * minute);
    expect(engine.runner.facts()?.reason).toMatch(sentence);
  });

  it('isolated for a while, as after a start without network: it goes on once the proof is there', async () => {
    const b = await cutOff();
    b.world.references = false;
    const engine = b.reborn();
    await b.work.pass(2 * minute);
    b.world.references = true;
    await b.untilPhase('active', engine, 3 * minute);
  });
});

it('B2 woken, then maintenance, then it answers: that it is over is told', async () => {
  const b = engineBench({ mode: 'confirm' });
  await b.well();
  b.world.active = 'dead';
  await b.untilPhase('awaiting');
  b.engine.maintenanceOn({ by: 'console', reason: 'looking', forMs: 10 * minute });
  b.world.active = 'alive';
  await b.untilPhase('watching');
  expect(b.told).toEqual(['awaiting', 'recovered']);
});

it('a stall while the references are silent: neither "back" nor told again', async () => {
  const b = engineBench();
  await b.well();
  b.world.references = false;
  await b.work.pass(5 * minute);
  b.work.clock.stall(10_000, 'stall');
  await b.work.pass(10 * minute);
  expect(b.told).toEqual(['references-silent']);
});

it('mending the references keeps what was seen: the takeover still comes by itself', async () => {
  const b = engineBench();
  await b.well();
  b.world.active = 'dead';
  b.world.references = false;
  await b.untilPhase('isolated');
  const { watched, policy } = b.site;
  const references = [
    ...watched.references,
    { id: 'dns', kind: 'dns', host: '192.0.2.53', port: 53, timeoutMs: 2_000 } as const,
  ];
  b.engine.reconfigure({ ...b.site, watched: { ...watched, references }, policy: { ...policy, references: 2 } });
  expect(b.phase()).toBe('isolated');
  b.world.references = true;
  await b.untilPhase('active', b.engine, 5 * minute);
});

it('a standing that a person overrode and that was set since is known again', async () => {
  const b = engineBench({ mode: 'manual' });
  b.history.remember('standingLost', { aside: 'x' });
  const engine = b.live();
  engine.start();
  await b.untilPhase('watching', engine);
  b.world.active = 'dead';
  await b.untilPhase('awaiting', engine);
  const overrides = [{ guard: 'standing-known', reason: 'looked at both' } as const];
  await engine.order({ kind: 'promote', by: 'console', reason: '', skipStep: false, overrides });
  await b.untilPhase('active', engine);
  expect(b.history.recall('standingLost')).toBeNull();
});
