/** What screens work out from a snapshot about the offset and about work under way. */
import { describe, expect, it } from 'vitest';
import type { OffsetView } from '../../../src-main/contract/snapshot.ts';
import { changesToOrder, gaugeStanding, offsetAt, offsetGauge, shareDone } from '../../../src-main/contract/view.ts';
import type { Phase, RunbookStatus } from '../../../src-main/contract/words.ts';
import { healthySnapshot, runbookAt } from '../console/desk-double.ts';

const hour = 3_600_000;
const known = (ageMs: number, change: Partial<OffsetView> = {}): OffsetView => ({
  ...{ state: 'known', ageMs, maxMs: 24 * hour, verified: true },
  ...change,
});

describe('the offset as a gauge', () => {
  it.each([
    ['D1 well within', known(9 * hour), 'within', 'good', 9 / 24],
    ['D1 one millisecond before three quarters', known(18 * hour - 1), 'within', 'good', (18 * hour - 1) / (24 * hour)],
    ['D1 at three quarters', known(18 * hour), 'near', 'attention', 0.75],
    ['D1 23 h 59 min', known(24 * hour - 60_000), 'near', 'attention', (24 * hour - 60_000) / (24 * hour)],
    ['D1 24 h 01 min', known(24 * hour + 60_000), 'beyond', 'alarm', 1],
    ['unverified, however fresh', known(hour, { verified: false }), 'unverified', 'alarm', 1 / 24],
    ['unverified and near: the graver one', known(20 * hour, { verified: false }), 'unverified', 'alarm', 20 / 24],
    ['unverified and too old', known(30 * hour, { verified: false }), 'beyond', 'alarm', 1],
    ['no bound', known(300 * hour, { maxMs: null }), 'within', 'good', null],
  ] as const)('%s', (_, offset, kind, standing, share) => {
    const gauge = offsetGauge(offset);
    expect(gauge).toEqual({ kind, ageMs: offset.ageMs, maxMs: offset.maxMs, share });
    expect(gaugeStanding[gauge.kind]).toBe(standing);
  });

  it('nothing restored is an alarm, nothing kept is none', () => {
    const never = offsetGauge(known(0, { state: 'never', ageMs: null, verified: false }));
    const notKept = offsetGauge(known(0, { state: 'not-kept', ageMs: null, verified: false }));
    expect([never, gaugeStanding[never.kind]]).toEqual([{ kind: 'never' }, 'alarm']);
    expect([notKept, gaugeStanding[notKept.kind]]).toEqual([{ kind: 'not-kept' }, 'off']);
  });

  it('grows by the engine’s clock since the snapshot, and never backwards', () => {
    const snapshot = { at: 1_000_000, offset: known(hour) };
    expect(offsetAt(snapshot, 1_004_000).ageMs).toBe(hour + 4000);
    expect(offsetAt(snapshot, 999_000).ageMs).toBe(hour);
    expect(offsetAt({ at: 0, offset: known(0, { state: 'never', ageMs: null }) }, 5000).ageMs).toBeNull();
  });
});

describe('how much is done', () => {
  it.each([
    [0, 100, 0],
    [35, 100, 0.35],
    [100, 100, 1],
    [120, 100, 1],
    [0, 0, 1],
    [5, null, null],
  ])('%d of %s', (bytes, total, share) => {
    expect(shareDone({ bytes, total })).toBe(share);
  });
});

describe('changes of roles that can be ordered here', () => {
  const seen = (
    phase: Phase,
    place: 'active' | 'passive',
    paired: boolean,
    status: RunbookStatus | null = null,
  ): Parameters<typeof changesToOrder>[0] => {
    const { core, nodes, peer } = healthySnapshot(0);
    return {
      core: { ...core, phase },
      nodes: nodes.map((node) => ({ ...node, self: node.place === place })),
      peer: { ...peer, paired },
      runbook: status === null ? null : runbookAt(0, 1, { status }),
    };
  };
  it.each([
    ['the spare beside a paired active', seen('watching', 'passive', true), ['switchover']],
    ['the old active beside what took over from it', seen('watching', 'active', true), ['failback']],
    ['a spare whose active has no Estepe', seen('watching', 'passive', false), []],
    ['while the active is being looked at', seen('suspecting', 'passive', true), []],
    ['an active node', seen('active', 'passive', true), ['stand-down']],
    ['an active node without a link', seen('serving', 'active', false), ['stand-down']],
    ['an active node with a halted runbook', seen('active', 'passive', true, 'halted'), []],
    ['while something runs', seen('watching', 'passive', true, 'running'), []],
    ['after something has ended', seen('watching', 'passive', true, 'cancelled'), ['switchover']],
    ['a node that stood down', seen('stood-down', 'active', true), []],
  ] as const)('%s', (_, snapshot, changes) => {
    expect(changesToOrder(snapshot)).toEqual(changes);
  });
});
