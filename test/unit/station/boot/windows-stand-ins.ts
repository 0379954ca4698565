/**
 * Stand-ins for schtasks, whoami, icacls and PowerShell's Register-ScheduledTask, which run on Windows only: their grammar, exit codes
 * and words, as far as the engine's task needs them. Every call is kept; a file `refuse` names calls (by their first words) that fail.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface WindowsStandIns {
  /** to be put before PATH */
  bin: string;
  calls(): string[];
  forget(): void;
  refuse(...calls: string[]): void;
  /** what `schtasks /Run` runs, for a shell */
  runs(command: string): void;
  /** the registered task as text; null: none */
  task(): string | null;
  /** the password that it was registered with */
  password(): string | null;
  end(): void;
}

const head = (folder: string): string => `#!/bin/bash
cd ${folder}
name=$(basename "$0" .exe)
echo "$name $*" >>calls
while read -r call; do case "$name $*" in "$call"*) echo "ERROR: Access is denied." >&2; exit 1;; esac; done <refuse
`;

const schtasks = `
none() { echo "ERROR: The system cannot find the file specified." >&2; exit 1; }
bad() { echo "ERROR: Invalid syntax. Type \\"SCHTASKS /?\\" for usage." >&2; exit 1; }
[ "$2" = /TN ] && [ "$3" = Estepe ] || bad
# registering keeps no old definition and no half of a new one
case "$1 $4 $6" in
"/Create /XML /F")
  [ -e task ] && [ "$6" != /F ] && bad
  [ "$(head -c 2 "$5" | od -An -tx1 | tr -d ' ')" = fffe ] || { echo "ERROR: The task XML is malformed." >&2; exit 1; }
  iconv -f UTF-16 -t UTF-8 "$5" >task.new && mv task.new task; rm -f password
  echo 'SUCCESS: The scheduled task "Estepe" has successfully been created.';;
"/Query /XML ") [ -e task ] || none; sed 's/$/\\r/' task;;
"/Change /DISABLE "|"/Change /ENABLE ") [ -e task ] || none
  [ $4 = /ENABLE ] && to=true || to=false
  python3 - $to <<'P'
import re,sys
t=open('task',encoding='utf8').read()
h,s=t.split('<Settings>')
open('task','w',encoding='utf8').write(h+'<Settings>'+re.sub('<Enabled>[a-z]*',('<Enabled>'+sys.argv[1]),s,count=1))
P
  echo "SUCCESS: The parameters of scheduled task have been changed.";;
"/Run  ") [ -e task ] || none; setsid sh -c "$(cat runs)" >out 2>&1 </dev/null & echo "SUCCESS: Attempted to run the scheduled task.";;
"/End  ") [ -e task ] || none; echo "SUCCESS: The scheduled task has been terminated successfully.";;
"/Delete /F ") [ -e task ] || none; rm -f task; echo "SUCCESS: The scheduled task was successfully deleted.";;
*) bad;;
esac
`;

const powershell = `
[ "$1 $2 $3" = "-NoProfile -NonInteractive -Command" ] || { echo "unknown: $*" >&2; exit 64; }
[[ "$4" =~ Register-ScheduledTask\\ -TaskName\\ \\'Estepe\\'\\ -Xml\\ .*ReadAllText\\(\\'(.*)\\'\\)\\)\\ -User\\ \\'(.*)\\'\\ -Password\\ .env:ESTEPE_TASK_PASSWORD\\ -Force ]] || exit 64
[ "$ESTEPE_TASK_PASSWORD" = wrong ] && { echo "Register-ScheduledTask : The user name or password wrong is incorrect." >&2; exit 1; }
iconv -f UTF-16 -t UTF-8 "\${BASH_REMATCH[1]}" >task.new && mv task.new task
printf %s "$ESTEPE_TASK_PASSWORD" >password
`;

const whoami = `
echo '"Mandatory Label\\\\High Mandatory Level","Label","S-1-16-'"$(cat level)"'",""'
echo '"BUILTIN\\\\Administrators","Alias","S-1-5-32-544","Group owner"'
`;

const icacls = `
[ -d "$1" ] || { echo "$1: The system cannot find the file specified." >&2; exit 2; }
case "$*" in *nobody*) echo "nobody: No mapping between account names and security IDs was done." >&2; exit 1332;; esac
echo "Successfully processed 1 files; Failed processing 0 files"
`;

export function windowsStandIns({ raised = true } = {}): WindowsStandIns {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-windows-'));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('bin'));
  for (const [name, body] of Object.entries({ schtasks, powershell, whoami, icacls })) {
    const file = join(at('bin'), `${name}.exe`);
    writeFileSync(file, head(folder) + body);
    chmodSync(file, 0o755);
  }
  writeFileSync(at('refuse'), '');
  writeFileSync(at('level'), raised ? '12288' : '8192');
  const read = (name: string): string | null => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : null);
  return {
    bin: at('bin'),
    calls: () => (read('calls') ?? '').trim().split('\n'),
    forget: () => rmSync(at('calls'), { force: true }),
    refuse: (...calls) => writeFileSync(at('refuse'), calls.map((call) => `${call}\n`).join('')),
    runs: (command) => writeFileSync(at('runs'), command),
    task: () => read('task'),
    password: () => read('password'),
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
}
