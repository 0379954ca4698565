/** Snapshot first, then slices of what changed, and a pulse while nothing does. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FeedFrame, Snapshot } from '../../../src-main/contract/snapshot.ts';
import { afterFrame } from '../../../src-main/contract/view.ts';
import { Feed, pulseMs } from '../../../src-main/station/feed.ts';
import { healthySnapshot, noon } from '../console/desk-double.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function feedOver(first: Snapshot) {
  let state: Omit<Snapshot, 'version'> = first;
  let fault: Error | null = null;
  const faults: unknown[] = [];
  const feed = new Feed(
    () => {
      if (fault) throw fault;
      return state;
    },
    (error) => faults.push(error),
  );
  const frames: FeedFrame[] = [];
  const held: Snapshot = feed.snapshot();
  const stop = feed.subscribe((frame) => frames.push(frame));
  return {
    feed,
    frames,
    held,
    stop,
    faults,
    set: (change: Partial<Snapshot>) => {
      state = { ...state, ...change };
      feed.changed();
    },
    fail: (error: Error | null) => {
      fault = error;
    },
    whole: () => state,
  };
}

describe('feed', () => {
  it('changes that come together are one slice, of the changed keys only', () => {
    const { frames, set, held, whole } = feedOver(healthySnapshot(noon));
    set({ overlays: { maintenance: null, observeOnly: true } });
    set({ offset: { state: 'never', ageMs: null, maxMs: null, verified: false }, at: noon + 5 });
    expect(frames).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ kind: 'slice', version: held.version + 1, at: noon + 5 });
    expect(Object.keys((frames[0] as FeedFrame & { kind: 'slice' }).change).sort()).toEqual(['offset', 'overlays']);
    const after = frames.reduce<Snapshot | null>((s, f) => afterFrame(s, f), held);
    expect(after).toEqual({ ...whole(), version: held.version + 1 });
  });

  it('while nothing changes a pulse proves that the engine lives, with the time of now', () => {
    const { frames, held, whole, set } = feedOver(healthySnapshot(noon));
    set({ at: noon + 3_000 });
    vi.advanceTimersByTime(pulseMs);
    expect(frames).toEqual([{ kind: 'pulse', version: held.version, at: whole().at }]);
  });

  it('who unsubscribed hears nothing more, who closed nobody does', () => {
    const { frames, set, stop, feed } = feedOver(healthySnapshot(noon));
    stop();
    set({ troubles: [{ key: 'x', sentence: 'y', todo: 'z' }] });
    vi.advanceTimersByTime(2 * pulseMs);
    expect(frames).toEqual([]);
    feed.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a picture that cannot be taken is said and ends nothing', () => {
    const { frames, set, fail, faults } = feedOver(healthySnapshot(noon));
    fail(new Error('disk'));
    set({ troubles: [] });
    vi.advanceTimersByTime(100);
    expect(faults).toHaveLength(1);
    fail(null);
    set({ troubles: [{ key: 'x', sentence: 'y', todo: 'z' }] });
    vi.advanceTimersByTime(100);
    expect(frames.map(({ kind }) => kind)).toEqual(['slice']);
  });
});
