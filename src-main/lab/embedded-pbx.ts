/**
 * Starts the lab's PBX as a child process and acts on it: kill, freeze, thaw, restart. The child answers SIP, HTTPS and
 * the tunnel port for real; nothing of it runs in this process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EstepeError } from '../contract/errors.ts';
import { makeCertificate, type PbxCertificate } from './embedded-pbx-certificate.ts';
import type { PbxMessage } from './embedded-pbx-main.ts';
import type { PbxPorts } from './embedded-pbx-servers.ts';

export interface EmbeddedPbxOptions {
  /** an address of this machine; on Linux any of 127.0.0.0/8 */
  address: string;
  /** 0: a free one; SIP takes the same number on UDP and TCP */
  sipPort: number;
  webPort: number;
  tunnelPort: number;
  fqdn: string;
  /** made at start when left out */
  certificate?: PbxCertificate;
}

export interface EmbeddedPbx {
  /** of the process that answers now or answered last; changes with `restart` */
  readonly pid: number;
  readonly running: boolean;
  /** stay the same over a restart */
  readonly ports: PbxPorts;
  readonly certificate: PbxCertificate;
  /** Ends it as a crash would (SIGKILL); resolves when it is gone and its ports are free. */
  kill(): Promise<void>;
  /** Stops it in its tracks (SIGSTOP): connections are accepted by the kernel, nothing is answered. Not on Windows. */
  freeze(): void;
  thaw(): void;
  /** Kills it if it runs, and starts it again on the same ports with the same certificate. */
  restart(): Promise<void>;
  /** Ends it in order; also a frozen one. Safe to call again. */
  stop(): Promise<void>;
}

const readyWithinMs = 15_000;

/** The script of the child: beside this file in the sources, an entry of its own in the build. */
export function embeddedPbxScript(): string {
  const places = ['./embedded-pbx-main.ts', './embedded-pbx-main.js', '../embedded-pbx-main.js'];
  const found = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (found === undefined) {
    throw new EstepeError(
      'runtime',
      'The lab’s PBX is not part of this installation.',
      'Run the lab from the repository.',
    );
  }
  return found;
}

/**
 * @throws EstepeError `port` when an address or port can't be had, `internal` when the child dies or stays silent
 */
export async function startEmbeddedPbx(options: EmbeddedPbxOptions): Promise<EmbeddedPbx> {
  const certificate = options.certificate ?? (await makeCertificate(options.fqdn));
  const wanted = { sip: options.sipPort, web: options.webPort, tunnel: options.tunnelPort };
  let started = await startChild(options, wanted, certificate);
  const ports = started.ports;
  let child = started.child;
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  // A frozen child can't notice that its parent is gone.
  const last = (): void => void child.kill('SIGKILL');
  process.once('exit', last);

  const kill = async (): Promise<void> => {
    if (!running()) return;
    const gone = exitOf(child);
    child.kill('SIGKILL');
    await gone;
  };
  return {
    ports,
    certificate,
    kill,
    get pid() {
      return child.pid ?? 0;
    },
    get running() {
      return running();
    },
    freeze() {
      if (process.platform === 'win32') {
        throw new EstepeError(
          'runtime',
          'Windows cannot stop a process in its tracks.',
          'Use kill there, or run the lab on Linux.',
        );
      }
      child.kill('SIGSTOP');
    },
    thaw() {
      if (process.platform !== 'win32') child.kill('SIGCONT');
    },
    async restart() {
      await kill();
      started = await startChild(options, ports, certificate);
      child = started.child;
    },
    async stop() {
      process.removeListener('exit', last);
      if (!running()) return;
      const gone = exitOf(child);
      if (process.platform !== 'win32') child.kill('SIGCONT');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await gone;
      clearTimeout(late);
    },
  };
}

async function startChild(
  options: EmbeddedPbxOptions,
  ports: PbxPorts,
  certificate: PbxCertificate,
): Promise<{ child: ChildProcess; ports: PbxPorts }> {
  const folder = mkdtempSync(join(tmpdir(), 'estepe-pbx-'));
  try {
    // mkdtemp gives a folder of ours alone (0700); the child reads the key once, before it says that it is ready.
    const pem = join(folder, 'pbx.pem');
    writeFileSync(pem, `${certificate.key}\n${certificate.cert}\n`, { mode: 0o600 });
    const argv = ['--address', options.address, '--fqdn', options.fqdn, '--cert-file', pem];
    argv.push('--sip', `${ports.sip}`, '--web', `${ports.web}`, '--tunnel', `${ports.tunnel}`);
    const child = fork(embeddedPbxScript(), argv, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const message = await firstMessage(child);
    if (message.kind === 'ready') return { child, ports: message.ports };
    child.kill('SIGKILL');
    throw new EstepeError(message.error.code, message.error.message, message.error.todo, message.error.detail);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function firstMessage(child: ChildProcess): Promise<PbxMessage> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new EstepeError('internal', `The lab's PBX did not start: ${why}`, 'See what it printed above.'));
    };
    const late = setTimeout(() => fail(`it said nothing for ${readyWithinMs / 1000} s`), readyWithinMs);
    const settle = (then: () => void): void => {
      clearTimeout(late);
      child.removeAllListeners();
      then();
    };
    child.once('message', (said) => settle(() => resolve(said as PbxMessage)));
    child.once('error', (error) => settle(() => fail(error.message)));
    child.once('exit', (code, signal) => settle(() => fail(`it ended with ${signal ?? `exit code ${code}`}`)));
  });
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
