/**
 * From what estepe.yaml says of a script to an absolute path inside the scripts folder. By the letters of the path
 * only: what really lies there is vetted by the port `Files`.
 */
import { posix, win32 } from 'node:path';

export type ResolvedScript = { argv: readonly [string, ...string[]] } | { refused: string };

/** Whether `path` lies below `folder`, by its letters. */
export function isInside(folder: string, path: string, platform: NodeJS.Platform = process.platform): boolean {
  const rules = platform === 'win32' ? win32 : posix;
  const way = rules.relative(rules.resolve(folder), rules.resolve(path));
  return way !== '' && way !== '..' && !way.startsWith(`..${rules.sep}`) && !rules.isAbsolute(way);
}

/**
 * The argv of a script with an absolute path, or why it is refused, as a sentence.
 * @param script a file name (spaces and all, never split into words), or an argv whose first word is one; a path below
 *   the scripts folder, relative to it or absolute, is a name too
 */
export function resolveScript(
  scriptsFolder: string,
  script: string | readonly string[],
  platform: NodeJS.Platform = process.platform,
): ResolvedScript {
  const rules = platform === 'win32' ? win32 : posix;
  const [name, ...args] = typeof script === 'string' ? [script] : script;
  if (name === undefined || name.trim() === '') return { refused: 'no script is named' };
  if ([name, ...args].some((word) => word.includes('\0'))) {
    return { refused: 'a script name or argument holds a NUL character' };
  }
  // A colon after the drive names a stream inside a file ("x.cmd:y"), or a folder of another drive ("d:x").
  if (platform === 'win32' && name.replace(/^[a-z]:[\\/]/i, '').includes(':')) {
    return { refused: `"${name}" holds a colon, which is no part of a file name` };
  }
  const path = rules.resolve(scriptsFolder, name);
  if (!isInside(scriptsFolder, path, platform)) {
    return { refused: `"${name}" leads outside the scripts folder ${scriptsFolder}` };
  }
  return { argv: [path, ...args] };
}
