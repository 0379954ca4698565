/** Versions of a PBX, such as `18.0.9.20`, held against each other. Pure. */

/** Numbers between dots, at least two; a name before and a package's revision behind are cut off. */
const pattern = /(\d+(?:\.\d+)+)/;

/** The version in what a program said (`3CX 18.0.9.20-1`), or null when there is none. */
export function versionIn(text: string): string | null {
  return pattern.exec(text)?.[1] ?? null;
}

/**
 * Below 0 when `a` is older than `b`, 0 when equal, above 0 when newer. By numbers, a missing one counts as 0:
 * `18.0.9` = `18.0.9.0` < `18.0.9.20` < `18.0.10`. Null where either is no version.
 */
export function compareVersions(a: string, b: string): number | null {
  const [one, other] = [versionIn(a), versionIn(b)];
  if (one === null || other === null) return null;
  const [left, right] = [one.split('.'), other.split('.')];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = BigInt(left[i] ?? 0) - BigInt(right[i] ?? 0);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}
