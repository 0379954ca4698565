/**
 * Stand-ins for the PBX products' own commands: they check every argument as the real ones would, write what those write, and end as
 * those end. Real programs on the PATH of what is run.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import type { Bench } from '../../unit/backup/workbench.ts';

/** 3CX's tools: the arguments by name, anything unknown is refused with exit code 1 as the real ones do. */
export const arguments3cx = `
for a in "$@"; do case "$a" in
  --file=*) file=\${a#*=} ;; --log=*) log=\${a#*=} ;; --options=*) options=\${a#*=} ;; --pwd=*) pwd=\${a#*=} ;;
  --noemail) noemail=1 ;; --failover) failover=1 ;;
  *) echo "Unknown argument $a" >&2; exit 1 ;;
esac; done
echo started >"$log" || exit 1`;

export class StandIns {
  readonly #bench: Bench;

  /** In `bin` of the bench; sudo and install are there already. */
  constructor(bench: Bench) {
    this.#bench = bench;
    bench.make('bin');
    // sudo -n -u phonesystem PROGRAM …: PROGRAM is looked for among the stand-ins.
    this.add(
      'sudo',
      '[ "$1 $2 $3" = "-n -u phonesystem" ] || exit 90; tool=$(basename "$4"); shift 4; exec "$BIN/$tool" "$@"',
    );
    // install as root would: the owner that it names does not exist here.
    this.add(
      'install',
      '[ "$1 $2 $3" = "-d -o phonesystem" ] && exec mkdir -p "$6"; [ "$1 $2" = "-o phonesystem" ] && exec cp "$5" "$6"; exit 91',
    );
  }

  /** A shell script of that name. */
  add(name: string, body: string): void {
    const file = this.#bench.at('bin', name);
    writeFileSync(file, `#!/bin/sh\nBIN=${this.#bench.at('bin')}\n${body}\n`);
    chmodSync(file, 0o755);
  }

  /** BackupCmd and RestoreCmd that work: the latter puts its file into `restored`, and wants `--failover` and the password. */
  working3cx(): void {
    this.add(
      '3CXBackupCmd',
      `${arguments3cx}
[ -n "$noemail" ] && [ "$options" = "LIC,VM" ] || exit 1
printf 'backup of %s with %s' "$options" "$pwd" >"$file"; echo "Backup completed"`,
    );
    this.restore3cx(`cat "$file" >${this.#bench.at('restored')}; echo "Restore completed"`);
  }

  /** RestoreCmd that checks what it is given, then does this. */
  restore3cx(then: string): void {
    this.add(
      '3CXRestoreCmd',
      `${arguments3cx}
[ -n "$failover" ] || { echo "would start services" >&2; exit 1; }
[ "$pwd" = "open sesame" ] || { echo "Wrong password $pwd" >&2; exit 1; }
${then}`,
    );
  }

  proc(): RealProc {
    return StandIns.procOf(this.#bench);
  }

  /** Runs those that were put there before. */
  static procOf(bench: Bench): RealProc {
    return new RealProc({
      environment: { ...process.env, PATH: `${bench.at('bin')}:${process.env.PATH}` },
      graceMs: 200,
    });
  }
}
