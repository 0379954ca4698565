/**
 * The data of the lab's pair: the active's engine that backs its PBX's folder up, the location between, and the spare's restored copy,
 * held against the backup byte for byte. Acts and looks; knows no scenario.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyArchive } from '../backup/archive/archive.ts';
import { fetchBackup } from '../backup/fetch-backup.ts';
import type { Location } from '../backup/location.ts';
import { removeBackup } from '../backup/shelf.ts';
import { meansOf } from '../backup/work-of-config.ts';
import { type DataFolder, openDataFolder } from '../config/data-folder.ts';
import { writeSecret } from '../config/secrets.ts';
import type { Desk } from '../contract/desk.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import { durationWords } from '../contract/view.ts';
import { RealClock } from '../heartbeat/real-clock.ts';
import { witnessFolder } from '../station/other-node.ts';
import { type Station, startStation } from '../station.ts';
import { Diary } from './diary.ts';
import type { Where } from './where.ts';

/** Names of the pair and of what lies in the folders. */
export interface ReplicaPlace {
  /** the pair's name in backups: another lab may use the same location */
  pair: string;
  where: Where;
  /** data folder of the active's engine */
  active: DataFolder;
  /** what the active's PBX has, and its copy on the spare */
  source: string;
  copy: string;
}

/** What the spare went on with. */
export interface DataOutcome {
  /** the backup that stands restored on the spare; null: none */
  backup: string | null;
  files: number;
  bytes: number;
  /** age of that data now, ms */
  offsetMs: number | null;
  /** every file is, byte for byte, what that backup holds, and it is the newest one */
  same: boolean;
  /** in which it is not */
  differences: string[];
}

export const noData: DataOutcome = { backup: null, files: 0, bytes: 0, offsetMs: null, same: false, differences: [] };

const patienceMs = 60_000;
const byLab = 'lab';

/** Decides where everything goes, and makes what the active's PBX has: settings, voicemail, a call log. */
export function layOut(folder: { scratch: string; data: DataFolder }, given: Where | null): ReplicaPlace {
  const at = (name: string): string => join(folder.scratch, name);
  const active = openDataFolder(at('active'));
  const source = at('pbx-active');
  const copy = at('pbx-spare');
  for (const name of ['extensions', 'voicemail']) mkdirSync(join(source, name), { recursive: true });
  for (let n = 100; n < 110; n += 1) {
    writeFileSync(join(source, 'extensions', `${n}.conf`), `[${n}]\nsecret=${randomBytes(9).toString('base64url')}\n`);
  }
  for (let n = 1; n <= 3; n += 1) writeFileSync(join(source, 'voicemail', `${n}.wav`), randomBytes(200_000));
  writeFileSync(join(source, 'calls.log'), '');
  const where = given ?? { location: { kind: 'local', folder: at('location') }, secrets: {} };
  for (const [name, secret] of Object.entries(where.secrets)) {
    for (const { secrets } of [active, folder.data]) writeSecret(secrets, name, secret);
  }
  const pair = given === null ? 'lab' : `lab-${randomBytes(4).toString('hex')}`;
  return { pair, where, active, source, copy };
}

/** The sections of estepe.yaml about it: what stands where on that node, and where the other's goes there. */
export function replicaYaml({ where, source, copy }: ReplicaPlace, node: 'active' | 'spare'): string {
  const [own, others] = node === 'active' ? [source, copy] : [copy, source];
  // JSON is YAML, too, whatever a path holds.
  return `backup:
  location: ${JSON.stringify(where.location)}
  source: { folders: [${JSON.stringify(own)}] }
  schedule: "0 1 * * *"
restore:
  into: [{ from: ${JSON.stringify(others)}, to: ${JSON.stringify(own)} }]
  schedule: "0 3 * * *"
  whenNewer: true
  poll: 2s
  maxOffset: 24h
`;
}

export type LabNode = 'active' | 'spare';

export interface Replica {
  /** where backups are kept, without secrets */
  readonly title: string;
  /** The active makes a backup, the spare restores it. @throws EstepeError why not; Stopped */
  bringOver(say: (sentence: string) => void, signal: AbortSignal): Promise<void>;
  /** A call that comes after the backup: with the active it would be lost. Answers its line in that node's call log. */
  call(node?: LabNode): string;
  /** Whether that line stands in the call log of that node. */
  knows(node: LabNode, line: string): boolean;
  /** What that node has, held against the newest backup in the location. */
  compare(node: LabNode): Promise<DataOutcome>;
  /** The active's engine; the last one's where none runs. */
  readonly desk: Desk;
  /** what the active's engine wrote down, over all its lives here */
  readonly diary: Diary;
  /** The active's machine is switched off, and on again; its PBX is the stage's. */
  off(): Promise<void>;
  on(): Promise<void>;
  close(): Promise<void>;
}

interface Spare {
  desk: Desk;
  diary: Diary;
}

export interface ReplicaParts {
  place: ReplicaPlace;
  /** asked when there is something to restore: it is put up last */
  spare: () => Spare;
  version: string;
  trust: string;
  fqdn: string;
}

/** Starts the active's engine. @throws EstepeError */
export async function openReplica({ place, spare, version, trust, fqdn }: ReplicaParts): Promise<Replica> {
  const diary = new Diary();
  const dataFolder = place.active.root;
  const start = () => startStation({ dataFolder, version, trust, onEvent: (event) => diary.note(event) });
  let station = await start();
  const dataOf = (node: LabNode): string => (node === 'active' ? place.source : place.copy);
  const callLog = (node: LabNode): string => join(dataOf(node), 'calls.log');
  const title = station.desk.snapshot().backups.location ?? '';
  const clock = new RealClock();
  const open = (): Location => meansOf(place.active, clock).open(place.where.location);
  const signal = new AbortController().signal;
  return {
    title,
    diary,
    get desk() {
      return station.desk;
    },
    off: () => station.close(),
    async on() {
      station = await start();
    },
    async bringOver(say, until) {
      const { desk, diary: seen } = spare();
      await backedUp(station, seen, until);
      const { backups } = station.desk.snapshot();
      const name = backups.last.backup?.name ?? '';
      say(`The active backs its PBX up: ${name} in ${backups.location}, read back equal.`);
      await restored({ desk, diary: seen }, name, until);
      const { offset } = desk.snapshot();
      const age = durationWords(offset.ageMs ?? 0);
      say(
        `The spare has restored it, services left alone: its data is ${age} old (bound ${durationWords(offset.maxMs ?? 0)}).`,
      );
    },
    call(node = 'active') {
      const line = `${new Date().toISOString()} 100 -> 101`;
      writeFileSync(callLog(node), `${line}\n`, { flag: 'a' });
      return line;
    },
    knows: (node, line) => existsSync(callLog(node)) && readFileSync(callLog(node), 'utf8').split('\n').includes(line),
    async compare(node) {
      const { backups, offset } = (node === 'active' ? station : spare()).desk.snapshot();
      const name = backups.restored?.name ?? null;
      if (name === null) return { ...noData, differences: ['nothing was restored'] };
      const file = join(place.active.spool, 'compare.zip');
      const location = open();
      try {
        await fetchBackup(location, name, file, { clock, signal }, () => {});
        const expect = { pair: place.pair, fqdn, pbxVersion: null, maxBytes: null };
        const reading = { file, key: null, scratch: `${file}.plain`, expect };
        const { manifest, files, bytes } = (await verifyArchive(reading, { signal })).proven;
        const [root] = manifest.roots;
        const wanted = new Map<string, string>();
        for (const item of manifest.items) {
          if (item.kind === 'file') wanted.set(item.path.slice((root?.id.length ?? 0) + 1), item.sha256);
        }
        const newest = backups.rows[0]?.name === name ? [] : [`${name} is not the newest backup`];
        const differences = [...newest, ...differencesOf(wanted, filesIn(dataOf(node)))];
        return { backup: name, files, bytes, offsetMs: offset.ageMs, same: differences.length === 0, differences };
      } catch (error) {
        return { ...noData, backup: name, offsetMs: offset.ageMs, differences: [sentenceOf(error)] };
      } finally {
        rmSync(file, { force: true });
        await location.close();
      }
    },
    async close() {
      const { rows } = station.desk.snapshot().backups;
      await station.close();
      // In a folder of the lab's own they go, or stay, with it.
      if (place.pair !== 'lab') {
        const location = open();
        for (const { name } of rows) await removeBackup(location, name, signal).catch(() => {});
        const witness = await location.list(`${witnessFolder(place.pair)}/`, signal).catch(() => []);
        for (const { name } of witness) await location.remove(name, signal).catch(() => {});
        await location.close();
      }
      clock.close();
    },
  };
}

/** Orders a backup and waits for its end. @throws EstepeError `backup` in the words of the engine */
async function backedUp({ desk }: Pick<Station, 'desk'>, diary: Diary, signal: AbortSignal): Promise<void> {
  const { accepted, reason } = desk.backups.run({ by: byLab });
  if (!accepted)
    throw new EstepeError('backup', `The lab's backup was refused: ${reason}`, 'See the log of its engine.');
  await diary.until('the backup has ended', () => desk.snapshot().backups.work === null, patienceMs, signal);
  const end = desk.snapshot().backups.last.backup;
  if (end?.ok !== true) throw new EstepeError('backup', `The lab's backup failed: ${end?.sentence}`, end?.todo ?? '');
}

/** It looks for newer ones by itself; looking right away makes the lab quicker. */
async function restored({ desk, diary }: Spare, name: string, signal: AbortSignal): Promise<void> {
  void desk.backups.refresh();
  const ended = (): boolean => {
    const { restored: stands, last, work } = desk.snapshot().backups;
    return work === null && (stands?.name === name || last.restore?.ok === false);
  };
  await diary.until('the backup is restored', ended, patienceMs, signal);
  const { last } = desk.snapshot().backups;
  if (last.restore?.ok !== true)
    throw new EstepeError('backup', `The lab's restore failed: ${last.restore?.sentence}`, last.restore?.todo ?? '');
}

function filesIn(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  if (!existsSync(folder)) return files;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1).replaceAll('\\', '/');
    files.set(name, createHash('sha256').update(readFileSync(path)).digest('hex'));
  }
  return files;
}

function differencesOf(wanted: ReadonlyMap<string, string>, there: ReadonlyMap<string, string>): string[] {
  const missing = [...wanted.keys()].filter((name) => !there.has(name)).map((name) => `${name} is missing`);
  const others = [...there].flatMap(([name, sha256]) => {
    if (!wanted.has(name)) return [`${name} is not in the backup`];
    return wanted.get(name) === sha256 ? [] : [`${name} is another one than in the backup`];
  });
  return [...missing, ...others];
}
