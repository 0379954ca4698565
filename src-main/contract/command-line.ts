/**
 * A command as one types it, on one line: words between blanks; what holds blanks or `"` stands in `"…"`, in which `""` is one `"`. A
 * backslash is only itself, since it stands in every path of Windows. No shell reads it. Pure.
 */

/** The words of a line; a quote that is not closed goes to its end. */
export function wordsOf(line: string): string[] {
  const found = line.matchAll(/(?:[^\s"]|"(?:[^"]|"")*(?:"|$))+/g);
  return [...found].map(([word]) =>
    word.replaceAll(/"((?:[^"]|"")*)(?:"|$)/g, (_, inner: string) => inner.replaceAll('""', '"')),
  );
}

/** The line that has these words; null where no line can show them. */
export function lineOf(words: unknown): string | null {
  if (!Array.isArray(words) || !words.every((word) => typeof word === 'string' && !/[\r\n]/.test(word))) return null;
  return words
    .map((word: string) => (word === '' || /[\s"]/.test(word) ? `"${word.replaceAll('"', '""')}"` : word))
    .join(' ');
}
