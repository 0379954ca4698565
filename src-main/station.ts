/**
 * The composition root: one data folder, one engine on the real ports, and the desk through which clients see and order.
 * Wires; decides nothing. The console, the tray and the lab get the desk from here.
 */
import { randomBytes } from 'node:crypto';
import { Storeroom } from './backup/storeroom.ts';
import { meansOf } from './backup/work-of-config.ts';
import { type DataFolder, openDataFolder } from './config/data-folder.ts';
import { type Loaded, loadConfig } from './config/load.ts';
import { type Ownership, takeOwnership } from './config/owner.ts';
import { readSecret, redact } from './config/secrets.ts';
import type { Desk } from './contract/desk.ts';
import { sentenceOf } from './contract/errors.ts';
import type { Severity } from './contract/words.ts';
import type { NewEvent } from './engine/ports.ts';
import { RealClock } from './heartbeat/real-clock.ts';
import { RealNet } from './heartbeat/real-net.ts';
import { type History, openHistory } from './history/history.ts';
import { RealDns } from './runbook/dns/real-dns.ts';
import { XapiClient } from './runbook/fence/xapi.ts';
import { RealFiles } from './runbook/real-files.ts';
import { RealProc } from './runbook/real-proc.ts';
import { BeatRing } from './station/beat-ring.ts';
import { BootLook } from './station/boot-look.ts';
import { consoleToken, portBefore, portKey } from './station/console-token.ts';
import { makeDesk } from './station/desk.ts';
import { Doctor } from './station/doctor/doctor.ts';
import type { DoctorParts } from './station/doctor/shared.ts';
import type { Drill } from './station/drill/drill.ts';
import { wireDrill } from './station/drill-wiring.ts';
import { Engine } from './station/engine.ts';
import { knownSecrets } from './station/known-secrets.ts';
import { bootIdHere, LetOn, latest, letOnWish } from './station/let-on.ts';
import { type Log, type LogLevel, openLog, roundLine } from './station/log.ts';
import { OtherNode } from './station/other-node.ts';
import { wirePeer } from './station/peer-wiring.ts';
import { backupForOther, type PlannedParts, pairAtWork, plannedSight } from './station/planned.ts';
import { prunes } from './station/pruning.ts';
import { Recorder } from './station/recorder.ts';
import { RunningConfig } from './station/running-config.ts';
import { settingsDesk } from './station/settings/settings.ts';
import { Trials } from './station/settings/trials.ts';
import { siteOf } from './station/site.ts';
import { stopOrder } from './station/stop-order.ts';
import { wireTelling } from './station/telling.ts';
import { witnessed } from './station/witness.ts';

export interface StationOptions {
  /** default: the machine's usual one */
  dataFolder?: string | undefined;
  version: string;
  /** default: info */
  logLevel?: LogLevel;
  /** authorities (PEM) that the web test trusts instead of the built-in ones; for the lab's own */
  trust?: string;
  /** ends the process, by whose order; absent: something else runs in it, and the order is refused */
  onStop?: (by: string) => void;
  /** told of each event as it is written; must not throw */
  onEvent?: (event: NewEvent) => void;
  /** what is to be told to people, once per incident; must not throw */
  tell?: (message: { key: string; severity: Severity; text: string }) => void;
}

export interface Station {
  readonly folder: DataFolder;
  readonly desk: Desk;
  readonly log: Log;
  /** where and how the console listens, by the configuration; `before`: the port it had last, so that an open page finds it */
  readonly console: { address: string; port: number; before: number | null };
  /** what clients prove themselves with; made once for a data folder, secret */
  readonly token: string;
  /** Tells clients where this engine's console is. */
  publish(console: { url: string; port: number }): void;
  /** Ends the watch, the running step and the history, in this order; an open runbook is resumed at the next start. Again does nothing. */
  close(): Promise<void>;
}

/** A data folder that belongs to this process. */
export interface HeldFolder {
  readonly folder: DataFolder;
  readonly ownership: Ownership;
}

/** @throws EstepeError `data-folder`, `owned` */
export function holdFolder(dataFolder?: string): HeldFolder {
  const folder = openDataFolder(dataFolder);
  return { folder, ownership: takeOwnership(folder) };
}

/**
 * Starts an engine on a data folder.
 * @param held is given free again when it fails, or when the station is closed
 * @throws EstepeError `data-folder`, `owned`, `config`, `database`, `runtime`: what, where and what to do; nothing runs then
 */
export async function startStation(options: StationOptions, held = holdFolder(options.dataFolder)): Promise<Station> {
  const { folder, ownership } = held;
  let history: History | null = null;
  try {
    const loaded = loadConfig(folder.root);
    history = openHistory(folder.db, { onDamage: 'set-aside' });
    return assemble(options, { folder, ownership, loaded, history });
  } catch (error) {
    history?.close();
    ownership.release();
    throw error;
  }
}

interface Parts {
  folder: DataFolder;
  ownership: Ownership;
  loaded: Loaded;
  history: History;
}

function assemble(options: StationOptions, { folder, ownership, loaded, history }: Parts): Station {
  const { version, trust, onEvent = () => {} } = options;
  const startedAt = Date.now();
  const token = consoleToken(folder.secrets);
  const secrets = knownSecrets(folder.secrets);
  const log = openLog(folder.logs, secrets.all, { level: options.logLevel });
  const clock = new RealClock();
  const proc = new RealProc({ say: (sentence) => log.warn(sentence) });
  const witness = witnessed(history, secrets.all, (event) => {
    log.event(event.severity, `[${event.rule}] ${event.reason}`);
    onEvent(event);
  });
  const { store } = witness;
  const files = new RealFiles(folder.scripts);
  const secretOf = (name: string): string => {
    const secret = readSecret(folder.secrets, name);
    secrets.add(secret);
    return secret;
  };
  const ports = {
    clock,
    proc,
    store,
    net: new RealNet({ proc, scripts: folder.scripts, dataFolder: folder.root, ...(trust ? { ca: trust } : {}) }),
    files,
    dns: new RealDns({ clock, proc, files, scriptsFolder: folder.scripts, secretOf, hide: secrets.add }),
    pbxApi: new XapiClient({ secret: (name) => readSecret(folder.secrets, name), ...(trust ? { ca: trust } : {}) }),
    random: { hex: (bytes: number) => randomBytes(bytes).toString('hex') },
  };
  const config = new RunningConfig(folder.root, loaded);
  const site = () => siteOf(config.running, folder, process.platform);
  const recorder = new Recorder(folder.logs);
  const beats = new BeatRing(history);
  let changed = (): void => {};
  const clean = (text: string): string => redact(text, secrets.all());
  const notifier = wireTelling({
    ...{ clock, proc, random: ports.random, version, trust, secretOf, clean },
    ...{ deliveries: history.deliveries, cwd: folder.root },
    config: () => config.running,
    note: (severity, rule, sentence) => note(severity, rule, sentence, 'engine'),
    onChange: () => changed(),
    onFault: (error) => log.error(`people could not be told: ${sentenceOf(error)}`),
  });
  const tell: NonNullable<StationOptions['tell']> = (message) => {
    options.tell?.(message);
    notifier.tell(message);
  };
  const storeroom: Storeroom = new Storeroom({
    ...{ clock, proc, folder, tell },
    random: ports.random,
    store,
    restores: history.restores,
    means: meansOf(folder, clock, secrets.add),
    config: () => config.running,
    around: {
      standing: () => engine.interpreter.standing,
      runbookOpen: () => engine.runner.isOpen,
      moment: () => {
        const { phase, verdict } = engine.interpreter.state;
        return { phase, verdict };
      },
    },
    clean,
    onChange: () => changed(),
    onData: () => engine.interpreter.tick(),
  });
  const other: OtherNode = new OtherNode({
    ...{ clock, store, version, site, proc, net: ports.net, random: ports.random },
    means: meansOf(folder, clock, secrets.add),
    config: () => config.running,
    engine: () => engine,
    newestBackup: () => storeroom.newest(),
    note: (rule, severity, sentence) => note(severity, rule, sentence, 'engine'),
    // Seen at once, and restored where that is chosen; `restore.poll` is for nodes that hear of nothing.
    onBackupNews: () => void storeroom.desk.refresh(),
    onNews: () => engine.interpreter.tick(),
  });
  const planned: PlannedParts = {
    ...{ clock, storeroom, link: () => peer.link },
    home: () => config.running.role === 'active',
  };
  const ended = new AbortController();
  const engine: Engine = new Engine(
    {
      ...ports,
      claims: other.claims,
      peer: { isPaired: () => peer.link.state().paired, askStandDown: (...ask) => peer.link.askStandDown(...ask) },
      pair: pairAtWork(planned),
    },
    site(),
    {
      word: () => other.word(),
      claims: () => other.claimsSeen(),
      data: () => storeroom.data(),
      planned: () => plannedSight(planned),
      settled: (signal) => storeroom.settled(signal),
      lettingOn: (signal) => letOn.ended(signal),
    },
    {
      onChange: () => {
        storeroom.look();
        other.changed();
        bootLook.look();
        letOn.look();
        drill.look();
        changed();
      },
      onRound: (round, wall) => {
        log.debug(roundLine(round));
        store.beats(round.beats.map((beat) => ({ test: beat.test, at: Math.round(wall), beat })));
        beats.add(round, wall);
      },
      tell: (message) => tell(message),
      onDecided: (before, observation, decision) => recorder.note(before, observation, decision),
    },
  );
  const bootLook = new BootLook({
    ...{ clock, proc },
    names: () => config.running.services.names,
    role: () => engine.interpreter.standing.role,
    letOn: () => config.running.services.letOn,
    platform: process.platform,
    cwd: folder.root,
    onChange: () => changed(),
  });
  const letOn = new LetOn({
    ...{ clock, proc, store, site },
    wish: () => letOnWish(config.running),
    serves: () => engine.serves,
    askable: () => other.claimsSeen().state !== 'alone' || peer.link.state().paired,
    heardAt: () => latest(other.claimsSeenAt(), peer.link.state().lastHeardAt),
    bootId: bootIdHere(clock.wall()),
    note: (rule, severity, reason) => note(severity, rule, reason, 'engine'),
    tell: (message) => tell(message),
    onChange: () => changed(),
  });
  const note = (severity: Severity, rule: string, reason: string, kind: NewEvent['kind'] = 'config'): void => {
    const { phase, verdict } = engine.interpreter.state;
    store.event({ at: clock.wall(), kind, severity, rule, reason, phase, verdict, evidence: {} });
  };
  const peer = wirePeer({
    ...{ ports, engine, folder, version, other },
    config: () => config.running,
    askedForBackup: (_because, onProgress) => backupForOther(planned, ended.signal, onProgress),
    askedToStandDown: (epoch, because) => engine.standDownAsked(epoch, because),
    note: (severity, rule, reason) => note(severity, rule, reason, 'engine'),
    onFault: (error) => log.error(`the peer link: ${sentenceOf(error)}`),
    onChange: () => changed(),
  });
  const looking: DoctorParts = {
    ...{ clock, proc, files, folder, version, site },
    ...{ net: ports.net, dns: ports.dns, random: ports.random, means: meansOf(folder, clock, secrets.add) },
    config: () => config.running,
    role: () => engine.interpreter.standing.role,
    ownRound: () => other.ownRound(),
    peer: peer.link,
    restored: () => storeroom.view().restored,
    platform: process.platform,
    uid: process.getuid?.() ?? null,
  };
  const doctor = new Doctor(looking, clean);
  const drill: Drill = wireDrill({
    ...{ looking, folder, engine, storeroom, store, clean, tell },
    note: (rule, severity, sentence, kind) => note(severity, rule, sentence, kind),
    pbxApi: ports.pbxApi,
    onChange: () => changed(),
  });
  const trials = new Trials({ ...looking, clean, trust, secretOf });
  const settings = settingsDesk({
    ...{ folder, clean },
    firstText: null,
    trouble: () => config.shown().trouble,
    trials: trials.desk,
    onSecret: secrets.add,
    note: (rule, sentence) => note('info', rule, sentence),
    // the watch on the file takes it over in a moment, as from anybody who writes it
    onSaved: async () => null,
  });
  const desk = makeDesk({
    engine,
    settings,
    clock,
    history,
    events: witness.events,
    beats,
    config,
    backups: storeroom,
    peer: peer.link,
    doctor,
    drill,
    notifier,
    troublesBeside: () => [...letOn.troubles(), ...bootLook.troubles(), ...other.troubles()],
    saidByOther: () => other.saidByOther(),
    stop: stopOrder(options.onStop, (sentence) => note('info', 'order.stop', sentence, 'engine')),
    self: { startedAt, version, pid: process.pid, dataFolder: folder.root },
    onFault: (error) => log.error(`a snapshot could not be taken: ${sentenceOf(error)}`),
  });
  changed = () => desk.changed();
  config.watch({
    accepted: () => {
      secrets.read();
      engine.reconfigure(site());
      storeroom.reconfigured();
      other.reconfigured();
      peer.configure();
      bootLook.look();
      drill.reconfigured();
      notifier.reconfigured();
      note('info', 'config.accepted', 'estepe.yaml changed and is used from now on');
      desk.changed();
    },
    refused: (trouble) => {
      note('warning', 'config.refused', `estepe.yaml changed and is refused; the old one goes on: ${trouble}`);
      desk.changed();
    },
  });
  log.info(`Estepe ${version} starts on ${folder.root}, process ${process.pid}`);
  if (history.notice !== null) log.warn(history.notice.sentence);
  // Before all who have something to tell.
  notifier.start();
  // A restore that a crash cut off is ended before anything else; the watch does not wait for it, a promotion does.
  storeroom.start();
  // Before the engine, which may go on at once with a planned change of roles that a crash cut off.
  peer.configure();
  engine.start();
  other.start();
  bootLook.look();
  letOn.start();
  drill.start();
  const stopPruning = prunes(clock, history, config, log);

  let closing: Promise<void> | null = null;
  return {
    folder,
    desk: desk.desk,
    log,
    token,
    console: {
      address: config.running.console.address,
      port: config.running.console.port,
      before: portBefore(store.recall(portKey)),
    },
    publish({ url, port }) {
      ownership.publish({ endpoint: url, token, pid: process.pid, startedAt, version });
      try {
        store.remember(portKey, port);
      } catch {
        // a full disk: the next start takes another port, that is all
      }
    },
    close() {
      closing ??= (async () => {
        stopPruning();
        ended.abort();
        config.close();
        other.close();
        bootLook.close();
        letOn.close();
        await Promise.all([
          trials.close(),
          doctor.close(),
          drill.close(),
          peer.close(),
          storeroom.close(),
          engine.stop(),
        ]);
        await notifier.close();
        desk.close();
        clock.close();
        log.info('Estepe has stopped');
        history.close();
        ownership.release();
      })();
      return closing;
    },
  };
}
