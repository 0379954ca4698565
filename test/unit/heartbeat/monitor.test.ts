import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, initialState } from '../../../src-main/engine/decide.ts';
import type { Round } from '../../../src-main/engine/observation.ts';
import type { Beat, Net, ReferenceBeat, ReferenceSpec, Target, TestSpec } from '../../../src-main/engine/ports.ts';
import { Monitor, type Watched } from '../../../src-main/heartbeat/monitor.ts';
import { Clockwork } from '../clockwork.ts';
import { observed } from '../engine/moments.ts';

const sip: TestSpec = { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 4_000 };
const tunnel: TestSpec = { id: 'tunnel', kind: 'tunnel', port: 5090, timeoutMs: 4_000 };
const gateway: ReferenceSpec = { id: 'gateway', kind: 'gateway', timeoutMs: 2_000 };
const watched: Watched = {
  target: { address: '192.0.2.1', fqdn: 'pbx.example.com' },
  tests: [sip, tunnel],
  references: [gateway],
};
const steady = 30_000;

/** A net whose every answer takes as long as it is told; says who was asked when, and who was told to stop. */
class PacedNet implements Net {
  readonly asked: { id: string; address: string; at: number }[] = [];
  readonly stopped: string[] = [];
  takes = (_nth: number): number => 20;
  #nth = 0;
  readonly #work: Clockwork;

  constructor(work: Clockwork) {
    this.#work = work;
  }

  probe(test: TestSpec, target: Target, signal: AbortSignal): Promise<Beat> {
    this.asked.push({ id: test.id, address: target.address, at: this.#work.time.now });
    const ms = this.takes(this.#nth++);
    return this.#answer(test.id, ms, signal, { test: test.id, outcome: 'dead', ms, evidence: `after ${ms} ms` });
  }

  reference({ id }: ReferenceSpec, signal: AbortSignal): Promise<ReferenceBeat> {
    return this.#answer(id, 1, signal, { id, answered: true, ms: 1, evidence: 'answered' });
  }

  #answer<T>(id: string, ms: number, signal: AbortSignal, value: T): Promise<T> {
    return new Promise((go) => {
      const cancel = this.#work.clock.after(ms, () => {
        signal.removeEventListener('abort', stop);
        go(value);
      });
      const stop = (): void => {
        cancel();
        this.stopped.push(id);
        go(value);
      };
      signal.addEventListener('abort', stop);
    });
  }
}

function monitored(change: Partial<Watched> = {}, everyMs = steady) {
  const work = new Clockwork();
  const net = new PacedNet(work);
  const rounds: Round[] = [];
  const walls: number[] = [];
  const listen = { onRound: (_round: Round): void => {} };
  const monitor = new Monitor({ clock: work.clock, net }, { ...watched, ...change }, everyMs, (round, wall) => {
    rounds.push(round);
    walls.push(wall);
    listen.onRound(round);
  });
  return { work, net, rounds, walls, monitor, listen, starts: () => rounds.map((r) => r.startedAt) };
}

describe('the cadence', () => {
  it('begins at once and keeps to its grid, however long the rounds take: it does not drift', async () => {
    const { work, net, monitor, starts } = monitored({ tests: [sip] });
    net.takes = (n) => [20, 29_999, 1, 4_000, 17_000][n % 5] ?? 0;
    monitor.start();
    await work.pass(3_600_000 - 1);
    expect(starts()).toEqual(Array.from({ length: 120 }, (_, n) => n * steady));
  });

  it('a round that outlasts its slot leaves out slots and never overlaps', async () => {
    const { work, net, monitor, starts, rounds } = monitored({ tests: [sip] });
    net.takes = (n) => (n === 1 ? 70_000 : 20);
    monitor.start();
    await work.pass(200_000);
    expect(starts()).toEqual([0, 30_000, 120_000, 150_000, 180_000]);
    expect(rounds.map((r) => r.seq)).toEqual([1, 2, 3, 4, 5]);
  });

  it('a round that ends on its slot begins the next one there', async () => {
    const { work, net, monitor, starts } = monitored({ tests: [sip] });
    net.takes = () => steady;
    monitor.start();
    await work.pass(steady * 3 + 1);
    expect(starts()).toEqual([0, 30_000, 60_000]);
  });

  it('holds for any lengths of rounds: on the grid, none at once, no slot left out without need', async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 200, max: 40_000 }), async (takes, everyMs) => {
        const { work, net, monitor, rounds } = monitored({ tests: [sip], references: [] }, everyMs);
        net.takes = (n) => takes[n] ?? 0;
        monitor.start();
        await work.until('as many rounds as lengths', () => rounds.length === takes.length, 3_600_000_000);
        monitor.stop();
        rounds.forEach(({ startedAt, endedAt }, n) => {
          expect(startedAt % everyMs).toBe(0);
          expect(endedAt - startedAt).toBe(takes[n]);
          const before = rounds[n - 1];
          if (!before) return;
          const due = Math.max(before.startedAt + everyMs, Math.ceil(before.endedAt / everyMs) * everyMs);
          expect(startedAt).toBe(due);
        });
      }),
      { seed: 9, numRuns: 60 },
    );
  }, 30_000);

  it('C2 minds the monotonic clock only; the round carries the wall clock of its start', async () => {
    const { work, monitor, starts, walls } = monitored();
    const wall = work.time.wall();
    monitor.start();
    await work.pass(45_000);
    work.stepWall(-86_400_000);
    await work.pass(45_000);
    expect(starts()).toEqual([0, 30_000, 60_000]);
    expect(walls).toEqual([wall, wall + 30_000, wall + 60_000 - 86_400_000]);
  });
});

describe('confirming', () => {
  it('the fast cadence counts from the start of the round that failed, and back again from the last', async () => {
    const { work, net, monitor, listen, starts } = monitored();
    net.takes = () => 4_000;
    listen.onRound = ({ seq }) => monitor.setEvery(seq < 2 || seq > 5 ? steady : 5_000);
    monitor.start();
    await work.pass(160_000);
    expect(starts()).toEqual([0, 30_000, 35_000, 40_000, 45_000, 50_000, 80_000, 110_000, 140_000]);
  });

  it('a round longer than the fast interval still overlaps nothing', async () => {
    const { work, net, monitor, listen, starts } = monitored();
    net.takes = () => 7_000;
    listen.onRound = () => monitor.setEvery(5_000);
    monitor.start();
    await work.pass(45_000);
    expect(starts()).toEqual([0, 10_000, 20_000, 30_000]);
  });

  it('a change while a round is under way waits for its end', async () => {
    const { work, net, monitor, starts } = monitored();
    net.takes = () => 4_000;
    monitor.start();
    await work.pass(1_000);
    monitor.setEvery(5_000);
    await work.pass(11_000);
    expect(starts()).toEqual([0, 5_000]);
    expect(net.stopped).toEqual([]);
  });

  it('a change between rounds takes effect at once, also where its time is already over', async () => {
    const { work, monitor, starts } = monitored();
    monitor.start();
    await work.pass(22_000);
    monitor.setEvery(5_000);
    await work.pass(10_000);
    expect(starts()).toEqual([0, 25_000, 30_000]);
  });
});

describe('watch, stop and what a round holds', () => {
  it('watch drops the round under way, begins at once with the new target, and the old answer never counts', async () => {
    const { work, net, monitor, rounds } = monitored();
    net.takes = (n) => (n < 2 ? 4_000 : 20);
    monitor.start();
    await work.pass(1_000);
    const target = { address: '192.0.2.9', fqdn: 'pbx.example.com' };
    monitor.watch({ target, tests: [sip], references: [] });
    await work.pass(60_000);
    expect(net.stopped).toEqual(['sip', 'tunnel']);
    expect(rounds.map((r) => [r.seq, r.startedAt, r.beats.map((b) => b.test)])).toEqual([
      [1, 1_000, ['sip']],
      [2, 31_000, ['sip']],
    ]);
    expect(net.asked.filter((a) => a.at >= 1_000).every((a) => a.address === target.address)).toBe(true);
  });

  it('watch before the start only changes what is watched', async () => {
    const { work, net, monitor } = monitored();
    monitor.watch({ ...watched, tests: [tunnel] });
    await work.pass(60_000);
    expect(net.asked).toEqual([]);
    monitor.start();
    expect(net.asked.map((a) => a.id)).toEqual(['tunnel']);
  });

  it('stop ends the round under way without a result, and nothing begins any more', async () => {
    const { work, net, monitor, rounds } = monitored();
    net.takes = () => 4_000;
    monitor.start();
    await work.pass(31_000);
    monitor.stop();
    await work.pass(300_000);
    expect(rounds).toHaveLength(1);
    expect(net.stopped).toEqual(['sip', 'tunnel']);
    expect(net.asked).toHaveLength(4);
    expect(work.time.next()).toBeNull();
  });

  it('stop from within a round’s own result is kept to', async () => {
    const { work, monitor, listen, rounds } = monitored();
    listen.onRound = () => monitor.stop();
    monitor.start();
    await work.pass(300_000);
    expect(rounds).toHaveLength(1);
  });

  it('starting twice is starting once', async () => {
    const { work, net, monitor } = monitored({ tests: [sip], references: [] });
    monitor.start();
    monitor.start();
    await work.pass(10);
    expect(net.asked).toHaveLength(1);
  });

  it('all tests are asked at the same time, references too; a bare accept is marked as weak', async () => {
    const { work, net, monitor, rounds } = monitored();
    monitor.start();
    await work.pass(100);
    expect(net.asked.map((a) => [a.id, a.at])).toEqual([
      ['sip', 0],
      ['tunnel', 0],
    ]);
    expect(rounds[0]?.beats.map((b) => [b.test, b.weak ?? false])).toEqual([
      ['sip', false],
      ['tunnel', true],
    ]);
    expect(rounds[0]?.references.map((r) => r.id)).toEqual(['gateway']);
  });
});

describe('C1 a gap while a round is under way', () => {
  it('that round is not counted: the core observes a full confirmation anew', async () => {
    const { work, net, monitor, rounds, listen } = monitored();
    net.takes = () => 4_000;
    let state = initialState('watching', 0);
    let gap: Parameters<typeof observed>[0] = {};
    work.clock.onGap((seen) => {
      gap = { gap: seen };
    });
    const counts: number[] = [];
    listen.onRound = (round) => {
      state = decide(state, observed({ at: work.clock.now(), round, ...gap })).state;
      counts.push(state.failedRounds);
    };
    monitor.start();
    await work.pass(61_000);
    work.clock.stall(60_000, 'stall');
    await work.pass(120_000);
    expect(rounds.map((r) => r.startedAt)).toEqual([0, 30_000, 60_000, 150_000]);
    expect(counts).toEqual([1, 2, 0, 1]);
    expect(rounds[2]?.endedAt).toBe(121_000);
  });
});
