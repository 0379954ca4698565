/** The stage of planned changes of roles: two engines paired over TLS, each with its PBX and its data, and a folder that both reach. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Snapshot } from '../../../src-main/contract/snapshot.ts';
import { freePort } from '../fixtures/free-port.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { until } from '../fixtures/until.ts';
import { type Ended, type EngineOptions, type EngineUnderTest, startEngine } from './engine-process.ts';
import type { Later } from './one-pbx.ts';
import { newPair, Site, type Wish, yamlOf } from './site.ts';
import { makeStandbyPbx, type StandbyPbx } from './standby-pbx.ts';

export const minutes = 60_000;

export interface NodeHere {
  site: Site;
  address: string;
  pbx: StandbyPbx;
  engine: EngineUnderTest;
  /** a further life of its engine, which is `engine` from then on */
  start(options?: EngineOptions): Promise<EngineUnderTest>;
  /** what its PBX keeps */
  data: string;
  /** while it exists, the PBX does not start */
  broken: string;
}

export interface PairHere {
  nas: string;
  port: number;
  /** as they are configured */
  active: NodeHere;
  passive: NodeHere;
  /** while it exists, a backup that is being made waits */
  gate: string;
  /** a process whose number stands there is killed when the PBX of the other node is being stopped, or its backup made */
  killer: { whileStopping: string; whileBackingUp: string };
  /** says how many calls are active on the active one, as its PBX would */
  callsActive(count: number): void;
  /** how often a PBX was started while the other one ran */
  twice(): number;
}

export interface PairWish {
  pair?: boolean;
  stable?: string;
  heartbeat?: Wish['heartbeat'];
  /** for both */
  options?: EngineOptions;
}

const shell = (script: string): string[] => ['/bin/sh', '-c', script];
const kills = (file: string): string => `[ ! -e ${file} ] || { kill -KILL $(cat ${file}); rm ${file}; }`;

/** Puts the pair up: the active one serves, the passive one watches it, and both know of each other. */
export async function putUpPair(later: Later, wish: PairWish = {}): Promise<PairHere> {
  const { pair = true, stable = '0s', heartbeat = {} } = wish;
  const root = newFolder('switchover');
  later(() => rmSync(root, { recursive: true, force: true }));
  const addresses = newPair();
  const port = await freePort(addresses.active);
  const [nas, gate, two] = [join(root, 'nas'), join(root, 'gate'), join(root, 'two')];
  const calls = join(root, 'calls-active');
  const callsActive = (count: number): void => writeFileSync(calls, `${count}\n`);
  const killer = { whileStopping: join(root, 'kill-stopping'), whileBackingUp: join(root, 'kill-backing-up') };
  mkdirSync(nas);
  const pbxOf = (role: 'active' | 'passive'): StandbyPbx => {
    const made = makeStandbyPbx({ sip: { address: addresses[role], udpPort: port, tcpPort: port } });
    later(() => made.end());
    return made;
  };
  const pbxes = { active: pbxOf('active'), passive: pbxOf('passive') };
  const node = async (role: 'active' | 'passive', other: 'active' | 'passive'): Promise<NodeHere> => {
    const pbx = pbxes[role];
    const [data, others] = [join(root, role), join(root, other)];
    mkdirSync(data, { recursive: true });
    const site = new Site();
    later(() => site.remove());
    // As a PBX does: what it still had in memory is written when it is stopped.
    const lastWords = shell(`[ ! -e ${data}/memory ] || mv ${data}/memory ${data}/at-the-end`);
    const isOtherUp = shell(
      `if ${pbxes[other].services.query[0]?.[2]}; then echo ${role} >>${two}; fi 2>/dev/null; true`,
    );
    const { services } = pbx;
    site.configure(
      yamlOf({
        ...addresses,
        tests: { sip: { port }, tunnel: { port } },
        heartbeat,
        services: {
          start: [isOtherUp, shell(`[ ! -e ${data}.broken ]`), ...services.start],
          query: services.query,
          stop: [shell(kills(killer.whileStopping)), ...services.stop, lastWords],
          calls: shell(`cat ${calls}`),
        },
        promotion: { mode: 'manual', failback: { stable } },
        more: {
          role,
          peer: {},
          backup: {
            location: { kind: 'local', folder: nas },
            source: {
              folders: [data],
              before: [shell(`while [ -e ${gate} ]; do sleep 0.1; done; ${kills(killer.whileBackingUp)}`)],
            },
          },
          restore: { into: [{ from: others, to: data }] },
        },
      }),
    );
    if (role === 'active') pbx.startByHand();
    const here: NodeHere = {
      ...{ site, pbx, data, address: addresses[role], broken: `${data}.broken` },
      engine: await startEngine(site, wish.options),
      async start(options) {
        here.engine = await startEngine(site, options);
        return here.engine;
      },
    };
    later(() => here.engine.stop());
    return here;
  };
  const [active, passive] = [await node('active', 'passive'), await node('passive', 'active')];
  await active.engine.phase('serving');
  await passive.engine.phase('watching', minutes);
  const twice = (): number => (existsSync(two) ? readFileSync(two, 'utf8').trim().split('\n').length : 0);
  const here = { nas, port, active, passive, gate, killer, callsActive, twice };
  if (pair) await pairUp(here);
  return here;
}

export async function pairUp({ active, passive }: PairHere): Promise<void> {
  await active.engine.until('it to listen', ({ peer }) => peer.listening !== null);
  const opened = await active.engine.cli('pair', 'open', '--json');
  const { code } = JSON.parse(opened.out) as { code: string };
  expect(await passive.engine.cli('pair', 'join', code)).toMatchObject({ exit: 0 });
  await passive.engine.until('the other one to say that it serves well', saysWell, minutes);
}

/** The other node is heard over the link, and says that it is the active one. */
export const saysWell = ({ nodes, peer }: Snapshot): boolean =>
  peer.state === 'up' && nodes.some(({ self, sentence }) => !self && sentence.includes('that it is active'));

/** Once both know of each other, from where it has not heard that yet it is refused. */
export async function ordered(engine: EngineUnderTest, ...words: string[]): Promise<Ended> {
  let ended: Ended | null = null;
  await until(
    'the order to be taken',
    async () => {
      ended = await engine.cli(...words);
      const isRefused = /^Refused|"accepted": ?false/m.test(ended.out);
      return !isRefused || !ended.out.includes('other-serves');
    },
    minutes,
  );
  if (ended === null) throw new Error('not ordered');
  return ended;
}

export const read = (node: NodeHere, name: string): string => readFileSync(join(node.data, name), 'utf8');
export const write = (node: NodeHere, name: string, text: string): void => writeFileSync(join(node.data, name), text);
export const epochs = (nas: string): string[] => {
  const folder = join(nas, 'estepe-head-office');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('epoch-')) : [];
};
