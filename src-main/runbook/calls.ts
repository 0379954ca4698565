/** How many calls are active on this node's PBX, by the command of the site or the profile (`services.calls`). */
import type { CallsSeen } from '../contract/parity.ts';
import type { Proc } from '../engine/ports.ts';
import { runAll } from './site-commands.ts';

/** The other node waits 4 s for the answer. */
const withinMs = 3_000;

/** Asks once; ends within 3 s or by `signal`. Never rejects. */
export async function callsHere(
  command: readonly string[] | null,
  parts: { proc: Proc; cwd: string; runToken: string; signal: AbortSignal },
): Promise<CallsSeen> {
  if (command === null)
    return {
      count: null,
      sentence:
        'how many calls are active cannot be told there: `services.calls` names no command, and the profile has none',
    };
  const { why, output } = await runAll(parts.proc, [command], { ...parts, env: {}, timeoutMs: withinMs });
  if (why !== null) return { count: null, sentence: `how many calls are active cannot be told there: ${why}` };
  const count = callsIn(output);
  if (count !== null) return { count, sentence: count === 1 ? '1 call is active' : `${count} calls are active` };
  const first = output.trim().split('\n', 1)[0]?.slice(0, 120) ?? '';
  return {
    count: null,
    sentence: `how many calls are active cannot be told there: services.calls printed no number${first === '' ? '' : ` (${first})`}`,
  };
}

/**
 * The number in what the command printed: before `active call(s)` where that stands (Asterisk's `core show channels count`, which prints
 * `0 active channels` first), else the only line that is a number. Null: neither.
 */
export function callsIn(output: string): number | null {
  const named = /(?:^|\s)(\d{1,9}) active calls?\b/.exec(output)?.[1];
  const numbers = output.split('\n').filter((line) => /^\s*\d{1,9}\s*$/.test(line));
  const found = named ?? (numbers.length === 1 ? numbers[0] : undefined);
  return found === undefined ? null : Number(found);
}
