/**
 * A data folder before its first configuration: nothing is watched, and its desk offers the settings alone. Ends when a configuration
 * that can be used stands there, whoever wrote it.
 */
import { randomBytes } from 'node:crypto';
import { meansOf } from '../backup/work-of-config.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { firstText, isUntouched } from '../config/first.ts';
import type { FileChecked } from '../config/load.ts';
import { standingFile } from '../config/save.ts';
import { readSecret, redact } from '../config/secrets.ts';
import { watchConfig } from '../config/watch.ts';
import type { Desk } from '../contract/desk.ts';
import { EstepeError } from '../contract/errors.ts';
import { RealClock } from '../heartbeat/real-clock.ts';
import { RealNet } from '../heartbeat/real-net.ts';
import { RealFiles } from '../runbook/real-files.ts';
import { RealProc } from '../runbook/real-proc.ts';
import { consoleToken } from './console-token.ts';
import { knownSecrets } from './known-secrets.ts';
import { type Log, type LogLevel, openLog } from './log.ts';
import { settingsDesk } from './settings/settings.ts';
import { Trials } from './settings/trials.ts';
import { stopOrder } from './stop-order.ts';

/** Whether nobody has made a configuration here yet: there is none, or it is the printed example. */
export function isFirstRun(dataFolder: string): boolean {
  const { mark, text } = standingFile(dataFolder);
  return mark === '' || (text !== null && isUntouched(text));
}

export interface FirstRunParts {
  folder: DataFolder;
  trust?: string | undefined;
  onStop?: ((by: string) => void) | undefined;
  logLevel?: LogLevel | undefined;
  version: string;
  /** a configuration that can be used stands there; answers why it is not in use all the same, or null */
  begin: () => Promise<string | null>;
}

export interface FirstRun {
  readonly desk: Desk;
  readonly log: Log;
  /** what clients prove themselves with; the engine that follows has the same */
  readonly token: string;
  close(): Promise<void>;
}

export function openFirstRun({ folder, trust, version, logLevel, onStop, begin }: FirstRunParts): FirstRun {
  const clock = new RealClock();
  const token = consoleToken(folder.secrets);
  const secrets = knownSecrets(folder.secrets);
  const log = openLog(folder.logs, secrets.all, { level: logLevel });
  const proc = new RealProc({ say: (sentence) => log.warn(sentence) });
  const clean = (text: string): string => redact(text, secrets.all());
  let trouble: string | null = null;
  let beginning: Promise<string | null> | null = null;
  /** Once at a time: the page that saved and the watch on the file both come here. */
  const begun = (): Promise<string | null> => {
    beginning ??= begin()
      .then((why) => {
        trouble = why;
        return why;
      })
      .finally(() => {
        beginning = null;
      });
    return beginning;
  };
  const trials = new Trials({
    ...{ clock, proc, folder, clean, version, trust },
    secretOf: (name: string) => {
      const secret = readSecret(folder.secrets, name);
      secrets.add(secret);
      return secret;
    },
    net: new RealNet({ proc, scripts: folder.scripts, dataFolder: folder.root, ...(trust ? { ca: trust } : {}) }),
    files: new RealFiles(folder.scripts),
    random: { hex: (bytes: number) => randomBytes(bytes).toString('hex') },
    means: meansOf(folder, clock, secrets.add),
    platform: process.platform,
    uid: process.getuid?.() ?? null,
  });
  const settings = settingsDesk({
    ...{ folder, firstText, clean },
    trouble: () => trouble,
    trials: trials.desk,
    onSecret: secrets.add,
    note: (rule, sentence) => log.info(`[${rule}] ${sentence}`),
    onSaved: begun,
  });
  const unwatch = watchConfig(folder.root, (seen: FileChecked) => {
    // Written by hand or by the command line meanwhile.
    if (seen.ok && seen.text !== null && !isUntouched(seen.text)) void begun();
  });
  return {
    desk: deskOf(
      settings,
      folder.config,
      stopOrder(onStop, (sentence) => log.info(sentence)),
    ),
    ...{ log, token },
    async close() {
      unwatch();
      await trials.close();
      clock.close();
    },
  };
}

function notYet(): never {
  throw new EstepeError(
    'first-run',
    'Estepe is not set up here yet: nothing is watched.',
    'open the console, it asks for all that is needed; or write estepe.yaml yourself (`estepe config example`)',
  );
}

/** The settings, and for everything else why it cannot be had. */
function deskOf(settings: Desk['settings'], path: string, stop: Desk['stop']): Desk {
  const later = async (): Promise<never> => notYet();
  return {
    snapshot: notYet,
    subscribe: notYet,
    stop,
    ...{ promote: later, switchover: later, standDown: later, cancel: later },
    ...{ maintenanceOn: notYet, maintenanceOff: notYet, standingConfirmed: notYet },
    backups: { refresh: later, run: notYet, verify: notYet, restore: notYet, cancel: notYet },
    pair: { open: notYet, join: later, status: notYet, remove: notYet },
    doctor: { start: notYet, view: notYet },
    drill: { start: notYet, cancel: notYet, report: notYet },
    notify: { test: later, list: notYet },
    settings,
    ...{ events: notYet, series: notYet, beats: notYet },
    configShown: () => ({ path, text: '', trouble: null }),
  };
}
