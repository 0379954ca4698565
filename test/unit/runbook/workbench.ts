/**
 * What the runbook's tests share: a real history as the journal, simulated time, programs that end as they are told, and a
 * journal that can be made unwritable while the engine lives.
 */
import type { StepId } from '../../../src-main/contract/words.ts';
import type {
  Command,
  CommandEnd,
  CommandResult,
  Dns,
  DnsChange,
  DnsContext,
  DnsEnd,
  Proc,
  Random,
} from '../../../src-main/engine/ports.ts';
import type { History } from '../../../src-main/history/history.ts';
import type { Step, StepContext, StepEnd } from '../../../src-main/runbook/step.ts';
import { done } from '../../../src-main/runbook/step.ts';
import type { Clockwork } from '../clockwork.ts';
import { lookInto } from '../history/workbench.ts';

/** Tokens that tell which came first: `t1`, `t2` … */
export function countedTokens(): Random {
  let n = 0;
  return { hex: () => `t${++n}` };
}

export const exit = (code: number): CommandEnd => ({ how: 'exit', code });

/** Programs that take a second and end as `fate` says; what is cancelled ends a tenth of a second later. */
export class StagedProc implements Proc {
  readonly ran: Command[] = [];
  /** processes that an earlier life left behind, by token */
  readonly leftovers = new Map<string, number>();
  fate: (name: string, nth: number) => CommandEnd | { ms: number; end: CommandEnd } = () => exit(0);
  readonly #work: Clockwork;

  constructor(work: Clockwork) {
    this.#work = work;
  }

  /** What was run, as `start`, `query nginx` …, in order. */
  get names(): string[] {
    return this.ran.map((c) => c.argv.map((word) => word.replace('/scripts/', '')).join(' '));
  }

  run(command: Command): Promise<CommandResult> {
    this.ran.push(command);
    const name = this.names.at(-1) ?? '';
    const fate = this.fate(name, this.names.filter((n) => n === name).length);
    const { ms, end } = 'how' in fate ? { ms: 1_000, end: fate } : fate;
    const begun = this.#work.clock.now();
    return new Promise((go) => {
      const over = (how: CommandEnd): void =>
        go({ end: how, ms: this.#work.clock.now() - begun, output: `${name} says ${how.how}\n` });
      this.#work.clock.after(ms, () => over(end));
      const cancelled = (): void => void this.#work.clock.after(100, () => over({ how: 'cancelled' }));
      command.signal?.addEventListener('abort', cancelled, { once: true });
      if (command.signal?.aborted) cancelled();
    });
  }

  endLeftovers(runToken: string): Promise<number> {
    const count = this.leftovers.get(runToken) ?? 0;
    this.leftovers.delete(runToken);
    return Promise.resolve(count);
  }
}

/** Records that are switched as they are told; `asked` says which, and whether it was for good. */
export class StagedDns implements Dns {
  readonly asked: { what: 'switch' | 'rehearse'; name: string; change: DnsChange; attempt: number }[] = [];
  fate: (name: string, nth: number) => Partial<DnsEnd> = () => ({});

  #end(what: 'switch' | 'rehearse', name: string, change: DnsChange, { attempt }: DnsContext): Promise<DnsEnd> {
    this.asked.push({ what, name, change, attempt });
    const nth = this.asked.filter((one) => one.name === name).length;
    return Promise.resolve({
      ...{ outcome: 'done', sentence: `${name} points to ${change.to}`, output: '' },
      ...this.fate(name, nth),
    });
  }

  switch: Dns['switch'] = ({ name }, change, context) => this.#end('switch', name, change, context);
  rehearse: Dns['rehearse'] = ({ name }, change, context) => this.#end('rehearse', name, change, context);
  look: Dns['look'] = () => Promise.resolve([]);
}

/** A step that does as it is told; the defaults are those of a plain step. */
export function stepOf(
  id: StepId,
  run: (c: StepContext) => Promise<StepEnd> | StepEnd,
  change: Partial<Step> = {},
): Step {
  return {
    id,
    title: `Step ${id}`,
    detail: '',
    timeoutMs: 60_000,
    retries: 0,
    onFail: 'halt',
    pointOfNoReturn: false,
    repeatOnResume: false,
    run: async (c) => run(c),
    ...change,
  };
}

/** Does its work within so many milliseconds, unless it is told to stop. */
export function lasting(work: Clockwork, ms: number): (c: StepContext) => Promise<StepEnd> {
  return (c) =>
    new Promise((go) => {
      work.clock.after(ms, () => go(done(`took ${ms} ms`)));
      const stop = (): void => go({ outcome: 'failed', sentence: 'was told to stop', output: '' });
      c.signal.addEventListener('abort', stop, { once: true });
      if (c.signal.aborted) stop();
    });
}

/** From now on the disk refuses to write these rows, as a full one would; the answer makes it take them again. */
export function refuseWriting(
  history: History,
  what: 'INSERT ON fact' | 'INSERT ON runbook' | 'INSERT ON journal' | 'UPDATE ON journal' | 'UPDATE ON runbook',
): () => void {
  lookInto(history.file, (db) =>
    db.exec(`CREATE TRIGGER no_room BEFORE ${what} BEGIN SELECT RAISE(ABORT, 'no room'); END`),
  );
  return () => lookInto(history.file, (db) => db.exec('DROP TRIGGER no_room'));
}
