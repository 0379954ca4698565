/** What is sent through a channel, when and how often: the policy as tables. */
import { describe, expect, it } from 'vitest';
import type { Severity } from '../../../src-main/contract/words.ts';
import {
  afterTelling,
  calm,
  crowdedOut,
  ends,
  gravest,
  isPersistent,
  type Message,
  mostAttempts,
  mostWaiting,
  notBefore,
  pauseAfter,
  sameIncidentMs,
  type Told,
  wanted,
} from '../../../src-main/notify/policy.ts';

const min = 60_000;
const now = { at: 1_000_000_000, life: 'this' };
const told = (...keys: [key: string, agoMs: number, life: string, severity?: Severity][]): Told =>
  new Map(keys.map(([key, ago, life, severity = 'alert']) => [key, { at: now.at - ago, life, severity }]));
const message = (key: string, severity: Severity): Message => ({ key, severity, text: 'x' });

describe('whether a message goes through a channel', () => {
  it.each<[what: string, key: string, severity: Severity, least: Severity, told: Told, wanted: string]>([
    ['grave enough', 'isolated', 'alert', 'alert', told(), 'yes'],
    ['graver than asked for', 'isolated', 'alert', 'info', told(), 'yes'],
    ['too slight', 'offset.late', 'warning', 'alert', told(), 'too-slight'],
    ['an end, whose beginning nobody heard there', 'recovered', 'info', 'warning', told(), 'too-slight'],
    ['an end, whose beginning was heard there', 'recovered', 'info', 'alert', told(['isolated', min, 'this']), 'yes'],
    ['an end, heard before a start', 'recovered', 'info', 'alert', told(['awaiting', 9 * min, 'that']), 'yes'],
    ['the end of something else', 'drill.recovered', 'info', 'alert', told(['isolated', min, 'this']), 'too-slight'],
    ['a backup that works again', 'backup.recovered', 'info', 'alert', told(['backup.failed', min, 'this']), 'yes'],
    [
      'the other kind works again',
      'restore.recovered',
      'info',
      'alert',
      told(['backup.failed', min, 'this']),
      'too-slight',
    ],
    ['cancelled after it had halted', 'cancelled', 'warning', 'alert', told(['halted.7', min, 'this']), 'yes'],
    ['the same in this life: a new incident', 'isolated', 'alert', 'info', told(['isolated', 1, 'this']), 'yes'],
    ['the same just before a start', 'isolated', 'alert', 'info', told(['isolated', min, 'that']), 'said-before'],
    ['the same long before a start', 'isolated', 'alert', 'info', told(['isolated', sameIncidentMs, 'that']), 'yes'],
    ['graver than before a start', 'offset', 'alert', 'info', told(['offset', min, 'that', 'warning']), 'yes'],
  ])('%s', (_, key, severity, least, before, expected) => {
    expect(wanted(message(key, severity), least, before, now)).toBe(expected);
  });

  it('an end takes its incidents away, so that the next is told again, be it after a start', () => {
    const first = afterTelling(
      told(['isolated', min, 'that'], ['backup.failed', min, 'that']),
      message('recovered', 'info'),
      {
        at: now.at,
        life: 'that',
      },
    );
    expect([...first.keys()]).toEqual(['backup.failed', 'recovered']);
    expect(wanted(message('isolated', 'alert'), 'info', first, now)).toBe('yes');
    const second = afterTelling(first, message('isolated', 'alert'), now);
    expect([...second.keys()]).toEqual(['backup.failed', 'isolated']);
  });

  it.each([
    ['recovered', 'halted.12', true],
    ['promoted', 'awaiting.silence-held', true],
    ['outranked', 'other-answers', true],
    ['recovered', 'offset.over', false],
    ['offset.recovered', 'offset.over', true],
    ['references-back', 'references-silent', true],
    ['references-back', 'isolated', false],
    ['notify.email.recovered', 'notify.email.failing', true],
    ['notify.email.recovered', 'notify.webhook.failing', false],
    ['recovered', 'recovered', false],
  ])('%s ends %s: %s', (key, incident, expected) => {
    expect(ends(key, incident)).toBe(expected);
  });
});

describe('how long until the next attempt', () => {
  const day = 24 * 60 * min;
  it.each<[attempt: number, fault: 'passing' | 'person', ageMs: number, pauseMs: number | null]>([
    [1, 'passing', 0, 10_000],
    [2, 'passing', 0, 30_000],
    [5, 'passing', 0, 5 * min],
    [9, 'passing', 0, 60 * min],
    [30, 'passing', 0, 60 * min],
    [1, 'person', 0, 15 * min],
    [9, 'person', 0, 60 * min],
    [9, 'passing', day - 10 * min, 10 * min],
    [9, 'passing', day, null],
    [mostAttempts, 'passing', 0, null],
  ])('attempt %d, %s, aged %d: %s', (attempt, fault, age, pause) => {
    expect(pauseAfter(attempt, fault, age, day)).toBe(pause);
  });

  it('ends for every channel that never works, in a bounded number of attempts', () => {
    for (const maxAge of [60 * min, day])
      for (const fault of ['passing', 'person'] as const) {
        let [age, attempts] = [0, 1];
        for (
          let pause = pauseAfter(1, fault, 0, maxAge);
          pause !== null;
          pause = pauseAfter(attempts, fault, age, maxAge)
        ) {
          age += pause;
          attempts += 1;
        }
        expect(attempts).toBeLessThanOrEqual(mostAttempts);
        expect(age).toBeLessThanOrEqual(maxAge + 1000);
      }
  });
});

describe('no storm', () => {
  it('the first go out as they come, the others are gathered', () => {
    const t = 10 * 60 * min;
    const few = Array.from({ length: calm.atOnce - 1 }, (_, i) => t - i * 1000).reverse();
    expect(notBefore(few, t)).toBe(t);
    const many = [...few, t];
    expect(notBefore(many, t)).toBe(t + calm.gatherMs);
    expect(notBefore(many, t + calm.gatherMs)).toBe(t + calm.gatherMs);
    // an hour later all is as before
    expect(notBefore(many, t + calm.withinMs)).toBe(t + calm.withinMs);
    expect(notBefore([], t)).toBe(t);
  });

  it('of too many that wait, the oldest of the slightest are given up', () => {
    const waiting = Array.from({ length: mostWaiting }, (_, id) => ({ id, severity: 'alert' as Severity }));
    expect(crowdedOut(waiting)).toEqual([]);
    const more = [...waiting, { id: 500, severity: 'info' as const }, { id: 501, severity: 'alert' as const }];
    expect(crowdedOut(more).map(({ id }) => id)).toEqual([500, 0]);
  });
});

it('the gravest of several; how many failures are persistent', () => {
  expect(gravest(['info', 'alert', 'warning'])).toBe('alert');
  expect(gravest([])).toBe('info');
  expect([1, 2, 3].map((n) => isPersistent(n, 'passing'))).toEqual([false, false, true]);
  expect([0, 1].map((n) => isPersistent(n, 'person'))).toEqual([false, true]);
});
