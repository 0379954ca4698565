/** A scripts folder of the test's own, and ways to wait for what its scripts do. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, type ProcessId, processRow } from '../../../src-main/runbook/process-table.ts';
import { RealFiles } from '../../../src-main/runbook/real-files.ts';
import { RealProc, type RealProcOptions } from '../../../src-main/runbook/real-proc.ts';
import { runScript, type Script, type ScriptContext, type ScriptEnd } from '../../../src-main/runbook/script.ts';

/** Until it is so; the deadline is for the case that it never is. */
export async function until<T>(
  what: string,
  look: () => T | null | undefined | false,
  deadlineMs = 15_000,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const seen = look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await pause(10);
  }
}

export class ScriptsRig {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'estepe-scripts-')));
  readonly #seen: ProcessId[] = [];
  #runs = 0;

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A shell script, executable. */
  write(name: string, body: string, interpreter = '/bin/sh'): string {
    writeFileSync(this.path(name), `#!${interpreter}\n${body}\n`);
    chmodSync(this.path(name), 0o755);
    return this.path(name);
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** The process whose number a script wrote into this file (`echo $$ >file`), once it is there. */
  process(name: string): Promise<ProcessId> {
    return until(`a process number in ${name}`, () => {
      const text = this.has(name) ? this.read(name) : '';
      const row = /^\d+\n$/.test(text) ? processRow(Number(text)) : null;
      if (row !== null) this.#seen.push(row);
      return row;
    });
  }

  token(): string {
    this.#runs += 1;
    return `${process.pid}-${this.folder.slice(-6)}-${this.#runs}`;
  }

  context(more: Partial<ScriptContext> = {}): ScriptContext {
    return {
      epoch: 7,
      step: 'before-script',
      attempt: 1,
      reason: 'the active is down',
      dryRun: false,
      fqdn: 'pbx.example.com',
      oldAddress: '192.0.2.1',
      newAddress: '192.0.2.2',
      runToken: this.token(),
      ...more,
    };
  }

  run(
    name: string | readonly string[],
    how: {
      script?: Partial<Script>;
      context?: Partial<ScriptContext>;
      proc?: RealProcOptions;
      signal?: AbortSignal;
      onOutput?: (text: string) => void;
    } = {},
  ): Promise<ScriptEnd> {
    const ports = {
      proc: new RealProc({ graceMs: 200, ...how.proc }),
      files: new RealFiles(this.folder),
      scriptsFolder: this.folder,
      ...(how.onOutput === undefined ? {} : { onOutput: how.onOutput }),
    };
    return runScript(
      ports,
      { run: name, timeoutMs: 20_000, retries: 0, ...how.script },
      this.context(how.context),
      how.signal,
    );
  }

  [Symbol.dispose](): void {
    for (const one of this.#seen) if (isAlive(one)) process.kill(one.pid, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
