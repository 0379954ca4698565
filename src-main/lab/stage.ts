/**
 * The embedded pair on this machine: the active's PBX, the network between, and the spare's engine with its console, put up and taken
 * down as a whole. Acts on the pair; knows no scenario and prints nothing.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { toTests } from '../config/schema.ts';
import { type EngineHost, hostEngine, rendererFolder } from '../console/engine-host.ts';
import type { Desk } from '../contract/desk.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Beat } from '../engine/ports.ts';
import { RealNet } from '../heartbeat/real-net.ts';
import { RealProc } from '../runbook/real-proc.ts';
import { Diary, Stopped } from './diary.ts';
import { type EmbeddedPbx, embeddedPbxScript, startEmbeddedPbx } from './embedded-pbx.ts';
import { makeCertificate, type PbxCertificate } from './embedded-pbx-certificate.ts';
import { fqdn, furnish, type LabFolder, type Manner, openLabFolder, removeLabFolder } from './folder.ts';
import { type LabNetwork, startNetwork } from './network.ts';
import { mostTries, noSuchAddress, type Place, placeFor, portsFree } from './place.ts';
import { layOut, openReplica, type Replica } from './replica.ts';
import type { Where } from './where.ts';

export interface StageOptions {
  manner: Manner;
  /** the data folder to use; without it one of the lab's own */
  data?: string | undefined;
  /** leave the lab's own folder where it is */
  keep: boolean;
  /** where backups are kept; null: a folder of the lab's own */
  where: Where | null;
  version: string;
}

export interface Stage {
  readonly place: Place;
  readonly folder: LabFolder;
  /** whether the folder stays when the lab is over */
  readonly stays: boolean;
  readonly manner: Manner;
  readonly diary: Diary;
  readonly desk: Desk;
  /** where a browser gets in; secret */
  readonly link: string;
  /** whether the page that the console serves was built */
  readonly pageBuilt: boolean;
  readonly active: { readonly pid: number; readonly state: 'running' | 'hung' | 'gone' };
  readonly network: Pick<LabNetwork, 'isCut'>;
  readonly replica: Replica;
  /** Kills the active's PBX; answers the monotonic instant at which the signal was sent. */
  kill(): Promise<number>;
  /** Freezes the active's PBX; answers the instant. Not on Windows. */
  hang(): Promise<number>;
  /** Lets a hung active go on, starts a dead one; answers which. */
  bringBack(): Promise<'went on' | 'started again' | 'was there'>;
  /** Cuts the spare off from everything. Not on Windows. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** The pair's own tests, once, against this address. */
  ask(address: string): Promise<Beat[]>;
  /** Takes everything down; safe to call again. */
  close(): Promise<void>;
}

/**
 * Puts the pair up.
 * @param signal gives it up; what was up by then is taken down again
 * @throws EstepeError `port`, `runtime`, `usage`, `data-folder` …; Stopped by `signal`
 */
export async function openStage(options: StageOptions, signal: AbortSignal): Promise<Stage> {
  const undo: (() => unknown)[] = [];
  let up = false;
  const close = once(async () => {
    for (const each of undo.reverse()) await Promise.resolve(each()).catch(() => {});
  });
  const goOn = (): void => {
    if (signal.aborted) throw new Stopped('stopped');
  };
  try {
    goOn();
    const folder = openLabFolder(options.data);
    const own = options.data === undefined;
    const tidy = (): void => {
      // there is nothing in it yet that anybody would keep
      if (own && !(options.keep && up)) removeLabFolder(folder);
    };
    const last = (): void => {
      killDaemons(folder);
      tidy();
    };
    // For ends that leave no time for order.
    process.once('exit', last);
    undo.push(() => {
      process.removeListener('exit', last);
      tidy();
    });
    const certificate = await makeCertificate(fqdn);
    goOn();
    const { place, network, pbx } = await settle(folder, certificate, goOn);
    undo.push(
      () => network.stop(),
      () => pbx.stop(),
      () => stopDaemons(folder),
    );
    const replicaPlace = layOut(folder, options.where);
    furnish(folder, { place, manner: options.manner, certificate, replica: replicaPlace });
    const notePid = (): void => writeFileSync(folder.activePid, `${pbx.pid}\n`);
    notePid();
    goOn();
    const diary = new Diary();
    const trust = certificate.ca;
    // Before the spare: what starts beside its first round of tests makes it look slow.
    const spare = () => ({ desk: host.station.desk, diary });
    const replica = await openReplica({ place: replicaPlace, spare, version: options.version, trust, fqdn });
    undo.push(() => replica.close());
    goOn();
    const host: EngineHost = await hostEngine({
      dataFolder: folder.data.root,
      version: options.version,
      trust,
      onEvent: (event) => diary.note(event),
    });
    undo.push(() => host.close());
    goOn();
    const hands = handsOn({ pbx, network, notePid });
    // An action under way ends before what it acts on is taken down.
    undo.push(() => hands.settled());
    const { manner, keep } = options;
    up = true;
    return {
      place,
      folder,
      stays: keep || !own,
      manner,
      diary,
      replica,
      close,
      ...described(host, folder, certificate),
      ...hands.stage,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function described(host: EngineHost, folder: LabFolder, certificate: PbxCertificate) {
  const tests = toTests(loadConfig(folder.data.root).config);
  const { scripts, root: dataFolder } = folder.data;
  const net = new RealNet({ proc: new RealProc(), scripts, dataFolder, ca: certificate.ca });
  return {
    desk: host.station.desk,
    link: host.link,
    pageBuilt: existsSync(join(rendererFolder(), 'index.html')),
    ask: (address: string) =>
      Promise.all(tests.map((test) => net.probe(test, { address, fqdn }, new AbortController().signal))),
  };
}

/** Takes a place that nobody has: the network first, since its ports are what tells two labs apart. */
async function settle(folder: LabFolder, certificate: PbxCertificate, goOn: () => void) {
  for (let attempt = 0; ; attempt += 1) {
    goOn();
    const place = placeFor(attempt);
    const { sip: sipPort, web: webPort, tunnel: tunnelPort } = place.ports;
    const settings = { address: place.beyond, sipPort, webPort, tunnelPort, fqdn };
    let network: LabNetwork | null = null;
    try {
      network = await startNetwork(place);
      if (!(await portsFree(place.spare, place.ports))) {
        throw new EstepeError('port', `Ports on ${place.spare} are taken.`, 'Free them.');
      }
      const pbx = await startEmbeddedPbx({ ...settings, certificate, scratch: folder.scratch });
      return { place, network, pbx };
    } catch (error) {
      await network?.stop();
      if (!(error instanceof EstepeError) || error.code !== 'port') throw error;
      if (error.detail.code === 'EADDRNOTAVAIL') throw noSuchAddress(place);
      if (attempt + 1 >= mostTries) throw error;
    }
  }
}

interface Handles {
  pbx: EmbeddedPbx;
  network: LabNetwork;
  notePid: () => void;
}

/** What can be done to the pair, one at a time. */
function handsOn({ pbx, network, notePid }: Handles) {
  let hung = false;
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => T | Promise<T>): Promise<T> => {
    const turn = queue.then(act);
    queue = turn.catch(() => {});
    return turn;
  };
  const bringBack = async () => {
    if (pbx.running && !hung) return 'was there';
    if (pbx.running) {
      hung = false;
      pbx.thaw();
      return 'went on';
    }
    hung = false;
    await pbx.restart();
    notePid();
    return 'started again';
  };
  const stage: Pick<Stage, 'active' | 'network' | 'kill' | 'hang' | 'bringBack' | 'cut' | 'mend'> = {
    network,
    active: {
      get pid() {
        return pbx.pid;
      },
      get state() {
        if (!pbx.running) return 'gone';
        return hung ? 'hung' : 'running';
      },
    },
    kill: () =>
      inTurn(async () => {
        const at = performance.now();
        await pbx.kill();
        return at;
      }),
    hang: () =>
      inTurn(() => {
        const at = performance.now();
        pbx.freeze();
        hung = true;
        return at;
      }),
    bringBack: () => inTurn(bringBack),
    cut: () => inTurn(() => network.cut()),
    mend: () => inTurn(() => network.mend()),
  };
  return { stage, settled: () => queue };
}

/** Ends what the engines started, as `services.stop` would. */
async function stopDaemons({ sparePid, activePid }: LabFolder): Promise<void> {
  const there = [sparePid, activePid].filter((file) => existsSync(file));
  const stop = (file: string): Promise<void> =>
    new Promise((resolve) => {
      execFile(process.execPath, [embeddedPbxScript(), '--stop', '--daemon-pidfile', file], () => resolve());
    });
  await Promise.all(there.map(stop));
}

function killDaemons({ sparePid, activePid }: LabFolder): void {
  for (const file of [sparePid, activePid]) {
    try {
      const pid = Number(readFileSync(file, 'utf8'));
      const ours = process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(file);
      if (pid > 1 && ours) process.kill(pid, 'SIGKILL');
    } catch {
      // none was started, or it is gone
    }
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= act();
    return running;
  };
}
