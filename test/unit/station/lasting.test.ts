/** Maintenance and cool-down over restarts and stepped clocks: neither forgotten, nor longer than meant, nor come back to life. */
import { describe, expect, it } from 'vitest';
import { Lasting } from '../../../src-main/station/lasting.ts';
import { Clockwork } from '../clockwork.ts';
import { newHistory } from '../history/workbench.ts';
import { refuseWriting } from '../runbook/workbench.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const update = { by: 'console', reason: 'update', forMs: hour };

function bench() {
  const work = new Clockwork();
  const history = newHistory();
  const live = (): Lasting => new Lasting(work.clock, history);
  return {
    work,
    history,
    live,
    /** The engine ends, that much time passes, it starts again. */
    async away(ms: number, wallStep = 0): Promise<Lasting> {
      work.die();
      await work.pass(ms);
      work.stepWall(wallStep);
      return live();
    },
  };
}

const left = (lasting: Lasting): number | null => lasting.maintenance()?.leftMs ?? null;

describe('A9 maintenance', () => {
  it('lasts as long as was said, then ends by itself, which is told once', async () => {
    const { work, live } = bench();
    const lasting = live();
    const { until } = lasting.maintenanceOn(update);
    expect(until).toBe(work.time.wall() + hour);
    await work.pass(hour - 1);
    expect(lasting.maintenance()).toEqual({ until, by: 'console', reason: 'update', leftMs: 1 });
    expect(lasting.maintenanceEnded()).toBe(false);
    await work.pass(1);
    expect(lasting.maintenance()).toBeNull();
    expect([lasting.maintenanceEnded(), lasting.maintenanceEnded()]).toEqual([true, false]);
  });

  it('is over a restart what it was: the time away counts', async () => {
    const { live, away } = bench();
    live().maintenanceOn(update);
    const next = await away(20 * minute);
    expect(next.maintenance()).toMatchObject({ by: 'console', reason: 'update', leftMs: 40 * minute });
    expect(left(await away(30 * minute))).toBe(10 * minute);
  });

  it('that ended while the engine was away is over, and that it ended is told once, over any number of restarts', async () => {
    const { live, away } = bench();
    live().maintenanceOn(update);
    const next = await away(2 * hour);
    expect(next.maintenance()).toBeNull();
    expect([next.maintenanceEnded(), next.maintenanceEnded()]).toEqual([true, false]);
    expect((await away(minute)).maintenanceEnded()).toBe(false);
  });

  it('switched off is off, over a restart too; a second time there was none', async () => {
    const { live, away } = bench();
    const lasting = live();
    lasting.maintenanceOn(update);
    expect([lasting.maintenanceOff(), lasting.maintenanceOff()]).toEqual([true, false]);
    expect(lasting.maintenanceEnded()).toBe(false);
    const next = await away(minute);
    expect([next.maintenance(), next.maintenanceEnded()]).toEqual([null, false]);
  });

  it('switched on again replaces what was on, be it longer or shorter', async () => {
    const { work, live, away } = bench();
    const lasting = live();
    lasting.maintenanceOn(update);
    lasting.maintenanceOn({ ...update, by: 'cli', forMs: 5 * minute });
    expect(lasting.maintenance()).toMatchObject({ by: 'cli', leftMs: 5 * minute });
    await work.pass(minute);
    expect(left(await away(0))).toBe(4 * minute);
  });

  it.each([-day, -hour, 5 * minute, day])(
    'C2 a wall clock stepped by %i ms while it runs changes nothing but the time shown',
    async (step) => {
      const { work, live } = bench();
      const lasting = live();
      lasting.maintenanceOn(update);
      await work.pass(10 * minute);
      work.stepWall(step);
      expect(lasting.maintenance()).toMatchObject({ leftMs: 50 * minute, until: work.time.wall() + 50 * minute });
      await work.pass(50 * minute);
      expect(lasting.maintenance()).toBeNull();
    },
  );

  it('C2 a wall clock set back while the engine was away makes it no longer than it was meant to be', async () => {
    const { live, away } = bench();
    live().maintenanceOn(update);
    expect(left(await away(20 * minute, -day))).toBe(hour);
  });

  it('C2 a wall clock set forward while the engine was away ends it: rather a spare too early than none', async () => {
    const { live, away } = bench();
    live().maintenanceOn(update);
    expect((await away(minute, day)).maintenance()).toBeNull();
  });

  it.each(['while the engine ran', 'while it was away'])(
    'C2 one that ended %s does not come back to life when the clock is set back',
    async (when) => {
      const { work, live, away } = bench();
      const lasting = live();
      lasting.maintenanceOn(update);
      if (when === 'while the engine ran') {
        await work.pass(2 * hour);
        expect(lasting.maintenanceEnded()).toBe(true);
      } else expect((await away(2 * hour)).maintenanceEnded()).toBe(true);
      expect((await away(minute, -day)).maintenance()).toBeNull();
    },
  );

  it('that cannot be written is refused: forgotten at the next start it would be none', () => {
    const { history, live } = bench();
    const heal = refuseWriting(history, 'INSERT ON fact');
    const lasting = live();
    expect(() => lasting.maintenanceOn(update)).toThrow(/Could not remember a fact/);
    expect(lasting.maintenance()).toBeNull();
    heal();
    lasting.maintenanceOn(update);
    refuseWriting(history, 'INSERT ON fact');
    expect(() => lasting.maintenanceOff()).toThrow(/Could not remember a fact/);
    expect(left(lasting)).toBe(hour);
  });

  it('ends by itself also where that cannot be written', async () => {
    const { work, history, live } = bench();
    const lasting = live();
    lasting.maintenanceOn(update);
    refuseWriting(history, 'INSERT ON fact');
    await work.pass(hour);
    expect([lasting.maintenance(), lasting.maintenanceEnded(), lasting.maintenanceEnded()]).toEqual([
      null,
      true,
      false,
    ]);
  });
});

describe('the cool-down after a promotion', () => {
  const promotedNow = ({ history, work }: ReturnType<typeof bench>): void =>
    history.remember('lastPromotion', work.time.wall());

  it('there is none before the first', () => {
    expect(bench().live().cooldownLeftMs(hour, 0)).toBe(0);
  });

  it('begins with the claim that is noted and is counted from there, however often it is noted', async () => {
    const b = bench();
    const lasting = b.live();
    promotedNow(b);
    expect(lasting.cooldownLeftMs(hour, 0)).toBe(0);
    lasting.promotionNoted();
    await b.work.pass(20 * minute);
    lasting.promotionNoted();
    expect(lasting.cooldownLeftMs(hour, 0)).toBe(40 * minute);
    await b.work.pass(40 * minute);
    expect(lasting.cooldownLeftMs(hour, 0)).toBe(0);
  });

  it('follows a changed configuration', async () => {
    const b = bench();
    promotedNow(b);
    const lasting = b.live();
    await b.work.pass(20 * minute);
    expect([
      lasting.cooldownLeftMs(30 * minute, 0),
      lasting.cooldownLeftMs(2 * hour, 0),
      lasting.cooldownLeftMs(0, 0),
    ]).toEqual([10 * minute, 100 * minute, 0]);
  });

  it('a later promotion begins it anew', async () => {
    const b = bench();
    promotedNow(b);
    const lasting = b.live();
    await b.work.pass(50 * minute);
    promotedNow(b);
    lasting.promotionNoted();
    expect(lasting.cooldownLeftMs(hour, 0)).toBe(hour);
  });

  it('goes on over a restart, the time away included', async () => {
    const b = bench();
    promotedNow(b);
    expect((await b.away(20 * minute)).cooldownLeftMs(hour, 0)).toBe(40 * minute);
    expect((await b.away(50 * minute)).cooldownLeftMs(hour, 0)).toBe(0);
  });

  it.each([-day, day])('C2 a wall clock stepped by %i ms while it runs changes nothing', async (step) => {
    const b = bench();
    promotedNow(b);
    const lasting = b.live();
    b.work.stepWall(step);
    lasting.promotionNoted();
    await b.work.pass(20 * minute);
    expect(lasting.cooldownLeftMs(hour, 0)).toBe(40 * minute);
  });

  it('C2 a wall clock set back while the engine was away makes it no longer than it is', async () => {
    const b = bench();
    promotedNow(b);
    expect((await b.away(20 * minute, -day)).cooldownLeftMs(hour, 0)).toBe(hour);
  });
});
