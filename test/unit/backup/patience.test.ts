import { describe, expect, it } from 'vitest';
import { LocationError, type LocationFault, locationFaults, passing } from '../../../src-main/backup/location.ts';
import { patiently, pauseAfter, type Setback, usualPatience } from '../../../src-main/backup/patience.ts';
import { Clockwork } from '../clockwork.ts';

const failing = (fault: LocationFault) => new LocationError(fault, `It failed: ${fault}.`, 'wait');

function bench() {
  const clockwork = new Clockwork();
  const stop = new AbortController();
  const at: number[] = [];
  const setbacks: Setback[] = [];
  const how = { clock: clockwork.clock, signal: stop.signal, onSetback: (setback: Setback) => setbacks.push(setback) };
  /** fails so often, then answers the attempt's number */
  const start = (faults: LocationFault[]) => {
    let outcome: unknown = null;
    const work = async (attempt: number): Promise<number> => {
      at.push(clockwork.time.now);
      const fault = faults[attempt - 1];
      if (fault !== undefined) throw failing(fault);
      return attempt;
    };
    patiently(work, how).then(
      (value) => {
        outcome = value;
      },
      (error: unknown) => {
        outcome = error;
      },
    );
    return () => outcome;
  };
  return { clockwork, stop, at, setbacks, start };
}

describe('patience', () => {
  it('tries again after 5, 10, 20 and 40 s, and tells of each setback', async () => {
    const { clockwork, at, setbacks, start } = bench();
    const outcome = start(['connection', 'timeout', 'connection', 'timeout']);
    await clockwork.until('success', () => outcome() !== null);
    expect(outcome()).toBe(5);
    expect(at).toEqual([0, 5000, 15_000, 35_000, 75_000]);
    expect(setbacks.map(({ attempt, pauseMs, error }) => [attempt, pauseMs, error.fault])).toEqual([
      [1, 5000, 'connection'],
      [2, 10_000, 'timeout'],
      [3, 20_000, 'connection'],
      [4, 40_000, 'timeout'],
    ]);
  });

  it('gives up after the last attempt, with what that one failed with', async () => {
    const { clockwork, at, setbacks, start } = bench();
    const outcome = start(Array.from({ length: 9 }, () => 'timeout'));
    await clockwork.until('the end', () => outcome() !== null);
    expect(outcome()).toMatchObject({ fault: 'timeout' });
    expect(at).toHaveLength(usualPatience.attempts);
    expect(setbacks).toHaveLength(usualPatience.attempts - 1);
  });

  it('tries nothing again that does not pass by itself', async () => {
    for (const fault of locationFaults.filter((name) => !passing.has(name))) {
      const { clockwork, at, start } = bench();
      const outcome = start([fault]);
      await clockwork.settle();
      expect(outcome()).toMatchObject({ fault });
      expect(at).toEqual([0]);
    }
  });

  it('ends at once when it is cancelled in a pause', async () => {
    const { clockwork, stop, at, start } = bench();
    const outcome = start(['connection']);
    await clockwork.pass(3000);
    stop.abort();
    await clockwork.settle();
    expect(outcome()).toMatchObject({ fault: 'cancelled' });
    await clockwork.pass(60_000);
    expect(at).toEqual([0]);
  });

  it('never pauses for longer than it is told', () => {
    const patience = { attempts: 100, firstPauseMs: 5000, longestPauseMs: 60_000 };
    expect(pauseAfter(90, patience)).toBe(60_000);
    expect(pauseAfter(100, patience)).toBeNull();
  });
});
