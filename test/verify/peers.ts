/**
 * The one list of system packages that the tests talk to as real peers, and their installation on a Debian machine.
 * Knows nothing of the tests themselves.
 */
import { accessSync, chmodSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './run.ts';

export interface Peer {
  package: string;
  /** a program of the package, by which a machine without dpkg is judged; null: none of its own */
  program: string | null;
  what: string;
}

export const peers: readonly Peer[] = [
  { package: 'kamailio', program: 'kamailio', what: 'SIP over UDP and TCP' },
  { package: 'kamailio-tls-modules', program: null, what: 'SIP over TLS' },
  { package: 'sip-tester', program: 'sipp', what: 'scripted SIP answers' },
  { package: 'nginx-light', program: 'nginx', what: 'HTTPS' },
  { package: 'chromium', program: 'chromium', what: 'the console in a real browser' },
  { package: 'iproute2', program: 'ip', what: 'network namespaces, address ranges' },
  { package: 'nftables', program: 'nft', what: 'one-way cuts' },
  { package: 'openssl', program: 'openssl', what: 'keys and certificates' },
  { package: 'procps', program: 'ps', what: 'process trees' },
  { package: 'faketime', program: 'faketime', what: 'wrong clocks' },
  { package: 'iputils-ping', program: 'ping', what: 'references by ping, the gateway' },
  { package: 'bind9', program: 'named', what: 'DNS switching' },
  { package: 'bind9-dnsutils', program: 'nsupdate', what: 'changes to DNS by somebody else' },
  { package: 'openssh-server', program: 'sshd', what: 'backups over SFTP' },
  { package: 'openssh-client', program: 'ssh-keygen', what: 'keys of hosts and users' },
  { package: 'proftpd-core', program: 'proftpd', what: 'backups over FTPS' },
  { package: 'proftpd-mod-crypto', program: null, what: 'TLS for FTP' },
  { package: 'samba', program: 'smbd', what: 'backups in a Windows share' },
  { package: 'smbclient', program: 'smbclient', what: 'the client for Windows shares' },
  { package: 'swift-proxy', program: 'swift-proxy-server', what: 'backups over S3' },
  { package: 'swift-account', program: 'swift-account-server', what: 'backups over S3' },
  { package: 'swift-container', program: 'swift-container-server', what: 'backups over S3' },
  { package: 'swift-object', program: 'swift-object-server', what: 'backups over S3' },
  { package: 'memcached', program: 'memcached', what: 'what the S3 server remembers' },
  { package: 'radosgw', program: 'radosgw', what: 'claims over S3' },
  { package: 'ceph-mon', program: 'ceph-mon', what: 'what radosgw needs' },
  { package: 'ceph-osd', program: 'ceph-osd', what: 'where radosgw stores' },
  { package: 'etcd-server', program: 'etcd', what: 'claims of epochs in etcd' },
  { package: 'etcd-client', program: 'etcdctl', what: 'users of etcd' },
  { package: 'age', program: 'age', what: 'encrypted backups, opened by another program' },
  { package: 'unzip', program: 'unzip', what: 'archives, opened by another program' },
  { package: 'libnotify-bin', program: 'notify-send', what: 'notices on the desktop' },
  { package: 'dunst', program: 'dunst', what: 'a desktop that shows them' },
  { package: 'dbus-daemon', program: 'dbus-run-session', what: 'the session bus of that desktop' },
  { package: 'dbus-bin', program: 'dbus-send', what: 'whether it is there yet' },
  { package: 'xvfb', program: 'Xvfb', what: 'the screen of that desktop' },
  { package: 'nsis', program: 'makensis', what: 'the installer for Windows, compiled' },
  { package: 'curl', program: 'curl', what: 'the fence script for smart plugs' },
];

const policy = '/usr/sbin/policy-rc.d';

/** Whether this process may install packages: root, on Debian or a child of it, with apt. */
export function mayInstall(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  try {
    return /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/** The peers that are not there: by dpkg where it exists, else by their program on PATH. */
export async function missingPeers(): Promise<Peer[]> {
  if (!existsSync('/usr/bin/dpkg-query')) {
    return peers.filter((peer) => peer.program !== null && !onPath(peer.program));
  }
  const asked = await run([
    'dpkg-query',
    '-W',
    `-f=\${db:Status-Status} \${Package}\n`,
    ...peers.map((p) => p.package),
  ]);
  const installed = new Set(
    asked.output
      .split('\n')
      .filter((line) => line.startsWith('installed '))
      .map((line) => line.slice('installed '.length)),
  );
  return peers.filter((peer) => !installed.has(peer.package));
}

/**
 * Installs what is missing. No package starts its daemon: policy-rc.d says 101 while apt runs, and is taken away
 * afterwards if we put it there.
 * @returns null, or what apt said when it failed
 */
export async function installPeers(missing: readonly Peer[]): Promise<string | null> {
  const ours = !existsSync(policy);
  if (ours) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  try {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    const lock = ['-o', 'DPkg::Lock::Timeout=120'];
    const update = await run(['apt-get', '-q', ...lock, 'update'], { env, limitMs: 300_000 });
    const install = await run(
      ['apt-get', '-q', ...lock, 'install', '-y', '--no-install-recommends', ...missing.map((p) => p.package)],
      { env, limitMs: 600_000 },
    );
    // An update that failed in part (one mirror of many) matters only when the installation fails too.
    return install.ok ? null : `${update.ok ? '' : update.output}${install.output}`;
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function onPath(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
