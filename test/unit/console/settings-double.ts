/** The settings of the desk double: the real ones over a folder of their own; only what is tried for real is doubled. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolderAt } from '../../../src-main/config/data-folder.ts';
import { firstText } from '../../../src-main/config/first.ts';
import type { SettingsDesk } from '../../../src-main/contract/desk.ts';
import { type TrialKind, type TrialView, trialKinds } from '../../../src-main/contract/settings.ts';
import { settingsDesk } from '../../../src-main/station/settings/settings.ts';

export interface SettingsDouble extends SettingsDesk {
  /** of its own, gone with the process */
  readonly data: string;
  /** what the file says from now on */
  write(text: string): void;
  /** nobody has made a configuration yet */
  firstRun: boolean;
  show(kind: TrialKind, view: TrialView): void;
}

const made: string[] = [];
process.once('exit', () => {
  for (const data of made) rmSync(data, { recursive: true, force: true });
});

export function settingsDouble(asked: { call: string; ask: unknown }[], text: string): SettingsDouble {
  const data = mkdtempSync(join(tmpdir(), 'estepe-settings-'));
  made.push(data);
  const folder = dataFolderAt(data);
  mkdirSync(folder.secrets, { mode: 0o700 });
  writeFileSync(folder.config, text, { mode: 0o600 });
  const none: TrialView = { running: null, ended: null };
  const views = Object.fromEntries(trialKinds.map((kind) => [kind, none])) as Record<TrialKind, TrialView>;
  const trials: SettingsDesk['trials'] = {
    start({ kind }) {
      asked.push({ call: `try.${kind}`, ask: {} });
      views[kind] = { running: { startedAt: Date.now() }, ended: null };
      return { begun: true, sentence: '' };
    },
    view: () => ({ ...views }),
    cancel({ kind }) {
      asked.push({ call: `try.${kind}.cancel`, ask: {} });
      views[kind] = { running: null, ended: { at: Date.now(), how: 'cancelled', title: '', rows: [] } };
      return { was: true };
    },
  };
  const deskFor = (first: boolean) =>
    settingsDesk({
      ...{ folder, trials },
      firstText: first ? firstText : null,
      trouble: () => null,
      onSecret: () => {},
      note: (rule, sentence) => asked.push({ call: rule, ask: sentence }),
      onSaved: async () => null,
      clean: (said) => said,
    });
  const desks = { running: deskFor(false), first: deskFor(true) };
  const double: SettingsDouble = {
    data,
    firstRun: false,
    write: (now) => writeFileSync(folder.config, now),
    show(kind, view) {
      views[kind] = view;
    },
    read: () => (double.firstRun ? desks.first : desks.running).read(),
    check: (ask) => desks.running.check(ask),
    save: (ask) => desks.running.save(ask),
    setSecret: (ask) => desks.running.setSecret(ask),
    trials,
  };
  return double;
}
