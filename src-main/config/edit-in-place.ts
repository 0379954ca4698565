/**
 * Where in the text of a YAML document one entry is to be written, taken out or written anew, so that every other line stays as it
 * is, blanks before comments included. Answers null where that cannot be said simply; nothing here is sure until it is read again.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, isScalar, isSeq, type Pair, stringify, type YAMLMap, type YAMLSeq } from 'yaml';

type Path = readonly (string | number)[];

const inFlow = (value: unknown): string =>
  stringify(value, { lineWidth: 0, collectionStyle: 'flow' }).trimEnd().replaceAll(/\n\s*/g, ' ');

const keyOf = (pair: Pair): string => String(isScalar(pair.key) ? pair.key.value : pair.key);
const startOf = (pair: Pair): number | null => (isNode(pair.key) && pair.key.range ? pair.key.range[0] : null);

/** Where an entry ends: its value, or its key where nothing follows. */
function endOf(pair: Pair): number | null {
  const { key, value } = pair;
  if (isNode(value) && value.range && !(isScalar(value) && value.range[0] === value.range[1])) return value.range[1];
  return isNode(key) && key.range ? key.range[1] + 1 : null;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** The beginning of the next line; the end of the text where there is none. */
function nextLine(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end + 1;
}

/** An entry as lines of a group that stands so far in. */
const asLines = (key: string | number, value: unknown, indent: number): string =>
  stringify({ [key]: value }, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, ' '.repeat(indent));

/** The entry cut out of a group in braces, one comma with it. */
function cutFromFlow(text: string, map: YAMLMap, i: number): string | null {
  const [own, before, after] = [map.items[i], map.items[i - 1], map.items[i + 1]];
  if (own === undefined) return null;
  const [start, end] = [startOf(own), endOf(own)];
  if (start === null || end === null) return null;
  const from = before === undefined ? start : endOf(before);
  const to = before !== undefined ? end : after === undefined ? end : startOf(after);
  return from === null || to === null ? null : text.slice(0, from) + text.slice(to);
}

/** Between `key:` and what follows on its line; a comment there stays in its column as long as it can. */
function filled(text: string, at: number, value: unknown): string | null {
  const colon = text.lastIndexOf(':', at - 1) + 1;
  const gap = text.slice(colon, at);
  if (colon === 0 || gap.trim() !== '') return null;
  const written = ` ${inFlow(value)}`;
  const commented = text[at] === '#';
  return text.slice(0, colon) + (commented ? `${written} `.padEnd(gap.length) : written) + text.slice(at);
}

function added(text: string, map: YAMLMap, key: string | number, value: unknown, isRoot: boolean): string | null {
  const last = map.items.at(-1);
  if (map.flow) {
    const at = last === undefined ? (map.range?.[0] ?? -1) + 1 : endOf(last);
    if (at === null || at === 0) return null;
    const entry = inFlow({ [key]: value }).slice(2, -2);
    return text.slice(0, at) + (last === undefined ? ` ${entry} ` : `, ${entry}`) + text.slice(at);
  }
  const [first] = map.items;
  const start = first === undefined ? null : startOf(first);
  const end = last === undefined ? null : endOf(last);
  if (start === null || end === null) return null;
  const lines = asLines(key, value, start - lineStart(text, start));
  // A new section stands at the end: what is only a comment behind the last one belongs to that.
  if (isRoot) return `${text.trimEnd()}\n\n${lines}`;
  const at = nextLine(text, end);
  const broken = at === text.length && !text.endsWith('\n') ? '\n' : '';
  return text.slice(0, at) + broken + lines + text.slice(at);
}

/** The only one becomes the first of a list: its lines are moved to the right, what is new follows them. */
function listed(text: string, pair: Pair, value: unknown, document: Document): string | null {
  const { value: old } = pair;
  if (!Array.isArray(value) || !isMap(old) || !old.range || old.items.length === 0) return null;
  const [first, ...more] = value as unknown[];
  if (!isDeepStrictEqual(first, old.toJS(document))) return null;
  const [start, end] = old.range;
  if (old.flow) {
    const others = more.map((one) => `, ${inFlow(one)}`).join('');
    return `${text.slice(0, start)}[ ${text.slice(start, end)}${others} ]${text.slice(end)}`;
  }
  const from = lineStart(text, start);
  const to = nextLine(text, end);
  const indent = start - from;
  const moved = text
    .slice(start, to)
    .split('\n')
    .map((line, i) => (i === 0 || line === '' ? line : `  ${line}`))
    .join('\n');
  const broken = moved.endsWith('\n') ? '' : '\n';
  return `${text.slice(0, start)}- ${moved}${broken}${asItems(more, indent)}${text.slice(to)}`;
}

/** A list in lines written anew: each item that stays keeps its lines, one that is exchanged keeps the comment beside it. */
function relisted(text: string, { value: old }: Pair, value: unknown, document: Document): string | null {
  if (!Array.isArray(value) || value.length === 0 || !isSeq(old) || old.flow) return null;
  const places = old.items.map((_, i) => itemLines(text, old, i));
  const [first] = places;
  const last = places.at(-1);
  if (!first || !last || !places.every((place) => place !== null)) return null;
  // what stands between two items belongs to the second one
  const chunks = places.map(({ from, to }, i) => text.slice(places[i - 1]?.to ?? from, to).replace(/\n?$/, '\n'));
  const said: unknown[] = old.toJS(document) as unknown[];
  const wanted: unknown[] = value;
  const stays = wanted.map((one) => said.findIndex((other) => isDeepStrictEqual(one, other)));
  const lines = wanted.map((one, i) => {
    const same = stays[i] ?? -1;
    if (same !== -1) return chunks[same] ?? '';
    const item: unknown = old.items[i];
    const exchanged = isScalar(item) && item.range && !stays.includes(i) && typeof one !== 'object' ? item.range : null;
    const from = places[i - 1]?.to ?? first.from;
    if (exchanged === null) return asItems([one], first.dash - first.from);
    return `${text.slice(from, exchanged[0])}${inFlow(one)}${text.slice(exchanged[1], places[i]?.to).replace(/\n?$/, '\n')}`;
  });
  return text.slice(0, first.from) + lines.join('') + text.slice(last.to);
}

/** Items of a list, as lines that stand so far in. */
const asItems = (items: readonly unknown[], indent: number): string =>
  items.length === 0 ? '' : stringify(items, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, ' '.repeat(indent));

/** Where an item of a list in lines begins (its dash) and ends (with its last line). */
function itemLines(text: string, list: YAMLSeq, i: number): { dash: number; from: number; to: number } | null {
  const item: unknown = list.items[i];
  if (!isNode(item) || !item.range) return null;
  const [start, end] = item.range;
  const dash = text.lastIndexOf('-', start - 1);
  const from = lineStart(text, dash);
  const alone = dash !== -1 && text.slice(from, dash).trim() === '' && text.slice(dash + 1, start).trim() === '';
  return alone ? { dash, from, to: nextLine(text, end) } : null;
}

/** An item of a list added at its end, written anew, or taken out. */
function inList(text: string, list: YAMLSeq, i: number, value: unknown): string | null {
  const last = list.items.length - 1;
  const item: unknown = list.items[i];
  if (list.flow) {
    const after: unknown = list.items[last];
    if (i === last + 1 && value !== undefined && isNode(after) && after.range) {
      const end = after.range[1];
      return `${text.slice(0, end)}, ${inFlow(value)}${text.slice(end)}`;
    }
    if (!isNode(item) || !item.range || value === undefined) return null;
    return text.slice(0, item.range[0]) + inFlow(value) + text.slice(item.range[1]);
  }
  const place = itemLines(text, list, Math.min(i, last));
  if (place === null || i > last + 1) return null;
  const { dash, from, to } = place;
  const lines = value === undefined ? '' : asItems([value], dash - from);
  if (i <= last) return value === undefined && last === 0 ? null : text.slice(0, from) + lines + text.slice(to);
  const broken = to === text.length && !text.endsWith('\n') ? '\n' : '';
  return text.slice(0, to) + broken + lines + text.slice(to);
}

function written(text: string, map: YAMLMap, i: number, key: string | number, value: unknown): string | null {
  const pair = map.items[i];
  if (pair === undefined) return null;
  const { value: old } = pair;
  if (isScalar(old) && old.range && old.range[0] === old.range[1]) return filled(text, old.range[0], value);
  if (map.flow || ((isMap(old) || isSeq(old)) && old.flow)) {
    if (!isNode(old) || !old.range) return null;
    return text.slice(0, old.range[0]) + inFlow(value) + text.slice(old.range[1]);
  }
  const [start, end] = [startOf(pair), endOf(pair)];
  if (start === null || end === null) return null;
  const from = lineStart(text, start);
  if (text.slice(from, start).trim() !== '') return null;
  return text.slice(0, from) + asLines(key, value, start - from) + text.slice(nextLine(text, end));
}

function cut(text: string, map: YAMLMap, i: number): string | null {
  const pair = map.items[i];
  // the last one of a group leaves an empty one behind, which is written otherwise
  if (pair === undefined || map.items.length === 1) return null;
  if (map.flow) return cutFromFlow(text, map, i);
  const [start, end] = [startOf(pair), endOf(pair)];
  if (start === null || end === null) return null;
  const from = lineStart(text, start);
  if (text.slice(from, start).trim() !== '') return null;
  return text.slice(0, from) + text.slice(nextLine(text, end));
}

/**
 * The text with the entry at `path` set, or taken out where `value` is undefined. Groups on the way are made.
 * @param document what the text was read to
 */
export function setInPlace(text: string, document: Document, path: Path, value: unknown): string | null {
  const result = placed(text, document, document.contents, path, value);
  return result === null || !text.includes('\r\n') ? result : result.replaceAll(/\r?\n/g, '\r\n');
}

function placed(text: string, document: Document, group: unknown, path: Path, value: unknown): string | null {
  const [key, ...rest] = path;
  if (key === undefined) return null;
  if (isSeq(group) && typeof key === 'number') {
    return rest.length === 0 ? inList(text, group, key, value) : placed(text, document, group.items[key], rest, value);
  }
  if (!isMap(group)) return null;
  const i = group.items.findIndex((item) => keyOf(item) === String(key));
  const pair = group.items[i];
  const isGroup = isMap(pair?.value) || isSeq(pair?.value);
  if (rest.length > 0 && isGroup) return placed(text, document, pair?.value, rest, value);
  if (value === undefined) return pair === undefined ? text : rest.length > 0 ? null : cut(text, group, i);
  const inner = rest.reduceRight<unknown>((held, name) => ({ [name]: held }), value);
  if (pair === undefined) return added(text, group, key, inner, group === document.contents);
  return (
    listed(text, pair, inner, document) ?? relisted(text, pair, inner, document) ?? written(text, group, i, key, inner)
  );
}
