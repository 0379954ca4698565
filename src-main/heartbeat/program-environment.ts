/**
 * The environment that a program started by a test gets: what programs need to run at all, and nothing else of ours, so
 * that no secret leaks into a script.
 */
const kept = [
  'PATH',
  'Path',
  'PATHEXT',
  'SystemRoot',
  'SYSTEMROOT',
  'ComSpec',
  'TEMP',
  'TMP',
  'TMPDIR',
  'HOME',
  'USERPROFILE',
  'TZ',
];

export function programEnvironment(): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of kept) {
    const value = process.env[name];
    if (value !== undefined) out[name] = value;
  }
  return out;
}
