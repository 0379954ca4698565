/**
 * The lab's PBX as a process of its own, so that killing it is a kill and hanging it a SIGSTOP. Started by
 * `startEmbeddedPbx` (with IPC, dies with its parent) or by a script:
 *
 *   node embedded-pbx-main.ts --address A --fqdn F --sip P --web P --tunnel P [--cert-file PEM] [--pidfile FILE]
 *   node embedded-pbx-main.ts … --daemon-pidfile FILE [--owner-pid N]   goes to the background, returns when it answers
 *   node embedded-pbx-main.ts --query --daemon-pidfile FILE    0: it runs, 1: it does not
 *   node embedded-pbx-main.ts --stop --daemon-pidfile FILE
 *
 * Exit codes as for every script of a runbook: 0 done, 1 try again, 2 wrong use.
 */
import { fork } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { FirstWord } from './child.ts';
import { makeCertificate, type PbxCertificate } from './embedded-pbx-certificate.ts';
import { openPbxServers, type PbxPorts } from './embedded-pbx-servers.ts';

/** What this process tells whoever started it with IPC. */
export type PbxMessage = FirstWord<{ ports: PbxPorts; certificate: PbxCertificate | null }>;

interface Wish {
  address: string;
  fqdn: string;
  ports: PbxPorts;
  certFile: string | null;
  pidfile: string | null;
  daemonPidfile: string | null;
  ownerPid: number | null;
  stay: boolean;
  stop: boolean;
  query: boolean;
}

const readyWithinMs = 10_000;

try {
  const wish = wishOf(process.argv.slice(2));
  if (wish.stop) await stopDaemon(wish.daemonPidfile);
  else if (wish.query) queryDaemon(wish.daemonPidfile);
  else if (wish.daemonPidfile !== null) await startDaemon(wish, wish.daemonPidfile);
  else await serve(wish);
} catch (error) {
  const known =
    error instanceof EstepeError ? error : new EstepeError('internal', sentenceOf(error), 'See the lab PBX’s output.');
  if (process.send) {
    const message: PbxMessage = { kind: 'failed', error: known.toJSON() };
    process.send(message, () => process.exit(known.exitCode));
  } else {
    console.error(`${known.message}\n${known.todo}`);
    process.exitCode = known.exitCode;
  }
}

async function serve(wish: Wish): Promise<void> {
  // A parent that dies closes the channel. A daemon outlives whoever started it, but only once that knows of it: a start
  // that was cut off leaves nothing.
  let told = false;
  const orphaned = (): void => {
    if (wish.stay && told) return;
    if (wish.pidfile !== null) rmSync(wish.pidfile, { force: true });
    process.exit(0);
  };
  if (process.send) {
    process.once('disconnect', orphaned);
    if (!process.connected) orphaned();
  }
  const made = wish.certFile === null ? await makeCertificate(wish.fqdn) : null;
  const servers = await openPbxServers({
    address: wish.address,
    fqdn: wish.fqdn,
    ports: wish.ports,
    certificate: made ?? readCertificate(wish.certFile ?? ''),
  });
  if (wish.pidfile !== null) writeFileSync(wish.pidfile, `${process.pid}\n`);
  const end = (): void => {
    if (wish.pidfile !== null) rmSync(wish.pidfile, { force: true });
    void servers.close().finally(() => process.exit(0));
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  if (wish.ownerPid !== null) {
    const owner = wish.ownerPid;
    setInterval(() => alive(owner) || end(), 1_000);
  }
  const ready: PbxMessage = { kind: 'ready', ports: servers.ports, certificate: made };
  if (process.send) {
    process.send(ready, (error) => {
      if (error) return orphaned();
      told = true;
      if (wish.stay && process.connected) process.disconnect();
    });
  } else console.log(JSON.stringify({ pid: process.pid, address: wish.address, ports: servers.ports }));
}

/** Starts the real thing detached and waits until its sockets are open. Repeating it changes nothing. */
async function startDaemon(wish: Wish, pidfile: string): Promise<void> {
  const before = daemonPid(pidfile);
  if (before !== null) {
    console.log(`The lab's PBX runs already (process ${before}).`);
    return;
  }
  const ports = ['--sip', wish.ports.sip, '--web', wish.ports.web, '--tunnel', wish.ports.tunnel].map(String);
  const child = fork(
    fileURLToPath(import.meta.url),
    [
      ...['--address', wish.address, '--fqdn', wish.fqdn, ...ports, '--pidfile', pidfile, '--stay'],
      ...(wish.certFile === null ? [] : ['--cert-file', wish.certFile]),
      ...(wish.ownerPid === null ? [] : ['--owner-pid', String(wish.ownerPid)]),
    ],
    // A service doesn't inherit the script's environment, nor what marks the script's processes as its own.
    { execArgv: [], detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], env: bareEnvironment() },
  );
  const message = await new Promise<PbxMessage | null>((resolve) => {
    const late = setTimeout(() => resolve(null), readyWithinMs);
    child.once('message', (said) => {
      clearTimeout(late);
      resolve(said as PbxMessage);
    });
    child.once('exit', () => {
      clearTimeout(late);
      resolve(null);
    });
  });
  if (message?.kind === 'ready') {
    console.log(`The lab's PBX answers on ${wish.address} (process ${child.pid}).`);
    if (child.connected) child.disconnect();
    child.unref();
    return;
  }
  child.kill('SIGKILL');
  if (message === null)
    throw new EstepeError('internal', 'The lab’s PBX did not start.', 'Start it without --daemon-pidfile to see why.');
  throw new EstepeError(message.error.code, message.error.message, message.error.todo);
}

async function stopDaemon(pidfile: string | null): Promise<void> {
  if (pidfile === null) throw usage('--stop needs --daemon-pidfile');
  const pid = daemonPid(pidfile);
  if (pid === null) {
    console.log("The lab's PBX does not run.");
    return;
  }
  // A frozen one gets its SIGTERM only when it goes on.
  if (process.platform !== 'win32') process.kill(pid, 'SIGCONT');
  process.kill(pid, 'SIGTERM');
  const deadline = performance.now() + 3_000;
  while (alive(pid)) {
    if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
    await new Promise((next) => setTimeout(next, 20));
  }
  rmSync(pidfile, { force: true });
  console.log(`The lab's PBX was stopped (process ${pid}).`);
}

function queryDaemon(pidfile: string | null): void {
  if (pidfile === null) throw usage('--query needs --daemon-pidfile');
  const pid = daemonPid(pidfile);
  console.log(pid === null ? "The lab's PBX does not run." : `The lab's PBX runs (process ${pid}).`);
  process.exitCode = pid === null ? 1 : 0;
}

/** The process of the pidfile if it still is ours: pids are used again, so its command line is looked at where that can be. */
function daemonPid(pidfile: string): number | null {
  let pid: number;
  try {
    pid = Number(readFileSync(pidfile, 'utf8').trim());
  } catch {
    return null;
  }
  if (!Number.isInteger(pid) || pid <= 1 || !alive(pid)) return null;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('embedded-pbx-main') ? pid : null;
  } catch {
    return process.platform === 'linux' ? null : pid;
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A dead process that nobody has waited for still takes signals (containers often have no init that would).
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return process.platform !== 'linux';
  }
}

function bareEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TEMP', 'SystemRoot'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function readCertificate(path: string): { cert: string; key: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new EstepeError(
      'usage',
      `The certificate ${path} cannot be read: ${sentenceOf(error)}`,
      'Name a PEM file with key and certificate.',
    );
  }
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
  const key = blocks.find((block) => block.includes('PRIVATE KEY'));
  const cert = blocks.filter((block) => block.includes('CERTIFICATE')).join('\n');
  if (key === undefined || cert === '') throw usage(`${path} must hold a private key and a certificate, both in PEM`);
  return { cert, key };
}

function wishOf(argv: string[]): Wish {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  let values: ReturnType<typeof read>['values'];
  const read = () =>
    parseArgs({
      args: argv,
      options: {
        ...{ address: text, fqdn: text, sip: text, web: text, tunnel: text, 'cert-file': text, pidfile: text },
        ...{ 'daemon-pidfile': text, 'owner-pid': text, stay: flag, stop: flag, query: flag },
      },
    });
  try {
    values = read().values;
  } catch (error) {
    throw usage(sentenceOf(error));
  }
  return {
    address: values.address ?? '127.0.0.1',
    fqdn: values.fqdn ?? 'pbx.lab.example',
    ports: {
      sip: number('sip', values.sip, 65_535),
      web: number('web', values.web, 65_535),
      tunnel: number('tunnel', values.tunnel, 65_535),
    },
    certFile: values['cert-file'] ?? null,
    pidfile: values.pidfile ?? null,
    daemonPidfile: values['daemon-pidfile'] ?? null,
    ownerPid: values['owner-pid'] === undefined ? null : number('owner-pid', values['owner-pid'], 2 ** 31),
    stay: values.stay,
    stop: values.stop,
    query: values.query,
  };
}

function number(name: string, value: string | undefined, max: number): number {
  const parsed = Number(value ?? 0);
  if (!Number.isInteger(parsed) || parsed < 0 || parsed > max)
    throw usage(`--${name} must be a whole number from 0 to ${max}`);
  return parsed;
}

function usage(message: string): EstepeError {
  return new EstepeError('usage', message, 'The first lines of embedded-pbx-main.ts show how it is called.');
}
