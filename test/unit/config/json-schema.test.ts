import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import { configJsonSchema, type SchemaNode } from '../../../src-main/config/json-schema.ts';
import { minimal, site } from './texts.ts';

/** The published text alone decides: read back into a validator that knows nothing of ours. */
const published = z.fromJSONSchema(
  JSON.parse(JSON.stringify(configJsonSchema())) as Parameters<typeof z.fromJSONSchema>[0],
);
const accepts = (text: string) => published.safeParse(parse(text)).success;

/** Every node of the schema with its place. */
function* walk(node: SchemaNode, path: string): Generator<[string, SchemaNode]> {
  yield [path, node];
  for (const [key, child] of Object.entries(node.properties ?? {})) yield* walk(child, `${path}.${key}`);
  for (const branch of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) yield* walk(branch, path);
  if (node.items) yield* walk(node.items, `${path}[]`);
}
const nodes = [...walk(configJsonSchema() as SchemaNode, '')];

describe('the published JSON schema', () => {
  it.each([
    ['a whole file', site],
    ['the least', minimal],
    ['the printed example', EXAMPLE_YAML],
  ])('accepts %s', (_, text) => {
    expect(accepts(text)).toBe(true);
  });

  it.each([
    ['an unknown key', site.replace('interval:', 'intervall:')],
    ['a duration without unit', site.replace('30s', '30')],
    ['a duration in words', site.replace('30s', 'half a minute')],
    ['port 65536', site.replace('5060', '65536')],
    ['a wrong word', site.replace('failWhen: all', 'failWhen: some')],
    ['a wrong kind of location', site.replace('kind: sftp', 'kind: gopher')],
    ['a missing key', site.replace('role: passive\n', '')],
  ])('refuses %s', (_, text) => {
    expect(text).not.toBe(site);
    expect(accepts(text)).toBe(false);
  });

  it('is draft 2020-12 and closed everywhere', () => {
    expect(configJsonSchema().$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    const open = nodes.filter(
      ([, node]) => node.type === 'object' && Reflect.get(node, 'additionalProperties') !== false,
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it('describes every key', () => {
    const silent = nodes.filter(([path, node]) => /\.\w+$/.test(path) && !node.description && node.const === undefined);
    expect(silent.map(([path]) => path)).toEqual([]);
    expect(nodes.length).toBeGreaterThan(100);
  });

  it('holds nothing but the words of JSON schema', () => {
    expect(JSON.stringify(configJsonSchema())).not.toMatch(/"(?:noun|allowed|hide)":/);
  });

  it('writes durations as text with a pattern', () => {
    const interval = nodes.find(([path]) => path === '.heartbeat.interval')?.[1];
    expect(interval).toMatchObject({ type: 'string', pattern: expect.stringContaining('ms|s|m|h|d') });
  });
});
