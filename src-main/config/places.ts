/**
 * Where keys stand in a parsed YAML document: line and column of a path, and keys that stand twice. Must not know
 * which keys a configuration has.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, visit } from 'yaml';

/** Counted from 1. */
export interface Place {
  line: number;
  column: number;
}

type Key = string | number;

/** Line and column of an offset in the text. */
export function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

const keyText = (key: unknown) => String(isScalar(key) ? key.value : key);

/** The offset at which a node begins; none for `key:` with nothing after it. */
function startOf(node: unknown): number | undefined {
  if (!isNode(node) || !node.range) return undefined;
  const empty = isScalar(node) && node.range[0] === node.range[1];
  return empty ? undefined : node.range[0];
}

/** One step down: the entry's key and value offsets, and its node. */
function stepInto(document: Document, parent: unknown, key: Key) {
  const group = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(group)) {
    const node: unknown = group.items[Number(key)];
    return node === undefined ? null : { node, keyAt: startOf(node), valueAt: startOf(node) };
  }
  if (!isMap(group)) return null;
  const entry = group.items.find((item) => keyText(item.key) === String(key));
  return entry ? { node: entry.value as unknown, keyAt: startOf(entry.key), valueAt: startOf(entry.value) } : null;
}

/**
 * Where `path` stands, as its key or as its value; for what is missing, the nearest group above it that is written.
 */
export function placeOf(document: Document, lines: LineCounter, path: readonly Key[], atKey: boolean): Place {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [i, key] of path.entries()) {
    const step = stepInto(document, node, key);
    if (step === null) break;
    const wantsValue = i === path.length - 1 && !atKey;
    offset = (wantsValue ? (step.valueAt ?? step.keyAt) : step.keyAt) ?? offset;
    node = step.node;
  }
  return placeAt(lines, offset);
}

/** Something in a document that no configuration may have, where it stands. */
export type Blemish = { place: Place } & (
  | { kind: 'doubled-key'; key: string; first: Place }
  /** `*name` without `&name` before it */
  | { kind: 'lost-alias' }
  | { kind: 'too-many-aliases' }
);

/**
 * Keys that stand twice in one group, aliases to nothing, more than `maxAliases` of them. In one walk, where the
 * parser's own check for doubled keys grows with the square of their number (9,000 keys took 1.4 s).
 */
export function blemishes(document: Document, lines: LineCounter, maxAliases: number): Blemish[] {
  const found: Blemish[] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  const anchor = (node: { anchor?: string | undefined }) => {
    if (node.anchor !== undefined) anchors.add(node.anchor);
  };
  visit(document, {
    Scalar: (_, scalar) => anchor(scalar),
    Seq: (_, seq) => anchor(seq),
    Map(_, map) {
      anchor(map);
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        const text = keyText(key);
        const at = startOf(key) ?? 0;
        const before = seen.get(text);
        if (before === undefined) seen.set(text, at);
        else {
          found.push({ kind: 'doubled-key', key: text, place: placeAt(lines, at), first: placeAt(lines, before) });
        }
      }
    },
    Alias(_, alias) {
      const place = placeAt(lines, startOf(alias) ?? 0);
      if (!anchors.has(alias.source)) found.push({ kind: 'lost-alias', place });
      if (++aliases === maxAliases + 1) found.push({ kind: 'too-many-aliases', place });
    },
  });
  return found;
}
