/**
 * The PBX of the passive node: real servers that don't run until the engine starts them, by commands as a site writes
 * them into `services`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type KamailioOptions, writeKamailio } from '../fixtures/kamailio.ts';
import { type NginxOptions, writeNginx } from '../fixtures/nginx.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { programPath } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';

export interface StandbyPbx {
  folder: string;
  /** for the section `services` of estepe.yaml */
  services: { start: string[][]; query: string[][]; stop: string[][] };
  /** Starts what the commands would start, as an admin does by hand. */
  startByHand(netns?: string): void;
  /** processes that live, zombies left out */
  pids(): number[];
  /** Ends all of it by force and takes the folder away. */
  end(): Promise<void>;
}

interface Row {
  pid: number;
  group: number;
  state: string;
  words: string;
}

function rows(): Row[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const words = readFileSync(`/proc/${entry}/cmdline`, 'latin1');
      return [{ pid: Number(entry), group: Number(group), state, words }];
    } catch {
      // ended while we looked
      return [];
    }
  });
}

/** Processes that name this folder in their command line, and all of their groups. Daemons lead groups of their own. */
export function processesOf(folder: string): number[] {
  const living = rows().filter(({ state }) => state !== 'Z');
  const named = living.filter(({ words }) => words.includes(folder));
  const own = rows().find(({ pid }) => pid === process.pid)?.group;
  const groups = new Set(named.map(({ group }) => group).filter((group) => group !== own));
  return living.filter((row) => named.includes(row) || groups.has(row.group)).map(({ pid }) => pid);
}

function killAll(folder: string): number {
  const left = processesOf(folder);
  for (const pid of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended by itself
    }
  }
  return left.length;
}

/** KILLs them until none is left. */
export async function endProcessesOf(folder: string): Promise<void> {
  await until(`the processes of ${folder} to be gone`, () => killAll(folder) === 0);
}

const folders = new Set<string>();
// a daemon outlives a test run that ends in the middle
process.on('exit', () => {
  for (const folder of folders) killAll(folder);
});

/** `kill -0` would be content with a zombie, and nobody waits for a daemon where the machine has no init. */
const lives = (pidfile: string) =>
  `p=$(cat ${pidfile}) && s=$(ps -o stat= -p "$p") && case "$s" in Z*|"") exit 1;; esac`;
const ends = (pidfile: string) =>
  `[ -e ${pidfile} ] || exit 0; p=$(cat ${pidfile}); kill -CONT "$p"; kill -TERM "$p"; while ${lives(pidfile)}; do sleep 0.05; done`;

/** Writes its configuration; nothing runs yet. */
export function makeStandbyPbx(servers: { sip?: KamailioOptions; web?: NginxOptions }): StandbyPbx {
  const folder = newFolder('standby');
  folders.add(folder);
  const start: string[][] = [];
  const pidfiles: string[] = [];
  if (servers.sip !== undefined) {
    start.push(writeKamailio(folder, servers.sip));
    pidfiles.push(join(folder, 'kamailio.pid'));
  }
  if (servers.web !== undefined) {
    start.push(writeNginx(folder, servers.web, true));
    pidfiles.push(join(folder, 'nginx.pid'));
  }
  for (const argv of start) argv[0] = programPath(argv[0] ?? '') ?? '';
  const shell = (script: string) => ['/bin/sh', '-c', script];
  return {
    folder,
    services: {
      start,
      query: pidfiles.map((file) => shell(lives(file))),
      stop: pidfiles.map((file) => shell(`(${ends(file)}); rm -f ${file}`)),
    },
    startByHand(netns) {
      const inside = netns === undefined ? [] : [programPath('ip') ?? 'ip', 'netns', 'exec', netns];
      for (const argv of start) {
        const [program = '', ...words] = [...inside, ...argv];
        const { status, stderr } = spawnSync(program, words, { encoding: 'utf8', timeout: 20_000 });
        if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
      }
    },
    pids: () => processesOf(folder),
    async end() {
      await endProcessesOf(folder);
      folders.delete(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
