/**
 * Finds the word that was probably meant. Must not know what the words are for.
 */

/** Edit distance in which two neighbours exchanged count as one slip (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');

/** The known word nearest to `text`, or null when none is near: at most a third of its letters (and 3) differ. */
export function nearest(text: string, known: readonly string[]): string | null {
  if (text.length === 0 || text.length > 60) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const far = distance(plain(text), plain(word));
    if (far < least && far <= Math.min(3, Math.ceil(word.length / 3))) {
      least = far;
      best = word;
    }
  }
  return best;
}
