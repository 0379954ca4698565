import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, consoleUnderTest, type UnderTest } from './console-under-test.ts';

let under: UnderTest;
beforeAll(async () => {
  under = await consoleUnderTest();
});
afterAll(() => under.end());

/** Paths of calls that need input, so that nonsense can never be a right one. */
const paths = ['promote', 'cancel', 'maintenance/on', 'maintenance/off', 'history/series', 'history/beats'];

async function stillWell(): Promise<void> {
  expect((await under.client.snapshot()).pair.name).toBe('head-office');
  expect(under.faults).toEqual([]);
}

describe('H3 fuzzed bodies of calls: 4xx, never a crash', () => {
  test('H3 bytes that are no JSON', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        async (path, bytes) => {
          fc.pre(![0x7b, 0x20, 0x09, 0x0a, 0x0d].includes(bytes[0] ?? 0));
          expect((await call(under.running.port, path, Buffer.from(bytes))).status).toBe(400);
        },
      ),
      { numRuns: 100 },
    );
    await stillWell();
  });

  test('H3 JSON of any shape in the place of input and of its type notes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('maintenance/on', 'history/series', 'history/beats'),
        fc.jsonValue(),
        fc.oneof(fc.jsonValue(), fc.array(fc.array(fc.oneof(fc.integer(), fc.string())))),
        async (path, json, meta) => {
          const answer = await call(under.running.port, path, JSON.stringify({ json, meta }));
          expect(answer.status).toBe(400);
        },
      ),
      { numRuns: 150 },
    );
    await stillWell();
  });

  test.each([
    '',
    '{}',
    '[]',
    'null',
    '"x"',
    '{"json":',
    '{"json":{"__proto__":{"polluted":1}},"meta":[[0,"__proto__","polluted"]]}',
    '{"json":{"by":"x"},"meta":[[1,"constructor","prototype","polluted"]]}',
    '{"json":{"by":"x","forMs":1e999}}',
    `{"json":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    `{"json":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    '\u0000',
    '\ufeff{"json":{}}',
  ])('H3 %j', async (body) => {
    expect((await call(under.running.port, 'maintenance/on', body)).status).toBe(400);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    await stillWell();
  });

  test.each(['nothing', 'promote/x', '__proto__', 'constructor', 'maintenance', '%2e%2e/promote', '', '/promote', '%'])(
    'H3 a call that is not there: /rpc/%s',
    async (path) => {
      const answer = await call(under.running.port, path, '{"json":{"by":"x"}}');
      expect(answer.status).toBe(404);
      await stillWell();
      expect(under.desk.asked).toEqual([]);
    },
  );
});
