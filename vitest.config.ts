import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// Hundreds of processes of ours start in a run: compiled once, each begins in two thirds of the time.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'estepe-tests');

// Real processes with time-outs of real time: on a machine that stood still for a moment one may fail and not the next time. What passed only
// at its second try is named at the end of `npm run verify`.
const retry = 1;

/** One project per folder of test/; `processes` for the command line and the lab, whole processes of ours; and `engines` for whole engines among peers: `unit` and `simulation` need nothing but Node; the others need the system's peers. */
export default defineConfig({
  plugins: [svelte()],
  test: {
    projects: [
      // generous: speed is measured by the bench, and a busy machine must not fail a test
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: ['test/unit/cli/**', 'test/unit/lab/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: Math.max(2, availableParallelism() - 1),
        },
      },
      {
        test: {
          name: 'processes',
          include: ['test/unit/cli/**/*.test.ts', 'test/unit/lab/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          retry,
          // mostly wait for processes of their own
          maxWorkers: 2,
        },
      },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 300_000 } },
      {
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          exclude: ['test/peers/engine/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          retry,
          // each has ports and folders of its own, and mostly waits
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'engines',
          include: ['test/peers/engine/**/*.test.ts'],
          testTimeout: 60_000,
          retry,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'console',
          include: ['test/console/**/*.test.ts'],
          testTimeout: 60_000,
          retry,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'packaging',
          include: ['test/packaging/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // each packs the application anew
          maxWorkers: 2,
        },
      },
      { test: { name: 'electron', include: ['test/electron/**/*.test.ts'], testTimeout: 60_000 } },
    ],
  },
});
