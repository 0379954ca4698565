/**
 * The environment that a program of ours is given: what it needs to run at all, what the caller gives, and the mark of
 * its run. The engine's own environment may hold secrets and is never passed on as a whole. Pure.
 */

/** Marks every process of a run, in its environment, whatever session or group it moves to. */
export const runMark = 'ESTEPE_RUN';

const posixNeeds = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];
// Without SystemRoot, sockets and PowerShell fail; without PATHEXT, cmd.exe finds no programs.
const windowsNeeds = [
  'PATH',
  'PATHEXT',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERDOMAIN',
  'USERPROFILE',
  'COMPUTERNAME',
  'ALLUSERSPROFILE',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
  'PROGRAMW6432',
  'COMMONPROGRAMFILES',
  'APPDATA',
  'LOCALAPPDATA',
  'PSMODULEPATH',
  'NUMBER_OF_PROCESSORS',
  'PROCESSOR_ARCHITECTURE',
  'OS',
];
/** systemd starts services with a PATH, cron and bare containers may not. */
const posixPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * @param own the engine's environment, of which only the named few pass
 * @param given what the caller wants the program to see; wins over `own`
 */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, string>>,
  runToken: string,
  platform: NodeJS.Platform,
): Record<string, string> {
  // Windows' names ignore case ("Path"): compare in capitals, pass on as found, and let a given one replace it.
  const key = (name: string) => (platform === 'win32' ? name.toUpperCase() : name);
  const needs = new Set(platform === 'win32' ? windowsNeeds : posixNeeds);
  const result = new Map<string, [string, string]>();
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && needs.has(key(name))) result.set(key(name), [name, value]);
  }
  if (platform !== 'win32' && !result.has('PATH')) result.set('PATH', ['PATH', posixPath]);
  for (const [name, value] of Object.entries(given)) result.set(key(name), [name, value]);
  result.set(runMark, [runMark, runToken]);
  return Object.fromEntries(result.values());
}
