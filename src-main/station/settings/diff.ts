/** What lies between two texts, line by line, as people read it. Pure. */
import type { DiffLine } from '../../contract/settings.ts';

/** Lines around a change that are shown with it. */
const around = 2;
/** More pairs of lines than this are not compared: two texts with so little in common are shown one after the other. */
const mostPairs = 4_000_000;

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/));

/** How many lines two tails have in common at most, for each pair of beginnings (longest common subsequence). */
function commonTails(old: readonly string[], now: readonly string[]): (i: number, j: number) => number {
  const width = now.length + 1;
  const table = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      table[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

function middle(old: readonly string[], now: readonly string[]): DiffLine[] {
  const gone = (text: string): DiffLine => ({ kind: 'gone', text });
  const fresh = (text: string): DiffLine => ({ kind: 'new', text });
  if (old.length * now.length > mostPairs) return [...old.map(gone), ...now.map(fresh)];
  const common = commonTails(old, now);
  const lines: DiffLine[] = [];
  let j = 0;
  for (const [i, was] of old.entries()) {
    while (j < now.length && now[j] !== was && common(i, j + 1) > common(i + 1, j)) lines.push(fresh(now[j++] ?? ''));
    if (now[j] === was) {
      lines.push({ kind: 'same', text: was });
      j++;
    } else lines.push(gone(was));
  }
  return [...lines, ...now.slice(j).map(fresh)];
}

/** Changed lines with a little around them; empty where the texts say the same. */
export function diffOf(before: string, after: string): DiffLine[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  const room = Math.min(old.length, now.length) - head;
  while (tail < room && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  const all = [
    ...old.slice(0, head).map(same),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...old.slice(old.length - tail).map(same),
  ];
  if (all.every(({ kind }) => kind === 'same')) return [];
  const shown = new Set<number>();
  for (const [i, { kind }] of all.entries()) {
    if (kind === 'same') continue;
    for (let near = i - around; near <= i + around; near++) shown.add(near);
  }
  return all.flatMap((line, i): DiffLine[] => {
    if (shown.has(i)) return [line];
    return i === 0 || shown.has(i - 1) ? [{ kind: 'skip', text: '' }] : [];
  });
}
