/**
 * The policy of scripts: what a script of the site is told, what its end means, and how that reads. One attempt at a
 * time: the journal of attempts is the caller's. Must not start processes itself; the ports do.
 */
import { basename } from 'node:path';
import type { CommandEnd, Files, Proc } from '../engine/ports.ts';
import { resolveScript } from './script-path.ts';

export { type ResolvedScript, resolveScript } from './script-path.ts';

export interface ScriptPorts {
  proc: Proc;
  files: Files;
  /** absolute path; also the folder that scripts run in */
  scriptsFolder: string;
  /** what the script says while it runs, at the rate of `Proc` */
  onOutput?: (text: string) => void;
}

export interface Script {
  /** file name in the scripts folder, or argv that begins with one */
  run: string | readonly string[];
  timeoutMs: number;
  /** how many further attempts the first may be followed by */
  retries: number;
}

/** What the script is told, and which run it belongs to. */
export interface ScriptContext {
  epoch: number;
  step: string;
  /** 1 for the first */
  attempt: number;
  reason: string;
  dryRun: boolean;
  fqdn: string;
  oldAddress: string;
  newAddress: string;
  /** as written to the journal before this call */
  runToken: string;
}

/** `again`: another attempt is wanted and one is left. `final`: it failed and stays so. */
export type ScriptVerdict = 'done' | 'again' | 'final';

export interface ScriptEnd {
  verdict: ScriptVerdict;
  /** for the admin, without a full stop */
  sentence: string;
  output: string;
  ms: number;
  end: CommandEnd;
}

/** Longest value of a variable; a reason is a sentence, not a report. */
const longestValue = 1000;

/**
 * A value as a script may safely meet it: one line, bounded. The reason can quote what came from the network, and a
 * batch file that echoes %ESTEPE_REASON% would execute what follows an `&` in it, so on Windows the characters that
 * cmd.exe acts on become spaces.
 */
function safeValue(value: string, platform: NodeJS.Platform): string {
  const line = value.replace(/\p{Cc}+/gu, ' ');
  const inert = platform === 'win32' ? line.replace(/["%&|<>^!]/g, ' ') : line;
  return inert.slice(0, longestValue);
}

/** The variables that every script finds. ESTEPE_DRY_RUN is `1` or `0`. */
export function scriptEnvironment(
  context: ScriptContext,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const values = {
    ESTEPE_EPOCH: String(context.epoch),
    ESTEPE_STEP: context.step,
    ESTEPE_ATTEMPT: String(context.attempt),
    ESTEPE_REASON: context.reason,
    ESTEPE_DRY_RUN: context.dryRun ? '1' : '0',
    ESTEPE_FQDN: context.fqdn,
    ESTEPE_OLD_ADDRESS: context.oldAddress,
    ESTEPE_NEW_ADDRESS: context.newAddress,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, safeValue(value, platform)]));
}

/** "12 ms", "0.4 s", "60 s" */
function secondsText(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  return `${ms < 10_000 && ms % 1000 !== 0 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;
}

/**
 * What an end means: 0 done, 1 try again, 2 and more final; a time-out may be tried again too, since what hung once
 * need not hang twice. A signal, a cancellation, a start that failed are final.
 */
export function judge(
  name: string,
  end: CommandEnd,
  ms: number,
  script: Pick<Script, 'timeoutMs' | 'retries'>,
  attempt: number,
): { verdict: ScriptVerdict; sentence: string } {
  const left = Math.max(0, script.retries + 1 - attempt);
  const verdict = left > 0 ? 'again' : 'final';
  const more = left > 0 ? `${left} more ${left === 1 ? 'try' : 'tries'} left` : `no try left after ${attempt}`;
  switch (end.how) {
    case 'exit': {
      const sentence = `${name} ended with ${end.code} after ${secondsText(ms)}`;
      if (end.code === 0) return { verdict: 'done', sentence };
      if (end.code === 1) return { verdict, sentence: `${sentence} (asks for another try, ${more})` };
      const hint = process.platform !== 'win32' && end.code === 127 ? ': a command in it was not found' : '';
      return { verdict: 'final', sentence: `${sentence} (final by its own word${hint})` };
    }
    case 'timeout':
      return {
        verdict,
        sentence: `${name} did not end within ${secondsText(script.timeoutMs)}, ended by force (${more})`,
      };
    case 'signal':
      return {
        verdict: 'final',
        sentence: `${name} was killed by ${end.signal} after ${secondsText(ms)}, not by Estepe`,
      };
    case 'cancelled':
      return { verdict: 'final', sentence: `${name} was cancelled after ${secondsText(ms)}, ended by force` };
    case 'not-started':
      return { verdict: 'final', sentence: `${name} was not started: ${end.why}` };
  }
}

/**
 * One attempt of one script, from its vetting to its verdict. Never rejects. On time-out and cancellation nothing of
 * it is left when this resolves.
 */
export async function runScript(
  ports: ScriptPorts,
  script: Script,
  context: ScriptContext,
  signal?: AbortSignal,
): Promise<ScriptEnd> {
  const refuse = (name: string, why: string): ScriptEnd => {
    const end: CommandEnd = { how: 'not-started', why };
    return { ...judge(name, end, 0, script, context.attempt), output: '', ms: 0, end };
  };
  const resolved = resolveScript(ports.scriptsFolder, script.run);
  if ('refused' in resolved) return refuse('the script', resolved.refused);
  const name = basename(resolved.argv[0]);
  const trouble = await ports.files.vetScript(resolved.argv[0]);
  if (trouble !== null) return refuse(name, trouble);
  const { end, ms, output } = await ports.proc.run({
    argv: resolved.argv,
    cwd: ports.scriptsFolder,
    env: scriptEnvironment(context),
    timeoutMs: script.timeoutMs,
    runToken: context.runToken,
    ...(ports.onOutput === undefined ? {} : { onOutput: ports.onOutput }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { ...judge(name, end, ms, script, context.attempt), output, ms, end };
}
