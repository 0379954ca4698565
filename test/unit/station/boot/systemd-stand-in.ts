/**
 * A stand-in for systemctl where no systemd is process 1: the words and exit codes of systemctl(1) for one unit, which it really runs
 * by its ExecStart. Every call is kept; a file `refuse` in its folder names the verbs that it refuses.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface SystemdStandIn {
  /** where units are written */
  unitFolder: string;
  /** to be put before PATH */
  bin: string;
  calls(): string[];
  forget(): void;
  refuse(...verbs: string[]): void;
  /** the process that it runs; null: none */
  pid(): number | null;
  enabled(): boolean;
  end(): void;
}

const script = (folder: string): string => `#!/bin/bash
cd ${folder}
echo "$*" >>calls
unit=units/estepe.service
verb=$1
grep -qx -- "$verb" refuse 2>/dev/null && { echo "Failed to $verb: Access denied" >&2; exit 1; }
running() { [ -s pid ] && kill -0 "$(cat pid)" 2>/dev/null; }
stop() { running && { kill -TERM "$(cat pid)"; for i in {1..400}; do running || break; sleep 0.05; done; }; rm -f pid; }
start() {
  running && return
  # what was read at the last daemon-reload counts, as with the real one
  [ -e loaded ] || { echo "Unit estepe.service not found." >&2; exit 5; }
  line=$(sed -n 's/^ExecStart=//p' loaded)
  setsid bash -c "exec $line" >>out 2>&1 </dev/null & echo $! >pid
}
known() { [ -e loaded ] || { echo "Failed to $verb unit: Unit file estepe.service does not exist." >&2; exit 1; }; }
case "$*" in
"is-system-running") cat state; [ "$(cat state)" = running ];;
"daemon-reload") if [ -e $unit ]; then cp $unit loaded; else rm -f loaded; fi;;
"enable estepe.service") known; touch enabled;;
"disable --now estepe.service") known; rm -f enabled; stop;;
"is-enabled estepe.service") [ -e $unit ] || { echo "Failed to get unit file state for estepe.service: No such file or directory" >&2; exit 1; }
  if [ -e enabled ]; then echo enabled; else echo disabled; exit 1; fi;;
"is-active --quiet estepe.service") running || exit 3;;
"start estepe.service") start;;
"restart estepe.service") stop; start;;
"stop estepe.service") [ -e loaded ] || { echo "Failed to stop estepe.service: Unit estepe.service not loaded." >&2; exit 5; }; stop;;
"show --property=MainPID --value estepe.service") if running; then cat pid; else echo 0; fi;;
"reset-failed estepe.service") [ -e loaded ] || exit 1;;
*) echo "Unknown command verb $*." >&2; exit 1;;
esac
`;

export function systemdStandIn(state = 'running'): SystemdStandIn {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-systemd-'));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('bin'));
  mkdirSync(at('units'));
  writeFileSync(at('bin/systemctl'), script(folder));
  chmodSync(at('bin/systemctl'), 0o755);
  writeFileSync(at('state'), `${state}\n`);
  const read = (name: string): string => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');
  const pid = (): number | null => Number(read('pid').trim()) || null;
  return {
    unitFolder: at('units'),
    bin: at('bin'),
    calls: () => read('calls').trim().split('\n'),
    forget: () => rmSync(at('calls'), { force: true }),
    refuse: (...verbs) => writeFileSync(at('refuse'), `${verbs.join('\n')}\n`),
    pid,
    enabled: () => existsSync(at('enabled')),
    end() {
      const running = pid();
      try {
        if (running !== null) process.kill(running, 'SIGKILL');
      } catch {
        // it has ended
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Puts a folder of programs before PATH. @returns to take it away again */
export function beforePath(bin: string): () => void {
  const before = process.env.PATH;
  process.env.PATH = `${bin}${delimiter}${before}`;
  return () => {
    process.env.PATH = before;
  };
}
