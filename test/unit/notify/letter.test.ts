/** A letter in words. */
import { expect, it } from 'vitest';
import type { Item, Letter } from '../../../src-main/notify/channel.ts';
import { subjectOf, textOf } from '../../../src-main/notify/letter.ts';

const item = (severity: Item['severity'], text: string): Item => ({
  id: 1,
  key: 'k',
  severity,
  text,
  at: Date.UTC(2026, 0, 31, 3, 4, 5),
});
const letter = (...items: Item[]): Letter => ({
  ...{ id: 'abc', items, test: false },
  sender: { pair: 'head-office', fqdn: 'pbx.example.com', address: '192.0.2.2' },
});

it.each([
  [
    [item('alert', 'The other node is down (no answer). Take over?')],
    '[Estepe head-office] ALERT: The other node is down (no answer).',
  ],
  [
    [item('info', 'Well.'), item('alert', 'Bad.\nWorse.'), item('info', 'Well.')],
    '[Estepe head-office] ALERT: Bad. (and 2 more)',
  ],
  [[item('warning', 'no full stop')], '[Estepe head-office] Warning: no full stop'],
])('its subject is the gravest, in one line', (items, subject) => {
  expect(subjectOf(letter(...items))).toBe(subject);
});

it('a long sentence is cut, a line break never reaches the subject', () => {
  const subject = subjectOf(letter(item('alert', `${'very '.repeat(100)}\r\nBcc: x@example.com`)));
  expect(subject.length).toBeLessThanOrEqual(140);
  expect(subject).not.toMatch(/[\r\n]/);
});

it('its text has each message with its time, and who wrote', () => {
  const text = textOf(letter(item('alert', 'Bad.'), item('info', 'Well again.')));
  expect(text).toContain('ALERT, 2026-01-31 03:04:05 UTC\nBad.');
  expect(text).toContain('Info, 2026-01-31 03:04:05 UTC\nWell again.');
  expect(text).toContain('Estepe on 192.0.2.2, node of head-office (pbx.example.com).');
});
