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

/**
 * Keys that stand twice in one group, with the path of the group's second entry left out: only name and place. Linear,
 * where the parser's own check grows with the square of the keys (9,000 keys took 1.4 s).
 */
export function doubledKeys(document: Document, lines: LineCounter): { key: string; place: Place; first: Place }[] {
  const doubled: { key: string; place: Place; first: Place }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        const text = keyText(key);
        const at = startOf(key) ?? 0;
        const before = seen.get(text);
        if (before === undefined) seen.set(text, at);
        else doubled.push({ key: text, place: placeAt(lines, at), first: placeAt(lines, before) });
      }
    },
  });
  return doubled;
}
