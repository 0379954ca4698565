/**
 * Start, query and stop of the PBX here as command lines: those the site wrote, or the system's own for service names.
 * Data only; nothing is run here.
 */

export interface ServicesPlan {
  /** names or patterns (`3CX*`) of the machine's services, in start order */
  names: readonly string[];
  start: readonly (readonly string[])[];
  query: readonly (readonly string[])[];
  stop: readonly (readonly string[])[];
}

export interface ServiceCommands {
  start: readonly (readonly string[])[];
  /** exit 0 of every one: all of them run */
  query: readonly (readonly string[])[];
  stop: readonly (readonly string[])[];
}

/** A text as PowerShell takes it, whatever is in it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const strict = "$ErrorActionPreference='Stop'; ";
/** A script of ours for Windows PowerShell; its first error ends it with 1. */
export const powershell = (script: string): readonly string[] => [
  'powershell.exe',
  '-NoProfile',
  '-NonInteractive',
  '-Command',
  strict + script,
];

function windows(names: readonly string[]): ServiceCommands {
  // A pattern that fits no service is no error to Get-Service: nothing would be started, and all of nothing runs.
  const found = (n: string): string =>
    `$s = @(Get-Service -Name ${quoted(n)}); if (-not $s.Count) { throw ${quoted(`no service is named ${n}`)} }; `;
  const running = "if (@($s | Where-Object Status -ne 'Running').Count) { exit 1 }";
  return {
    start: names.map((n) => powershell(`${found(n)}$s | Start-Service`)),
    query: names.map((n) => powershell(found(n) + running)),
    stop: [...names].reverse().map((n) => powershell(`Get-Service -Name ${quoted(n)} | Stop-Service -Force`)),
  };
}

/** `$0` says in words what is done, `$1` is the pattern: it is an argument of the script and never part of it. */
const overUnits = (words: string, pattern: string, each: string): readonly string[] => [
  'sh',
  '-c',
  'units=$(systemctl list-unit-files --type=service --no-legend --plain -- "$1" "$1.service" | cut -d " " -f 1 | grep -v "@[.]service$"); ' +
    `[ -n "$units" ] || { echo "no service is named $1" >&2; exit 1; }; ${each}`,
  words,
  pattern,
];

function systemd(names: readonly string[]): ServiceCommands {
  const pattern = (n: string): boolean => n.includes('*');
  // systemctl expands a pattern over the units in memory only, which what is stopped and not enabled is not.
  const start = (n: string): readonly string[] =>
    pattern(n) ? overUnits('systemctl start', n, 'systemctl start $units') : ['systemctl', 'start', n];
  // Of several units, `is-active` asks whether one runs (systemctl(1)): so each is asked by itself.
  const query = (n: string): readonly string[] =>
    pattern(n)
      ? overUnits('systemctl is-active', n, 'for u in $units; do systemctl is-active --quiet "$u" || exit 1; done')
      : ['systemctl', 'is-active', '--quiet', n];
  return {
    start: names.map(start),
    query: names.map(query),
    stop: [...names].reverse().map((n) => ['systemctl', 'stop', n]),
  };
}

/** A command line as sentences name it: what was written by us for a shell is not shown in full. */
export function spoken(argv: readonly string[]): string {
  if (argv[0] === 'sh' && argv[1] === '-c') return argv.slice(3).join(' ');
  return argv[0] === 'powershell.exe' && argv[4]?.startsWith(strict) ? argv[4].slice(strict.length) : argv.join(' ');
}

/** The site's own commands first, then what the names come to on this platform. */
export function serviceCommands(plan: ServicesPlan, platform: NodeJS.Platform): ServiceCommands {
  const named = platform === 'win32' ? windows(plan.names) : systemd(plan.names);
  const byName = plan.names.length > 0;
  return {
    start: [...plan.start, ...(byName ? named.start : [])],
    query: [...plan.query, ...(byName ? named.query : [])],
    stop: [...plan.stop, ...(byName ? named.stop : [])],
  };
}
