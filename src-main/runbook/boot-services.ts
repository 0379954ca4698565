/**
 * Whether the PBX starts with the machine: a node that is not active must not start it, the active one must. What was there before
 * is kept per service, and put back. Part of the steps that stop and start the services.
 */
import { sentenceOf } from '../contract/errors.ts';
import type { Proc, Store } from '../engine/ports.ts';
import { type BootStart, type ServiceState, serviceStates } from './service-states.ts';
import { powershell, quoted, spoken } from './services.ts';

export interface BootPlan {
  /** names or patterns; none: nothing is set by name */
  names: readonly string[];
  /** the site's own commands instead */
  on: readonly (readonly string[])[];
  off: readonly (readonly string[])[];
  platform: NodeJS.Platform;
}

export interface BootParts {
  proc: Proc;
  store: Pick<Store, 'remember' | 'recall'>;
}

export interface BootRun {
  cwd: string;
  timeoutMs: number;
  runToken: string;
  signal: AbortSignal;
}

export interface BootEnd {
  /** what was done, for the step's sentence; empty where there was nothing to do */
  sentence: string;
  /** what could not be set, each a sentence */
  faults: string[];
  output: string;
}

/** Name of the remembered fact: how each service started with the machine before Estepe set it. */
export const bootBeforeKey = 'bootBefore';
type Before = Record<string, 'automatic' | 'delayed'>;

export interface BootChange {
  name: string;
  to: 'automatic' | 'delayed' | 'manual';
}

const startsByItself = (boot: BootStart): boot is 'automatic' | 'delayed' => boot === 'automatic' || boot === 'delayed';

/** What has to be set. Pure. What is disabled was meant so, and what is started by others only has nothing to set. */
export function bootChanges(services: readonly ServiceState[], wanted: 'on' | 'off', before: Before): BootChange[] {
  if (wanted === 'off')
    return services.filter(({ boot }) => startsByItself(boot)).map(({ name }) => ({ name, to: 'manual' }));
  // With a memory of them, only what started by itself before does so again; without one, all of it.
  const known = Object.keys(before).length > 0;
  return services
    .filter(({ name, boot }) => boot === 'manual' && (!known || before[name] !== undefined))
    .map(({ name }) => ({ name, to: before[name] ?? 'automatic' }));
}

/** The command line for one change. */
export function bootCommand({ name, to }: BootChange, platform: NodeJS.Platform): readonly string[] {
  if (platform !== 'win32') return ['systemctl', to === 'manual' ? 'disable' : 'enable', name];
  if (to !== 'delayed')
    return powershell(`Set-Service -Name ${quoted(name)} -StartupType ${to === 'manual' ? 'Manual' : 'Automatic'}`);
  // Set-Service of Windows PowerShell 5.1 knows no delayed start; sc.exe wants the blank after `start=`.
  return powershell(`sc.exe config ${quoted(name)} start= delayed-auto; if ($LASTEXITCODE) { exit 1 }`);
}

/**
 * Sets the start with the machine on or off, and looks whether that holds. Never rejects. What could not be set is said and does
 * not stop what goes on: a PBX that is stopped or started is worth more than how it boots.
 */
export async function setBoot(parts: BootParts, plan: BootPlan, wanted: 'on' | 'off', run: BootRun): Promise<BootEnd> {
  const own = plan[wanted];
  if (own.length > 0) return ownCommands(parts, own, wanted, run);
  if (plan.names.length === 0 || plan.on.length + plan.off.length > 0) return { sentence: '', faults: [], output: '' };
  const ask = () => serviceStates(parts.proc, { ...run, names: plan.names, platform: plan.platform });
  const { services, faults } = await ask();
  const before = (parts.store.recall(bootBeforeKey) ?? {}) as Before;
  const changes = bootChanges(services, wanted, before);
  if (changes.length === 0) return { sentence: '', faults, output: '' };
  // Before it is changed: a crash in between must not forget how it was.
  if (wanted === 'off') {
    const now = services.flatMap(({ name, boot }) => (startsByItself(boot) ? [[name, boot] as const] : []));
    try {
      parts.store.remember(bootBeforeKey, { ...before, ...Object.fromEntries(now) });
    } catch (error) {
      const why = `how they started with the machine cannot be written down (${sentenceOf(error)}), so it was left as it is`;
      return { sentence: '', faults: [...faults, why], output: '' };
    }
  }
  let output = '';
  for (const change of changes) {
    const argv = bootCommand(change, plan.platform);
    const { end, output: said } = await parts.proc.run({ ...run, argv, env: {} });
    output += said;
    if (end.how !== 'exit' || end.code !== 0) faults.push(`\`${spoken(argv)}\` failed`);
  }
  const left = new Map((await ask()).services.map(({ name, boot }) => [name, boot]));
  const not = changes.filter(({ name, to }) => (to === 'manual') === startsByItself(left.get(name) ?? 'unknown'));
  const set = changes.filter((change) => !not.includes(change));
  for (const { name } of not)
    faults.push(`${name} ${wanted === 'off' ? 'still starts' : 'does not start'} with the machine`);
  const how = wanted === 'off' ? 'do not start with the machine any more' : 'start with the machine';
  const sentence = set.length === 0 ? '' : `${set.map(({ name }) => name).join(', ')} ${how}`;
  return { sentence, faults, output };
}

async function ownCommands(
  { proc }: BootParts,
  commands: readonly (readonly string[])[],
  wanted: 'on' | 'off',
  run: BootRun,
): Promise<BootEnd> {
  let output = '';
  for (const argv of commands) {
    const { end, output: said } = await proc.run({ ...run, argv, env: {} });
    output += said;
    if (end.how !== 'exit' || end.code !== 0)
      return { sentence: '', faults: [`\`${spoken(argv)}\` (services.boot.${wanted}) failed`], output };
  }
  return { sentence: `services.boot.${wanted} done`, faults: [], output };
}
