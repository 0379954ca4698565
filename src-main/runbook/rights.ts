/**
 * What the account that Estepe runs under may do, looked at before it matters: services, DNS server, scripts. Asks only, and says in
 * words what is missing.
 */
import { basename } from 'node:path';
import type { CommandEnd, Files, Proc } from '../engine/ports.ts';
import { resolveScript } from './script-path.ts';

export interface Right {
  /** `account`, `services`, `dns`, `script:NAME` */
  id: string;
  ok: boolean;
  sentence: string;
  /** empty where it is well */
  todo: string;
}

export interface RightsQuestion {
  platform: NodeJS.Platform;
  /** of this process; null on Windows */
  uid: number | null;
  /** the account that the engine runs under at boot, where this process may ask in its place; absent: this process's own counts */
  account?: { name: string; as(argv: readonly string[]): readonly string[] };
  /** whether services are started by name here, through systemd or the Windows service control */
  byName: boolean;
  /** DNS server that `dnscmd` changes; null: none */
  dnscmdServer: string | null;
  /** the configured scripts, as argv */
  scripts: readonly (readonly string[])[];
  scriptsFolder: string;
  /** where the questions run; it must be there */
  cwd: string;
  timeoutMs: number;
  runToken: string;
  signal?: AbortSignal;
}

/** How a program ended, and what it said. */
export interface Said {
  end: CommandEnd;
  output: string;
}

const exitCode = ({ end }: Said): number | null => (end.how === 'exit' ? end.code : null);

/** Well-known SIDs: names and attributes are translated, these are not. */
const administrators = /\bS-1-5-32-544\b/;
/** High or System: below these the Administrators group of a token counts for refusals only (UAC). */
const elevated = /\bS-1-16-(?:12288|16384)\b/;

/** From `whoami /groups`. Pure. */
export function windowsAccount(said: Said): Right {
  const ok = exitCode(said) === 0 && administrators.test(said.output) && elevated.test(said.output);
  if (ok) return { id: 'account', ok, sentence: 'Estepe runs with the rights of an administrator.', todo: '' };
  const member = exitCode(said) === 0 && administrators.test(said.output);
  return {
    id: 'account',
    ok,
    sentence: member
      ? 'Estepe runs as an administrator, but without raised rights: services and scripts will be refused.'
      : 'Estepe does not run as an administrator: services and scripts will be refused.',
    todo: 'Run it at boot under SYSTEM or an administrator, with the highest privileges.',
  };
}

/** On other systems: root, or not. Pure. */
export function posixAccount(uid: number | null, name?: string): Right {
  if (uid === 0) return { id: 'account', ok: true, sentence: 'Estepe runs as root.', todo: '' };
  return {
    id: 'account',
    ok: false,
    sentence: `Estepe does not run as root (${name ?? `user ${uid}`}): systemd will refuse to start and stop services.`,
    todo: 'Run it as root, or give its user these services in polkit and test with `estepe drill`.',
  };
}

/** From `systemctl is-system-running`: its word counts, its exit code says only whether all is well. Pure. */
export function systemdReached(said: Said): Right {
  const word = said.output.trim().split('\n').at(-1) ?? '';
  const ok = /^(?:running|degraded|starting|initializing|maintenance)$/.test(word);
  if (ok) return { id: 'services', ok, sentence: 'systemd answers.', todo: '' };
  const why = said.end.how === 'not-started' ? said.end.why : word.slice(0, 200) || 'it says nothing';
  return {
    id: 'services',
    ok,
    sentence: `systemd does not answer (${why}): services cannot be started by name.`,
    todo: 'Set `services.start`, `query` and `stop` to commands of your own.',
  };
}

/** From `dnscmd SERVER /info`, which wants the rights that changing records does. Pure. */
export function dnsAdmin(server: string, said: Said): Right {
  if (exitCode(said) === 0)
    return { id: 'dns', ok: true, sentence: `The DNS server ${server} lets Estepe administer it.`, todo: '' };
  const why =
    said.end.how === 'not-started'
      ? `dnscmd was not started: ${said.end.why}`
      : said.output.trim().split('\n').at(-1)?.slice(0, 200) || 'dnscmd failed';
  return {
    id: 'dns',
    ok: false,
    sentence: `The DNS server ${server} does not let Estepe administer it (${why}).`,
    todo:
      said.end.how === 'not-started'
        ? 'Install the DNS server tools (RSAT) on this machine.'
        : 'Put the account that Estepe runs under into DnsAdmins (for SYSTEM: that of this computer, `NAME$`).',
  };
}

/** Everything that this site needs, in the order an admin mends it. Never rejects. */
export async function rightsHere(parts: { proc: Proc; files: Files }, q: RightsQuestion): Promise<Right[]> {
  const run = async (argv: readonly string[]): Promise<Said> =>
    parts.proc.run({
      ...{ argv, cwd: q.cwd, env: {}, timeoutMs: q.timeoutMs, runToken: q.runToken },
      ...(q.signal ? { signal: q.signal } : {}),
    });
  const windows = q.platform === 'win32';
  const rights: Right[] = [];
  rights.push(
    windows
      ? windowsAccount(await run(['whoami.exe', '/groups', '/fo', 'csv', '/nh']))
      : posixAccount(q.uid, q.account?.name),
  );
  if (q.byName && !windows) rights.push(systemdReached(await run(['systemctl', 'is-system-running'])));
  if (q.dnscmdServer !== null)
    rights.push(dnsAdmin(q.dnscmdServer, await run(['dnscmd.exe', q.dnscmdServer, '/info'])));
  for (const argv of q.scripts) rights.push(await scriptRight(parts.files, q, argv, run));
  return rights;
}

async function scriptRight(
  files: Files,
  q: RightsQuestion,
  argv: readonly string[],
  run: (argv: readonly string[]) => Promise<Said>,
): Promise<Right> {
  const resolved = resolveScript(q.scriptsFolder, argv, q.platform);
  const vetted = 'refused' in resolved ? resolved.refused : await files.vetScript(resolved.argv[0]);
  const asked = vetted === null && !('refused' in resolved) && q.account !== undefined;
  // Root may do what that account may not.
  const barred =
    asked &&
    exitCode(await run(q.account?.as(['test', '-r', resolved.argv[0], '-a', '-x', resolved.argv[0]]) ?? [])) !== 0;
  const why = barred ? `${q.account?.name} may not read and run it, or not enter its folder` : vetted;
  const name = basename(argv[0] ?? '');
  const id = `script:${name}`;
  if (why === null) return { id, ok: true, sentence: `${name} may be run.`, todo: '' };
  return { id, ok: false, sentence: `${name} would not be run: ${why}.`, todo: 'Mend that, or name another script.' };
}
