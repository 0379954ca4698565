/** Which names and links an archive may hold, so that nothing it restores lands outside its folders. Pure. */

const reservedOnWindows = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/**
 * Why this relative path may not be in an archive, in a few words, or null.
 * @param platform where it is to be written: Windows takes fewer names
 */
export function pathTrouble(path: string, platform: NodeJS.Platform): string | null {
  if (path === '' || Buffer.byteLength(path) > 4096) return 'is empty or too long';
  if (path.includes('\\')) return 'holds a backslash';
  // U+FFFD stands where a name is no UTF-8: the real one is lost.
  if (/\p{Cc}|\uFFFD/u.test(path)) return 'holds a control character or is not UTF-8';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'leads outside or is not plain';
    if (platform !== 'win32') continue;
    if (/[<>:"|?*]/.test(part) || /[. ]$/.test(part) || reservedOnWindows.test(part)) return 'is no name on Windows';
  }
  return null;
}

/**
 * Why this link may not be in an archive, or null. Only `../` at the beginning may climb, and not above the root:
 * `a/../b` may lead anywhere when `a` is a link itself.
 * @param path of the link, its first part is the root
 */
export function linkTrouble(path: string, target: string): string | null {
  if (target === '' || Buffer.byteLength(target) > 4096 || /\p{Cc}|\uFFFD|\\/u.test(target))
    return 'has no plain target';
  if (target.startsWith('/') || /^[A-Za-z]:/.test(target)) return 'has an absolute target';
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const climbs = parts.findIndex((part) => part !== '..');
  const up = climbs === -1 ? parts.length : climbs;
  if (parts.slice(up).includes('..')) return 'climbs in the middle of its target';
  // "root/a/link": one folder below the root, so it may climb once.
  if (up > path.split('/').length - 2) return 'leads outside its folder';
  return null;
}
