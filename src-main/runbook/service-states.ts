/**
 * What the machine says of each PBX service: does it run, and would it start at boot? One question for both, over systemd or the
 * Windows service control, by name or pattern. Changes nothing.
 */
import { inWords } from '../engine/duration.ts';
import type { Proc } from '../engine/ports.ts';
import { powershell, quoted, spoken } from './services.ts';

/**
 * Whether it starts with the machine. `delayed`: automatic, after the others. `disabled`: may not be started at all (masked,
 * Windows' Disabled): somebody meant it. `fixed`: started by others only, there is nothing to set (static, indirect, generated).
 */
export type BootStart = 'automatic' | 'delayed' | 'manual' | 'disabled' | 'fixed' | 'unknown';

export interface ServiceState {
  name: string;
  state: 'running' | 'stopped' | 'unknown';
  boot: BootStart;
}

export interface StatesAsked {
  services: ServiceState[];
  /** names and patterns that fit no service */
  missing: string[];
  /** why some or all could not be asked after, each a sentence; empty: all is known */
  faults: string[];
}

export interface StatesQuestion {
  names: readonly string[];
  platform: NodeJS.Platform;
  /** for one name or pattern, milliseconds */
  timeoutMs: number;
  cwd: string;
  runToken: string;
  signal?: AbortSignal;
}

/**
 * `unit active-state file-state` in lines. A pattern is expanded over the files: systemctl(1) expands it over what is in memory
 * only, which a stopped unit that is not enabled is not. Templates (`x@.service`) are no units.
 */
const systemdScript =
  'systemctl list-unit-files --type=service --no-legend --plain -- "$1" "$1.service" | ' +
  'while read -r u f rest; do case $u in *@.service) continue;; esac; ' +
  'a=$(systemctl is-active -- "$u" 2>/dev/null); [ -n "$a" ] || a=unknown; echo "$u $a $f"; done';

// Get-Service of Windows PowerShell 5.1 does not tell a delayed start: the registry does.
const windowsScript = (name: string): string =>
  `Get-Service -Name ${quoted(name)} | ForEach-Object { ` +
  `$d = (Get-ItemProperty -LiteralPath ('HKLM:\\SYSTEM\\CurrentControlSet\\Services\\' + $_.Name) -ErrorAction SilentlyContinue).DelayedAutostart; ` +
  `'{0}|{1}|{2}|{3}' -f $_.Name, $_.Status, $_.StartType, [int]$d }`;

/** The command line that asks after one name or pattern. */
export function stateQuery(name: string, platform: NodeJS.Platform): readonly string[] {
  if (platform === 'win32') return powershell(windowsScript(name));
  return ['sh', '-c', systemdScript, 'systemctl is-active', name];
}

/** Each service once, in the order of the names. Never rejects. */
export async function serviceStates(proc: Proc, question: StatesQuestion): Promise<StatesAsked> {
  const { names, platform, timeoutMs, cwd, runToken, signal } = question;
  const services = new Map<string, ServiceState>();
  const missing: string[] = [];
  const faults: string[] = [];
  for (const name of names) {
    const argv = stateQuery(name, platform);
    const { end, output } = await proc.run({
      ...{ argv, cwd, env: {}, timeoutMs, runToken },
      ...(signal ? { signal } : {}),
    });
    const found = end.how === 'exit' && end.code === 0 ? readStates(output, platform) : [];
    for (const service of found) if (!services.has(service.name)) services.set(service.name, service);
    if (found.length > 0) continue;
    // Windows' Get-Service fails for a name that is not there, and is content with a pattern that fits nothing.
    const none = end.how === 'exit' && (end.code === 0 || /NoServiceFoundForGivenName/.test(output));
    if (none) missing.push(name);
    else faults.push(faultOf(name, argv, end, timeoutMs, output));
  }
  return { services: [...services.values()], missing, faults };
}

type End = Awaited<ReturnType<Proc['run']>>['end'];

function faultOf(name: string, argv: readonly string[], end: End, timeoutMs: number, output: string): string {
  const line = output.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  switch (end.how) {
    case 'exit':
      return `services named ${name} could not be asked after: ${line || `\`${spoken(argv)}\` ended with ${end.code}`}`;
    case 'timeout':
      return `services named ${name} could not be asked after within ${inWords(timeoutMs)}`;
    case 'not-started':
      return `services named ${name} could not be asked after: ${end.why}`;
    default:
      return `services named ${name} could not be asked after: it was cut off`;
  }
}

/** Lines of the query; others are passed over. */
export function readStates(output: string, platform: NodeJS.Platform): ServiceState[] {
  const states: ServiceState[] = [];
  for (const line of output.split(/\r?\n/)) {
    const read = platform === 'win32' ? readWindows(line) : readSystemd(line);
    if (read) states.push(read);
  }
  return states;
}

function readSystemd(line: string): ServiceState | null {
  const [, name, active = '', file = ''] = /^(\S+\.service) (\S+) (\S+)$/.exec(line.trim()) ?? [];
  if (name === undefined) return null;
  const running = active === 'active' || active === 'reloading';
  const stopped = active === 'inactive' || active === 'failed';
  // systemctl(1), is-enabled: what each word means
  const boot: Record<string, BootStart> = {
    enabled: 'automatic',
    'enabled-runtime': 'automatic',
    disabled: 'manual',
    linked: 'manual',
    'linked-runtime': 'manual',
    masked: 'disabled',
    'masked-runtime': 'disabled',
    static: 'fixed',
    indirect: 'fixed',
    generated: 'fixed',
    transient: 'fixed',
    alias: 'fixed',
  };
  return { name, state: running ? 'running' : stopped ? 'stopped' : 'unknown', boot: boot[file] ?? 'unknown' };
}

function readWindows(line: string): ServiceState | null {
  const [, name, status = '', type = '', delayed = ''] = /^([^|]+)\|(\w+)\|(\w+)\|(\d)$/.exec(line.trim()) ?? [];
  if (name === undefined) return null;
  const boot: Record<string, BootStart> = {
    Automatic: delayed === '1' ? 'delayed' : 'automatic',
    Manual: 'manual',
    Disabled: 'disabled',
  };
  const state = status === 'Running' ? 'running' : status === 'Stopped' ? 'stopped' : 'unknown';
  return { name, state, boot: boot[type] ?? 'unknown' };
}
