/**
 * The JSON schema of estepe.yaml (draft 2020-12), for editors and for `estepe config schema`; the same tree tells
 * problem sentences which keys are known and what is allowed. Must not know files or YAML.
 */
import { z } from 'zod';
import type { Wording } from './scalars.ts';
import { configSchema } from './schema.ts';

/** The part of a JSON schema that is read here. */
export interface SchemaNode extends Partial<Wording> {
  type?: string;
  description?: string;
  properties?: Record<string, SchemaNode> & { kind?: SchemaNode };
  items?: SchemaNode | false;
  prefixItems?: SchemaNode[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
}

const words = ['noun', 'allowed', 'hide'] as const;

/** What is known of every key: the schema with the words that sentences are made of. */
export const wordedSchema = z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;

/**
 * The schema to publish: what may be written, with durations as strings, a description on every key, no key but the
 * known ones. What keys say about each other is not in it; `estepe config check` tells that.
 */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      for (const name of words) delete (jsonSchema as Record<string, unknown>)[name];
    },
  });
  return { title: 'estepe.yaml', ...schema };
}

/** The branches of a node that a value may have meant: of a union by `kind`, only the one with that kind. */
function branches(node: SchemaNode, value: unknown): SchemaNode[] {
  // a union may stand within a union: one record, or a list of them
  const all = (node.anyOf ?? node.oneOf)?.flatMap((branch) => branches(branch, value));
  if (!all) return [node];
  const kind = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  const same = all.filter(({ properties }) => properties?.kind?.const === kind);
  return same.length > 0 && kind !== undefined ? same : all;
}

function childOf(node: SchemaNode, key: string | number): SchemaNode | undefined {
  if (typeof key === 'number') return node.prefixItems?.[key] ?? (node.items || undefined);
  return node.properties && Object.hasOwn(node.properties, key) ? node.properties[key] : undefined;
}

/** Every schema node that may stand at `path` in `value`; empty when the path is not known. */
export function nodesAt(value: unknown, path: readonly (string | number)[]): SchemaNode[] {
  let nodes = [wordedSchema];
  let here = value;
  for (const key of path) {
    nodes = nodes.flatMap((node) => branches(node, here)).flatMap((node) => childOf(node, key) ?? []);
    here = typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined;
  }
  return nodes;
}

/** Keys that may stand in the group at `path`. */
export function keysAt(value: unknown, path: readonly (string | number)[]): string[] {
  let here = value;
  for (const key of path) here = typeof here === 'object' && here !== null ? Reflect.get(here, key) : undefined;
  return [
    ...new Set(
      nodesAt(value, path)
        .flatMap((node) => branches(node, here))
        .flatMap((node) => Object.keys(node.properties ?? {})),
    ),
  ];
}
