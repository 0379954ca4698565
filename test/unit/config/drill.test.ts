/** `drill`: monthly where nothing is said, off, and what is refused. */
import { expect, it } from 'vitest';
import { problemLine } from '../../../src-main/config/problems.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal } from './texts.ts';

const drillOf = (section: string) => {
  const checked = checkText(`${minimal}${section}`);
  return checked.ok ? checked.config.drill : checked.problems.map((problem) => problemLine('estepe.yaml', problem));
};
const day = 24 * 3600_000;

it.each([
  ['', { schedule: '0 4 1 * *', maxAge: 90 * day }],
  ['drill: { schedule: off }\n', { schedule: 'off', maxAge: 90 * day }],
  ['drill: { schedule: "30 2 * * 0", timeZone: UTC, maxAge: 35d }\n', { schedule: '30 2 * * 0', maxAge: 35 * day }],
])('%j is taken', (section, drill) => {
  expect(drillOf(section)).toMatchObject(drill);
});

it.each([
  ['schedule: monthly', '`monthly` is not a schedule. Allowed: five fields in quotes'],
  ['schedule: "0 25 * * *"', 'is not a schedule'],
  ['schedule: offf', '`offf` is not a schedule'],
  ['maxAge: 1h', 'drill.maxAge'],
  ['every: 1d', 'drill.every'],
])('%s is refused in a sentence', (key, said) => {
  expect(drillOf(`drill: { ${key} }\n`)).toEqual([expect.stringContaining(said)]);
});
