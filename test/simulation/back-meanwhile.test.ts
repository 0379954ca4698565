/** F1 with a twist: while the engine is down in the middle of a takeover the old active comes back. There must not be two. */
import { expect, test } from 'vitest';
import { Scene } from './scene.ts';
import { minutes, seconds } from './time.ts';

/** Cut off at this boundary of a takeover; the active serves again before the engine's next life. Null: no such boundary. */
async function cutAt(further: number): Promise<{ scene: Scene; finished: boolean } | null> {
  const scene = await Scene.watching({ seed: 7 });
  scene.s.planCuts([{ further, downMs: 10 * minutes }]);
  scene.does('the active dies', ({ world }) => world.setActive('silent'));
  for (let waited = 0; scene.s.engine !== null; waited += 1) {
    if (waited > 300) return null;
    await scene.run(seconds);
  }
  // Its last step is done: this node is the active one, and says that both answer.
  const flip = scene.s.disk.runbooks.at(-1)?.entries.findLast((entry) => entry.step === 'flip-standing');
  const finished = flip?.result?.outcome === 'done';
  scene.does('it is switched on again', ({ world }) => world.setActive('up'));
  await scene.run(20 * minutes);
  return { scene, finished };
}

test('F1 B5 cut off at every boundary, the old active back before the next life: none goes live beside it', async () => {
  const ends = new Set<string>();
  for (let k = 1; ; k += 1) {
    const life = await cutAt(k);
    if (life === null) break;
    const { scene, finished } = life;
    const { disk } = scene.s;
    const book = disk.runbooks.at(-1);
    const about = `boundary ${k}: ${book?.status}, ${book?.reason}; phase ${scene.phase}`;
    expect(scene.violations, about).toEqual([]);
    ends.add(finished ? 'finished before' : (book?.status ?? 'not begun'));
    if (finished) {
      expect(scene.told()['other-answers'], about).toBe(1);
      continue;
    }
    expect(scene.phase, about).toBe(book?.status === 'halted' ? 'halted' : 'watching');
    expect(disk.standing?.role === 'active' && book?.status !== 'halted', about).toBe(false);
    if (book?.status === 'halted') {
      expect(book.reason, about).toContain('the other node serves again');
      expect(scene.told()[`halted.${book.id}`], about).toBe(1);
    }
  }
  // Before the point of no return it is taken back, after it a person decides.
  expect([...ends].sort()).toEqual(['cancelled', 'finished before', 'halted', 'not begun']);
});

test('F1 B5 halted so, and given up: what was started here is stopped, and the spare watches again', async () => {
  for (let k = 1; ; k += 1) {
    const life = await cutAt(k);
    expect(life, 'a boundary at which it halts').not.toBeNull();
    if (life?.scene.phase !== 'halted') continue;
    const { scene } = life;
    scene.cancel();
    await scene.run(5 * minutes);
    expect(scene.phase).toBe('watching');
    expect(scene.world.here).toEqual({ sip: 'refusing', web: 'refusing', tunnel: 'refusing' });
    expect(scene.s.disk.standing?.role).toBe('passive');
    expect(scene.violations).toEqual([]);
    return;
  }
});
