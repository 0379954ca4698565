/** Scenario F1: the engine is cut off before and after every journal write and every effect of a takeover. */
import { describe, expect, test } from 'vitest';
import { repair } from './person.ts';
import { Scene, type SceneOptions } from './scene.ts';
import { hours, minutes, seconds } from './time.ts';

/** The ways a takeover ends; each crosses other boundaries. */
const takeovers: Record<string, { options: SceneOptions; begin: (scene: Scene) => Promise<void> }> = {
  'one that succeeds': {
    options: {},
    begin: async (scene) => scene.does('the active dies', ({ world }) => world.setActive('silent')),
  },
  'one whose services stay deaf, given up by a person': {
    options: {},
    begin: async (scene) => {
      scene.world.scripts = { ...scene.world.scripts, startDeaf: 1 };
      scene.does('the active dies', ({ world }) => world.setActive('silent'));
    },
  },
  'one that loses the claim': {
    options: {},
    begin: async (scene) =>
      scene.does('the active dies, and another claims', ({ world, rival }) => {
        world.setActive('silent');
        rival.strikes = true;
      }),
  },
};

/** A takeover with these cuts, then three hours in which the active stays dead and whoever is asked gives up. */
async function live(name: string, cuts: { further: number; downMs: number }[], maintain = false): Promise<Scene> {
  const { options, begin } = takeovers[name] as (typeof takeovers)[string];
  const scene = await Scene.watching({ seed: 7, ...options });
  scene.s.planCuts(cuts);
  await begin(scene);
  if (maintain) scene.does('maintenance', (s) => void s.maintenanceOn('ana', 5 * minutes));
  await scene.run(20 * minutes);
  for (let n = 0; n < 3; n += 1) {
    if (scene.phase === 'halted') scene.cancel();
    await scene.run(20 * minutes);
  }
  return scene;
}

/** How it may end: active under its own claim, halted with a reason, or taken back; and never with half of it running. */
function assertEnded(scene: Scene, cut: string): void {
  const { disk, world } = scene.s;
  const book = disk.runbooks.at(-1);
  const about = `${cut}: ${book?.status}, ${book?.reason}; phase ${scene.phase}`;
  expect(scene.violations, about).toEqual([]);
  if (book === undefined) {
    // Cut off before anything was on disk: whoever starts beside a dead active takes over by order only, and says so.
    expect(scene.phase, about).toBe('starting');
    expect(scene.told(), about).toEqual({ 'starting.never-seen': scene.s.circumstances.life - 1 });
  } else if (book.status === 'done') {
    expect(scene.phase, about).toBe('active');
    expect(disk.standing, about).toMatchObject({ role: 'active', epoch: book.epoch });
    expect(world.here, about).toEqual({ sip: 'up', web: 'up', tunnel: 'up' });
  } else {
    expect(['halted', 'cancelled'], about).toContain(book.status);
    expect(book.reason, about).not.toBe('');
    expect(disk.standing?.role, about).toBe('passive');
    if (book.status === 'cancelled') expect(world.here.sip, about).toBe('refusing');
  }
}

/** How many boundaries the takeover crosses when nothing cuts it. */
async function boundariesOf(name: string): Promise<number> {
  const { options } = takeovers[name] as (typeof takeovers)[string];
  const before = (await Scene.watching({ seed: 7, ...options })).s.boundaries;
  return (await live(name, [])).s.boundaries - before;
}

describe.each(Object.keys(takeovers))('F1 %s', (name) => {
  test('cut off at every boundary, and started again after 10 s', async () => {
    const count = await boundariesOf(name);
    expect(count).toBeGreaterThanOrEqual(name === 'one that loses the claim' ? 12 : 40);
    const names = new Set<string>();
    for (let k = 1; k <= count; k += 1) {
      const scene = await live(name, [{ further: k, downMs: 10 * seconds }]);
      const cut = `cut at boundary ${k} of ${count}`;
      expect(scene.s.circumstances.life, cut).toBe(2);
      names.add(scene.s.cutAt[0] ?? '');
      assertEnded(scene, `${cut} (${scene.s.cutAt[0]})`);
    }
    // Before and after: intents, results, the claim, scripts, services, the standing, the runbook's own rows.
    for (const needed of ['before runbook', 'after runbook', 'before intent claim', 'after result claim'])
      expect(names).toContain(needed);
  });

  test('cut off twice in a row, the second time while it resumes', { timeout: 120_000 }, async () => {
    const count = await boundariesOf(name);
    let twice = 0;
    for (let k = 1; k <= count; k += 1) {
      for (let j = 1; j <= count; j += 3) {
        const scene = await live(name, [
          { further: k, downMs: 10 * seconds },
          { further: 1 + ((j + k) % count), downMs: 2 * seconds },
        ]);
        if (scene.s.circumstances.life === 3) twice += 1;
        assertEnded(scene, `cut at ${scene.s.cutAt.join(', then ')}`);
      }
    }
    expect(twice).toBeGreaterThan(count);
  });
});

test('F1 cut off before the point of no return, and the active is back at the restart: taken back', async () => {
  const scene = await Scene.watching();
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('promoting')).toBe(true);
  scene.does('kill -9, and the active comes back meanwhile', (s) => {
    s.cutOff(2 * minutes);
    s.world.setActive('up');
  });
  await scene.run(10 * minutes);
  expect(scene.phase).toBe('watching');
  expect(scene.s.disk.runbooks[0]).toMatchObject({ status: 'cancelled' });
  expect(scene.s.disk.runbooks[0]?.reason).toMatch(/^the verdict became healthy before the point of no/);
  expect(scene.events('runbook').map((e) => e.rule)).toEqual(['runbook.begun', 'runbook.resumed', 'runbook.cancelled']);
  expect(scene.steps()).not.toHaveProperty('start-services');
  expect(scene.violations).toEqual([]);
});

test('F1 given up after its standing was flipped: flipped back, and the services stopped', async () => {
  const scene = await Scene.watching();
  scene.s.onceCrossed('after standing', () => {
    scene.s.disk.full = true;
  });
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('halted', 10 * minutes)).toBe(true);
  expect(scene.s.disk.standing).toMatchObject({ role: 'active', epoch: 1 });
  scene.s.disk.full = false;
  scene.cancel();
  await scene.run(5 * minutes);
  expect(scene.s.disk.runbooks[0]).toMatchObject({ status: 'cancelled' });
  expect(scene.s.disk.standing).toMatchObject({ role: 'passive', epoch: 1 });
  expect(scene.world.here.sip).toBe('refusing');
  scene.does('kill -9', (s) => s.cutOff(10 * seconds));
  await scene.run(1 * minutes);
  expect(scene.phase).toBe('starting');
  expect(scene.violations).toEqual([]);
});

test('F1 giving up fails, the engine is killed, a person tries again: it is given up, not gone on with', async () => {
  const scene = await Scene.watching();
  scene.world.scripts = { ...scene.world.scripts, startDeaf: 1 };
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('halted', 10 * minutes)).toBe(true);
  scene.world.scripts = { ...scene.world.scripts, hangs: 1 };
  scene.cancel();
  await scene.run(5 * minutes);
  expect(scene.s.disk.runbooks[0]).toMatchObject({ status: 'halted' });
  expect(scene.s.disk.runbooks[0]?.reason).toContain('Stop the services: `stop` did not end within 1 min');
  scene.does('kill -9', (s) => s.cutOff(10 * seconds));
  await scene.run(1 * minutes);
  repair(scene.s);
  scene.world.setActive('silent');
  scene.promote();
  await scene.run(5 * minutes);
  expect(scene.s.disk.runbooks[0]).toMatchObject({ status: 'cancelled' });
  expect(scene.world.here).toEqual({ sip: 'refusing', web: 'refusing', tunnel: 'refusing' });
  expect(scene.violations).toEqual([]);
});

test('F1 maintenance switched on survives kill -9, and still ends by itself', async () => {
  const scene = await Scene.watching();
  scene.does('maintenance', (s) => void s.maintenanceOn('ana', 30 * minutes));
  scene.does('kill -9', (s) => s.cutOff(10 * seconds));
  await scene.run(3 * minutes);
  scene.does('the active dies', ({ world }) => world.setActive('refusing'));
  await scene.run(20 * minutes);
  expect(scene.phase).toBe('suspecting');
  expect(await scene.until('active', 15 * minutes)).toBe(true);
  expect(scene.violations).toEqual([]);
});

test('F1 the disk is full for the whole takeover: halted with the reason, and a person takes it up from there', async () => {
  const scene = await Scene.watching();
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  expect(await scene.until('promoting')).toBe(true);
  scene.does('the disk is full', ({ disk }) => {
    disk.full = true;
  });
  expect(await scene.until('halted', 10 * minutes)).toBe(true);
  expect(scene.decision('promoting.halted')?.reason).toMatch(/the journal cannot be written \(the disk is full/);
  await scene.run(2 * hours);
  expect(scene.told()).toEqual({ 'halted.1': 1 });
  scene.does('there is room again', ({ disk }) => {
    disk.full = false;
  });
  scene.promote();
  expect(await scene.until('active', 10 * minutes)).toBe(true);
  // The script whose result could not be written had done its work: it was not run again.
  const scripts = scene.s.disk.runbooks[0]?.entries.filter((e) => e.step === 'before-script');
  expect(scripts).toMatchObject([{ attempt: 1, result: { outcome: 'done' } }]);
  repair(scene.s);
  expect(scene.violations).toEqual([]);
});
