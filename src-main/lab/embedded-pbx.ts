/**
 * Starts the lab's PBX as a child process and acts on it: kill, freeze, thaw, restart. The child answers SIP, HTTPS and
 * the tunnel port for real; nothing of it runs in this process.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitOf, freeze, isRunning, labScript, startChild, thaw } from './child.ts';
import { makeCertificate, type PbxCertificate } from './embedded-pbx-certificate.ts';
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
  /** where its key lies while it starts; default: the system's folder for temporary files */
  scratch?: string;
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

const what = 'The lab’s PBX';

/** The script of the child. */
export const embeddedPbxScript = (): string => labScript('embedded-pbx-main', what);

/**
 * @throws EstepeError `port` when an address or port can't be had, `internal` when the child dies or stays silent
 */
export async function startEmbeddedPbx(options: EmbeddedPbxOptions): Promise<EmbeddedPbx> {
  const certificate = options.certificate ?? (await makeCertificate(options.fqdn));
  const wanted = { sip: options.sipPort, web: options.webPort, tunnel: options.tunnelPort };
  const started = await start(options, wanted, certificate);
  const { ports } = started;
  let { child } = started;
  const running = (): boolean => isRunning(child);
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
    freeze: () => freeze(child),
    thaw: () => thaw(child),
    async restart() {
      await kill();
      ({ child } = await start(options, ports, certificate));
    },
    async stop() {
      process.removeListener('exit', last);
      if (!running()) return;
      const gone = exitOf(child);
      thaw(child);
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await gone;
      clearTimeout(late);
    },
  };
}

async function start(
  options: EmbeddedPbxOptions,
  ports: PbxPorts,
  certificate: PbxCertificate,
): Promise<{ child: ChildProcess; ports: PbxPorts }> {
  const folder = mkdtempSync(join(options.scratch ?? tmpdir(), 'estepe-pbx-'));
  try {
    // mkdtemp gives a folder of ours alone (0700); the child reads the key once, before it says that it is ready.
    const pem = join(folder, 'pbx.pem');
    writeFileSync(pem, pemOf(certificate), { mode: 0o600 });
    const argv = ['--address', options.address, '--fqdn', options.fqdn, '--cert-file', pem];
    argv.push('--sip', `${ports.sip}`, '--web', `${ports.web}`, '--tunnel', `${ports.tunnel}`);
    const { child, ready } = await startChild<{ ports: PbxPorts }>(what, embeddedPbxScript(), argv);
    return { child, ports: ready.ports };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Key and certificate as `--cert-file` takes them. */
export const pemOf = ({ key, cert }: Pick<PbxCertificate, 'key' | 'cert'>): string => `${key}\n${cert}\n`;
