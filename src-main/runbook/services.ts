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

const quoted = (name: string): string => `'${name.replaceAll("'", "''")}'`;
const powershell = (script: string): readonly string[] => [
  'powershell.exe',
  '-NoProfile',
  '-NonInteractive',
  '-Command',
  `$ErrorActionPreference='Stop'; ${script}`,
];

function windows(names: readonly string[]): ServiceCommands {
  const list = names.map(quoted).join(',');
  return {
    start: names.map((n) => powershell(`Get-Service -Name ${quoted(n)} | Start-Service`)),
    query: [powershell(`if (@(Get-Service -Name ${list} | Where-Object Status -ne 'Running').Count) { exit 1 }`)],
    stop: [...names].reverse().map((n) => powershell(`Get-Service -Name ${quoted(n)} | Stop-Service -Force`)),
  };
}

function systemd(names: readonly string[]): ServiceCommands {
  // systemctl expands patterns over loaded units only, so `start` of a pattern takes `--all`.
  const start = (n: string): readonly string[] =>
    n.includes('*') ? ['systemctl', 'start', '--all', n] : ['systemctl', 'start', n];
  return {
    start: names.map(start),
    query: names.length === 0 ? [] : [['systemctl', 'is-active', '--quiet', ...names]],
    stop: [...names].reverse().map((n) => ['systemctl', 'stop', n]),
  };
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
