/** Command lines of the site (start, query, stop of its PBX), run in turn. */
import { inWords } from '../engine/duration.ts';
import type { Proc } from '../engine/ports.ts';
import { spoken } from './services.ts';

export interface SiteCommandsRun {
  cwd: string;
  env: Record<string, string>;
  /** of each one */
  timeoutMs: number;
  runToken: string;
  signal: AbortSignal;
  onOutput?: (text: string) => void;
}

/** Runs command lines in turn; `why` null when all ended with 0, else why not. Never rejects. */
export async function runAll(
  proc: Proc,
  commands: readonly (readonly string[])[],
  run: SiteCommandsRun,
): Promise<{ why: string | null; output: string }> {
  let output = '';
  for (const argv of commands) {
    const r = await proc.run({ ...run, argv });
    output += r.output;
    if (r.end.how === 'exit' && r.end.code === 0) continue;
    const name = spoken(argv);
    if (r.end.how === 'exit') return { why: `\`${name}\` ended with ${r.end.code}`, output };
    if (r.end.how === 'timeout') return { why: `\`${name}\` did not end within ${inWords(run.timeoutMs)}`, output };
    if (r.end.how === 'not-started') return { why: `\`${name}\` was not started: ${r.end.why}`, output };
    return { why: `\`${name}\` was ${r.end.how === 'signal' ? `killed by ${r.end.signal}` : 'cancelled'}`, output };
  }
  return { why: null, output };
}
