/**
 * What lies in the lab's data folder before the engine starts: estepe.yaml, the scripts around a promotion, and beside them, under lab/,
 * what the lab's processes need. The scripts are real ones; with `--keep` they are there to be read.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../config/data-folder.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Mode } from '../contract/words.ts';
import { embeddedPbxScript, pemOf } from './embedded-pbx.ts';
import type { PbxCertificate } from './embedded-pbx-certificate.ts';
import type { Place } from './place.ts';
import { type ReplicaPlace, replicaYaml } from './replica.ts';

export interface LabFolder {
  data: DataFolder;
  /** key and certificate of the pair's PBX */
  pem: string;
  /** number of the process that is the active's PBX */
  activePid: string;
  /** the same of the PBX that a promotion starts on the spare */
  sparePid: string;
  /** written by the after-script */
  note: string;
  /** folder for what lives for moments only */
  scratch: string;
}

export const fqdn = 'pbx.lab.example';

/** How the spare watches and takes over here; durations as estepe.yaml writes them. */
export interface Manner {
  interval: string;
  /** re-checks after the first failed round, and the time between them */
  confirm: { times: number; every: string };
  mode: Mode;
  countdown: string;
  /** the active's engine does all that a site's does: it watches, starts and stops its PBX, and is paired */
  returns?: true;
}

/**
 * @param given a folder that is empty or not there yet; without it one of our own among the temporary files
 * @throws EstepeError `usage` when the given one holds something, `data-folder` when it cannot be used
 */
export function openLabFolder(given?: string): LabFolder {
  if (given !== undefined && existsSync(given) && holdsSomething(given)) {
    throw new EstepeError('usage', `${given} is not empty.`, 'Name an empty folder, or one that is not there yet.');
  }
  const data = openDataFolder(given ?? mkdtempSync(join(tmpdir(), 'estepe-lab-')));
  const at = (name: string): string => join(data.root, 'lab', name);
  mkdirSync(join(data.root, 'lab'), { mode: 0o700 });
  const files = {
    pem: at('pbx.pem'),
    activePid: at('active.pid'),
    sparePid: at('spare.pid'),
    note: at('promoted.txt'),
  };
  return { data, scratch: join(data.root, 'lab'), ...files };
}

function holdsSomething(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    // no folder at all: opening it says so
    return false;
  }
}

/** Removes everything of a lab that used a folder of its own. */
export function removeLabFolder(folder: LabFolder): void {
  rmSync(folder.data.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

export interface Furniture {
  place: Place;
  manner: Manner;
  certificate: PbxCertificate;
  replica: ReplicaPlace;
}

/** Writes the configuration of both nodes, the spare's scripts and the pair's certificate. */
export function furnish(folder: LabFolder, { place, manner, certificate, replica }: Furniture): void {
  writeFileSync(folder.pem, pemOf(certificate), { mode: 0o600 });
  const windows = process.platform === 'win32';
  for (const [name, text] of Object.entries(windows ? windowsScripts : posixScripts)) {
    writeFileSync(join(folder.data.scripts, name), text, { mode: 0o700 });
  }
  const ending = windows ? '.cmd' : '.sh';
  const before = [`end-old-active${ending}`, folder.activePid];
  const after = [`write-note${ending}`, folder.note];
  const yaml = yamlOf(folder, { place, manner, replica }, { before, after });
  writeFileSync(folder.data.config, yaml, { mode: 0o600 });
  writeFileSync(replica.active.config, activeYaml(folder, { place, manner, replica }), { mode: 0o600 });
}

function yamlOf(
  folder: LabFolder,
  { place, manner, replica }: Omit<Furniture, 'certificate'>,
  scripts: { before: string[]; after: string[] },
): string {
  const { active, spare, gateway, ports, dnsPort } = place;
  const { interval, confirm, mode, countdown } = manner;
  return `# A pair on this machine alone, to try Estepe: the intervals are shorter than any site should have.
lab: true
role: passive
pair: { name: ${replica.pair}, fqdn: ${fqdn}, active: ${active}, passive: ${spare}, profile: generic }
heartbeat:
  interval: ${interval}
  failWhen: all
  confirm: { times: ${confirm.times}, every: ${confirm.every} }
  tests: { sip: { port: ${ports.sip} }, web: { port: ${ports.web} }, tunnel: { port: ${ports.tunnel} } }
  references: ["dns:${gateway}:${dnsPort}"]
${servicesYaml(folder, place, { address: spare, pidfile: folder.sparePid })}promotion:
  mode: ${mode}
  countdown: ${countdown}
  onSilence: promote
  fence: { silenceWithin: 5s }
  scripts:
    before: ${list(scripts.before)}
    after: ${list(scripts.after)}
    timeout: 30s
${manner.returns ? 'peer: {}\n' : ''}${replicaYaml(replica, 'spare')}`;
}

// JSON's strings are YAML's too, whatever a path holds.
const list = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;

/** How a node's PBX is started, asked after and stopped. */
function servicesYaml(folder: LabFolder, { ports }: Place, { address, pidfile }: { address: string; pidfile: string }) {
  const pbx = [process.execPath, embeddedPbxScript(), '--daemon-pidfile', pidfile];
  const where = ['--address', address, '--fqdn', fqdn, '--cert-file', folder.pem];
  const numbers = ['--sip', `${ports.sip}`, '--web', `${ports.web}`, '--tunnel', `${ports.tunnel}`];
  return `services:
  start: [${list([...pbx, ...where, ...numbers, '--owner-pid', `${process.pid}`])}]
  query: [${list([...pbx, '--query'])}]
  stop: [${list([...pbx, '--stop'])}]
  timeout: 30s
  proveWithin: 30s
`;
}

/**
 * The active's engine: it makes the backups. What runs there is started and killed by the lab, and by the engine too where it returns.
 */
function activeYaml(folder: LabFolder, { place, manner, replica }: Omit<Furniture, 'certificate'>): string {
  const { active, spare, beyond, gateway, ports, dnsPort } = place;
  const { sip, web, tunnel } = ports;
  const alone = `heartbeat: { interval: 30s, tests: { sip: { port: ${sip} } }, references: [] }
promotion: { mode: manual }
`;
  const returning = `heartbeat:
  interval: ${manner.interval}
  failWhen: all
  confirm: { times: ${manner.confirm.times}, every: ${manner.confirm.every} }
  tests: { sip: { port: ${sip} }, web: { port: ${web} }, tunnel: { port: ${tunnel} } }
  references: ["dns:${gateway}:${dnsPort}"]
${servicesYaml(folder, place, { address: beyond, pidfile: folder.activePid })}promotion:
  mode: manual
  fence: { silenceWithin: 5s }
  failback: { stable: 2s }
peer: {}
`;
  return `lab: true
role: active
pair: { name: ${replica.pair}, fqdn: ${fqdn}, active: ${active}, passive: ${spare}, profile: generic }
${manner.returns ? returning : alone}${replicaYaml(replica, 'active')}`;
}

const posixScripts = {
  'end-old-active.sh': `#!/bin/sh
# Makes sure that the old active cannot answer any more: what is left of its process is ended.
# Exit 0: nothing of it is left. Exit 1: try again.
pid=$(cat "$1" 2>/dev/null)
gone() {
  ! kill -0 "$pid" 2>/dev/null && return 0
  # The number may be somebody else's by now.
  [ -r "/proc/$pid/cmdline" ] && ! grep -q embedded-pbx-main "/proc/$pid/cmdline"
}
if [ -z "$pid" ] || gone; then
  echo "Nothing is left of the old active on $ESTEPE_OLD_ADDRESS."
  exit 0
fi
kill -KILL "$pid"
tries=0
until gone; do
  tries=$((tries + 1))
  if [ $tries -ge 50 ]; then
    echo "Process $pid of the old active does not end."
    exit 1
  fi
  sleep 0.1
done
echo "Ended what was left of the old active on $ESTEPE_OLD_ADDRESS, process $pid."
`,
  'write-note.sh': `#!/bin/sh
# Tells whoever should know; here a note is all.
cat >"$1" <<END
$ESTEPE_FQDN is served by $ESTEPE_NEW_ADDRESS under epoch $ESTEPE_EPOCH, no longer by $ESTEPE_OLD_ADDRESS.
$(date '+%Y-%m-%d %H:%M:%S'): $ESTEPE_REASON
END
echo "Wrote $1."
`,
};

const windowsScripts = {
  'end-old-active.cmd': `@echo off\r
rem Makes sure that the old active cannot answer any more: what is left of its process is ended.\r
set "pid="\r
if exist "%~1" set /p pid=<"%~1"\r
if not defined pid goto nothing\r
tasklist /FI "PID eq %pid%" /FI "IMAGENAME eq node.exe" /NH | find "%pid%" >nul || goto nothing\r
taskkill /PID %pid% /T /F >nul || exit /b 1\r
echo Ended what was left of the old active on %ESTEPE_OLD_ADDRESS%, process %pid%.\r
exit /b 0\r
:nothing\r
echo Nothing is left of the old active on %ESTEPE_OLD_ADDRESS%.\r
exit /b 0\r
`,
  'write-note.cmd': `@echo off\r
rem Tells whoever should know; here a note is all.\r
>"%~1" echo %ESTEPE_FQDN% is served by %ESTEPE_NEW_ADDRESS% under epoch %ESTEPE_EPOCH%, no longer by %ESTEPE_OLD_ADDRESS%.\r
>>"%~1" echo %DATE% %TIME%: %ESTEPE_REASON%\r
echo Wrote %~1.\r
`,
};
