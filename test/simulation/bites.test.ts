/** The simulator bites: faults planted on purpose are found, each by the invariant that it breaks. */
import { expect, test } from 'vitest';
import { runSeed } from './seed.ts';
import type { Bug } from './sim-site.ts';

const mostSeeds = 60;

/** Violations of the first seed in which the fault shows, and how many seeds that took. */
async function found(bug: Bug): Promise<{ seeds: number; violations: string[] }> {
  for (let seed = 1; seed <= mostSeeds; seed += 1) {
    const { tally } = await runSeed(seed, 7, { bug });
    if (tally.violations.length > 0) return { seeds: seed, violations: tally.violations };
  }
  return { seeds: mostSeeds, violations: [] };
}

test.each<[Bug, RegExp]>([
  ['skip-confirmation', /: 2: automatic promotion after \d of \d failed rounds in a row/],
  ['ignore-claim', /: 1: services are started under epoch \d+, which belongs to other#1/],
  ['lose-results', /: 4: step claim begins although the result of guards is not journaled/],
])('planted: %s', async (bug, sentence) => {
  const { violations } = await found(bug);
  expect(violations.length, `nothing was found in ${mostSeeds} seeds`).toBeGreaterThan(0);
  expect(
    violations.some((v) => sentence.test(v)),
    violations.join('\n'),
  ).toBe(true);
});
