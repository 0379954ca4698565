/** Real peer links on loopback addresses, each with a data folder of its own, and what was told to the engine around them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CallsSeen } from '../../../src-main/contract/parity.ts';
import type { Severity } from '../../../src-main/contract/words.ts';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import type { BackupMade, LinkHooks, StandDownEnd } from '../../../src-main/peer/hooks.ts';
import { type Identity, identityOf } from '../../../src-main/peer/identity.ts';
import { type Ends, PeerLink } from '../../../src-main/peer/link.ts';
import type { NodeWord } from '../../../src-main/peer/word.ts';
import { wordWith } from '../../unit/peer/words.ts';
import { freePort } from '../fixtures/free-port.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { until } from '../fixtures/until.ts';

export const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

export interface NodeUnderTest {
  link: PeerLink;
  readonly life: string;
  readonly ends: Ends;
  readonly secrets: string;
  /** words of the other node, newest last */
  words: NodeWord[];
  notes: { severity: Severity; rule: string; reason: string }[];
  faults: unknown[];
  epochs: { standing: number; highest: number; active?: boolean };
  asked: { epoch: number; because: string }[];
  /** what the engine answers to a request to stand down */
  standDown: (epoch: number) => Promise<StandDownEnd>;
  /** why the engine makes no backup; null: it does */
  noBackup: string | null;
  calls: CallsSeen;
  backupsAsked: { epoch: number | null; because: string }[];
  backup: (onProgress: (sentence: string) => void) => Promise<BackupMade>;
  self: { pair: string; fqdn: string; place: string };
  identity(): Promise<Identity>;
  /** the same data folder, a new life */
  restart(): Promise<void>;
}

const clock = new RealClock();
const open: { link: PeerLink; folder: string }[] = [];

export const intervalMs = 300;

export async function endAll(): Promise<void> {
  const all = open.splice(0);
  await Promise.all(all.map(({ link }) => link.close()));
  for (const { folder } of all) rmSync(folder, { recursive: true, force: true });
}

async function node(ends: Ends, self: NodeUnderTest['self'], role: 'active' | 'passive'): Promise<NodeUnderTest> {
  const folder = newFolder('peer');
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets, { mode: 0o700 });
  const made = { link: null as unknown as PeerLink, life: hex(16), ends, secrets, self } as NodeUnderTest & {
    life: string;
  };
  made.words = [];
  made.notes = [];
  made.faults = [];
  made.asked = [];
  made.epochs = { standing: 3, highest: 3 };
  made.standDown = async () => ({ accepted: false, sentence: 'This engine does not stand down.' });
  made.noBackup = null;
  made.calls = { count: 2, sentence: '2 calls are active' };
  made.backupsAsked = [];
  made.backup = async () => ({ made: null, sentence: 'The disk is full.' });
  made.identity = () => identityOf(secrets, Date.now());
  const begin = async (): Promise<void> => {
    made.life = hex(16);
    let seq = 0;
    const hooks: LinkHooks = {
      clock,
      random: { hex },
      life: made.life,
      version: '9.9.9',
      self: () => made.self,
      intervalMs: () => intervalMs,
      ownWord: () => {
        seq += 1;
        const { standing: epoch } = made.epochs;
        return wordWith({ ...made.self, node: `node@${made.self.place}`, role, epoch, seq, life: made.life });
      },
      onWord: (word) => made.words.push(word),
      epochs: () => ({ active: role === 'active', open: 0, ...made.epochs }),
      onStandDown: (epoch, because) => {
        made.asked.push({ epoch, because });
        return made.standDown(epoch);
      },
      whyNoBackup: () => made.noBackup,
      onBackup: (epoch, because, onProgress) => {
        made.backupsAsked.push({ epoch, because });
        return made.backup(onProgress);
      },
      calls: async () => made.calls,
      facts: async () => ({
        os: { name: 'linux', release: '6' },
        arch: 'x64',
        hostname: made.self.place,
        profile: 'generic',
        pbxVersion: null,
        webCertificate: null,
        ports: ['sip udp 5060'],
        services: [],
        estepeVersion: '9.9.9',
        wall: Date.now(),
        freeBytes: 1,
      }),
      onUnpaired: () => {},
      note: (severity, rule, reason) => made.notes.push({ severity, rule, reason }),
      onFault: (error) => made.faults.push(error),
      onChange: () => {},
    };
    made.link = new PeerLink(hooks, { secrets, pinned: join(folder, 'peer.json') });
    open.push({ link: made.link, folder });
    await made.link.configure(ends);
    await until('the link to listen', () => made.link.state().listening);
  };
  made.restart = async () => {
    await made.link.close();
    await begin();
  };
  await begin();
  return made;
}

export interface TwoNodes {
  active: NodeUnderTest;
  passive: NodeUnderTest;
}

export async function twoNodes(change: Partial<NodeUnderTest['self']> = {}): Promise<TwoNodes> {
  const a = { host: '127.0.0.31', port: await freePort('127.0.0.31') };
  const b = { host: '127.0.0.32', port: await freePort('127.0.0.32') };
  const self = { pair: 'head-office', fqdn: 'pbx.example.com' };
  return {
    active: await node({ listen: a, address: b }, { ...self, place: '127.0.0.31' }, 'active'),
    passive: await node({ listen: b, address: a }, { ...self, place: '127.0.0.32', ...change }, 'passive'),
  };
}

export async function pairedNodes(): Promise<TwoNodes> {
  const nodes = await twoNodes();
  const { code } = nodes.active.link.pairOpen('a test');
  const answer = await nodes.passive.link.pairJoin('a test', code);
  if (!answer.accepted) throw new Error(answer.sentence);
  await until('words both ways', () => nodes.active.words.length > 0 && nodes.passive.words.length > 0);
  return nodes;
}
