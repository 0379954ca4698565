/** C: the observer itself. A stopped engine, a stepped clock, a second engine on the same data folder. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { EventView } from '../../../src-main/contract/snapshot.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { type EngineUnderTest, estepe, startEngine } from './engine-process.ts';
import { decisions, expectNothingLost, expectTakenOver, told } from './evidence.ts';
import { type Later, putUp, type StageWish } from './one-pbx.ts';

const gaps = (events: readonly EventView[]): EventView[] => events.filter(({ rule }) => rule === 'watch.gap');

/** Beats that ended between two events, by the wall clock: what was really observed. */
async function beatsBetween(engine: EngineUnderTest, from: EventView, to: EventView): Promise<number> {
  return (await engine.beats('sip', from.at, to.at)).length;
}

/** Stops the engine's process until more than 3 s have gone by on the clock. */
async function stopFor3Seconds(engine: EngineUnderTest): Promise<void> {
  await engine.freeze();
  const from = performance.now();
  await until('three seconds to pass', () => performance.now() - from > 3000);
  engine.thaw();
}

describeWithPeers('C1 the engine stopped', ['kamailio'], () => {
  it.concurrent('C1 while it was confirming: the gap is told and a full confirmation is observed anew', async ({
    onTestFinished: later,
  }) => {
    const { engine, active } = await putUp(later, { heartbeat: { confirm: { times: 8, every: '300ms' } } });
    await active.kill();
    await engine.until('some rounds to fail', ({ core }) => core.failedRounds >= 3);
    await stopFor3Seconds(engine);
    const events = await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason: /^9 of 9 rounds in a row failed/,
      told: ['promoted'],
    });
    const [gap, ...more] = gaps(events);
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ kind: 'engine', severity: 'warning', evidence: { kind: 'stall' } });
    expect(Number(gap?.evidence.ms)).toBeGreaterThan(2900);
    const [decided] = decisions(events, 'suspecting.down-automatic');
    if (!gap || !decided) throw new Error('gap and decision are there by now');
    // nine rounds after the gap, none of before it
    expect(await beatsBetween(engine, gap, decided)).toBeGreaterThanOrEqual(9);
  });

  it.concurrent('C1 while it asked a person: the countdown does not run out across the gap', async ({
    onTestFinished: later,
  }) => {
    const { engine, active } = await putUp(later, {
      promotion: { mode: 'confirm', countdown: '2s', onSilence: 'promote' },
    });
    await active.kill();
    await engine.phase('awaiting');
    await stopFor3Seconds(engine);
    const events = await expectTakenOver(engine, {
      rule: 'awaiting.go',
      reason: /^nobody answered within 2 s and onSilence is promote/,
      told: ['awaiting', 'promoted'],
      origin: 'silence',
    });
    const rules = events.map(({ rule }) => rule);
    const order = ['suspecting.down-ask', 'watch.gap', 'awaiting.anew', 'suspecting.down-ask', 'awaiting.go'];
    expect(rules.filter((rule) => order.includes(rule))).toEqual(order);
  });

  it.concurrent('C1 while the active died and came back unseen: nothing happens', async ({ onTestFinished: later }) => {
    const { engine, active } = await putUp(later);
    await active.freeze();
    await stopFor3Seconds(engine);
    active.thaw();
    await engine.until('a round after the gap', ({ core }) => core.phase === 'watching' && core.verdict === 'healthy');
    await engine.rounds(3);
    const events = await engine.events();
    expectNothingLost(events);
    expect(gaps(events)).toHaveLength(1);
    expect(told(events)).toEqual([]);
    expect((await engine.snapshot()).runbook).toBeNull();
  });
});

/** Debian puts it under the machine's own triplet. MT: for programs with threads. */
function fakeTimeLibrary(): string {
  const places = readdirSync('/usr/lib').map((triplet) => join('/usr/lib', triplet, 'faketime', 'libfaketimeMT.so.1'));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('faketime is installed without its library');
  return found;
}

describeWithPeers('C2 the wall clock stepped', ['kamailio', 'faketime'], () => {
  /** An engine whose wall clock can be moved while it runs; the monotonic one is left alone. */
  async function withClock(later: Later, wish: StageWish) {
    const folder = newFolder('clock');
    later(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'time');
    const step = (by: string): void => writeFileSync(file, `${by}\n`);
    step('+0');
    const env = {
      LD_PRELOAD: fakeTimeLibrary(),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
      FAKETIME_TIMESTAMP_FILE: file,
    };
    return { ...(await putUp(later, wish, { env })), step };
  }
  const day = 24 * 3600_000;

  it.concurrent('C2 a day back: confirmation and countdown end as if nothing had happened', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, step } = await withClock(later, {
      heartbeat: { confirm: { times: 4, every: '300ms' } },
      promotion: { mode: 'confirm', countdown: '2s', onSilence: 'promote' },
    });
    const before = (await engine.snapshot()).at;
    await active.kill();
    await engine.until('the confirmation to begin', ({ core }) => core.failedRounds >= 2);
    step('-1d');
    await engine.phase('awaiting');
    step('-2d');
    const events = await expectTakenOver(engine, {
      rule: 'awaiting.go',
      reason: /^nobody answered within 2 s/,
      told: ['awaiting', 'promoted'],
      origin: 'silence',
    });
    expect(gaps(events)).toEqual([]);
    // the clock was really moved for the engine
    expect((await engine.snapshot()).at).toBeLessThan(before - day);
  });

  it.concurrent('C2 a day forward: looks like a resumed snapshot, so it is a gap: counted anew; maintenance goes on', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, step } = await withClock(later, {
      promotion: { mode: 'confirm', countdown: '1h', onSilence: 'promote' },
    });
    await active.kill();
    await engine.phase('awaiting');
    step('+1d');
    await engine.until('it to be asked anew', async () => (await engine.events()).some((e) => e.rule === 'watch.gap'));
    await engine.phase('awaiting');
    let events = await engine.events();
    expect(gaps(events).map(({ evidence }) => evidence.kind)).toEqual(['wall-jump']);
    const order = ['suspecting.down-ask', 'watch.gap', 'awaiting.anew', 'suspecting.down-ask'];
    expect(events.map(({ rule }) => rule).filter((rule) => order.includes(rule))).toEqual(order);
    // an hour of countdown was neither spent nor lengthened by the day
    const { confirmation, runbook } = await engine.snapshot();
    expect(confirmation?.leftMs).toBeGreaterThan(3500_000);
    expect(confirmation?.leftMs).toBeLessThanOrEqual(3600_000);
    expect(runbook).toBeNull();

    await engine.maintenanceOn(60_000);
    step('+2d');
    await engine.until('the second step to be seen', async () => gaps(await engine.events()).length === 2);
    events = await engine.events();
    const { overlays } = await engine.snapshot();
    expect(overlays.maintenance?.leftMs).toBeGreaterThan(0);
    expect(overlays.maintenance?.leftMs).toBeLessThanOrEqual(60_000);
    expect(events.filter(({ rule }) => rule === 'maintenance.ended')).toEqual([]);
    // once in this incident, however often it was counted anew
    expect(told(events)).toEqual(['awaiting']);
  });
});

describeWithPeers('C4 one engine on one data folder', ['kamailio'], () => {
  it.concurrent('C4 a second engine is refused in words and ends with 1; the first one goes on', async ({
    onTestFinished: later,
  }) => {
    const { engine, site } = await putUp(later);
    const second = await estepe(['serve', '--data', site.folder]);
    expect(second.exit).toBe(1);
    expect(second.out).toBe('');
    expect(second.err).toMatch(
      new RegExp(`^Another engine runs on ${site.folder} \\(process ${engine.pid}, started .*, console http://127`),
    );
    const told = await estepe(['serve', '--json', '--data', site.folder]);
    expect(told.exit).toBe(1);
    expect(JSON.parse(told.out)).toMatchObject({ error: { code: 'owned', detail: { pid: engine.pid } } });
    await engine.rounds(2);
    expect((await engine.snapshot()).core.phase).toBe('watching');
    expect((await engine.cli('status', '--json')).exit).toBe(0);

    await engine.kill();
    const third = await startEngine(site);
    later(() => third.stop());
    await third.phase('watching');
  });
});
