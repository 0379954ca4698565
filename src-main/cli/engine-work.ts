/**
 * A backup, a proof or a restore by the engine that runs on the data folder: ordered there, followed here until it ends. Ctrl-C cancels
 * it; a second one leaves it to the engine.
 */
import { readEndpoint } from '../config/endpoint.ts';
import { type Engine, type EngineClient, findEngine } from '../console/engine-client.ts';
import type { BackupAnswer, BackupEnd, BackupKind, BackupWorkView } from '../contract/backups.ts';
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { followFeed } from './follow-feed.ts';
import { type Done, type Session, whoAmI } from './session.ts';
import { progressLine, progressWords } from './storage.ts';

/** The engine that runs on a data folder; null: none, so the command does it itself. @throws EstepeError `no-engine` while it starts */
export function runningEngine(dataFolder: string): Engine | null {
  const { state } = readEndpoint(dataFolder);
  return state === 'none' || state === 'stale' ? null : findEngine(dataFolder);
}

export interface WorkOrder {
  kind: BackupKind;
  give: (client: EngineClient, by: string) => Promise<BackupAnswer>;
}

/** After the order was taken, how long the engine may take to show it. */
const shownWithinMs = 10_000;

/** @throws EstepeError `refused`; as the work failed; `no-engine` when the engine is lost */
export async function byEngine(session: Session, engine: Engine, { kind, give }: WorkOrder): Promise<Done> {
  const { backups } = await engine.call((client) => client.snapshot());
  const answer = await engine.call((client) => give(client, whoAmI()));
  if (!answer.accepted) {
    throw new EstepeError('refused', answer.reason, 'look at `estepe status`, then try again', { kind });
  }
  const line = progressLine(session);
  const stop = stopsWork(session.dataFolder, kind, (text) => line.show(text));
  try {
    const end = await followWork(session.dataFolder, kind, backups.last[kind], (work) => {
      if (!work.cancelling) line.show(work.setback === '' ? progressWords(work) : work.setback);
    });
    line.end();
    return doneOf(session, end);
  } finally {
    stop();
    line.end();
  }
}

function doneOf({ paint }: Session, end: BackupEnd): Done {
  const { ok, cancelled, sentence, todo, name } = end;
  if (!ok)
    throw new EstepeError('backup', sentence, todo === '' ? 'look at `estepe history`' : todo, { cancelled, name });
  // Something beside it did not work, as in a command without an engine.
  const text = todo === '' ? paint('green', sentence) : `${paint('yellow', sentence)}\n${todo}`;
  return { exit: todo === '' ? 0 : 1, document: end, text };
}

function followWork(
  dataFolder: string,
  kind: BackupKind,
  before: BackupEnd | null,
  show: (work: BackupWorkView) => void,
): Promise<BackupEnd> {
  let idleAt: number | null = null;
  const seen = ({ backups: { work, last } }: Snapshot): BackupEnd | null => {
    const end = last[kind];
    if (end !== null && JSON.stringify(end) !== JSON.stringify(before)) return end;
    if (work?.kind === kind) {
      idleAt = null;
      show(work);
      return null;
    }
    idleAt ??= performance.now();
    if (performance.now() - idleAt < shownWithinMs) return null;
    throw new EstepeError(
      'internal',
      `The engine took the order, but neither shows the ${kind} nor how it ended.`,
      'look at `estepe history`',
    );
  };
  return followFeed(dataFolder, seen, {
    what: `The engine was lost while the ${kind} ran`,
    todo: 'when it runs again (`estepe serve`), `estepe backup list`, `estepe restore list` and `estepe history` tell what became of it',
  });
}

/** Ctrl-C and SIGTERM, until it is called: the first asks the engine to cancel, the second leaves. */
function stopsWork(dataFolder: string, kind: BackupKind, show: (text: string) => void): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) {
      process.stderr.write(`\nThe ${kind} goes on in the engine. \`estepe status\` shows it.\n`);
      process.exit(1);
    }
    asked = true;
    show('cancelling …');
    cancel(dataFolder).catch((error: unknown) => {
      process.stderr.write(`\nIt could not be cancelled: ${sentenceOf(error)}\n`);
    });
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  return () => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, onSignal);
  };
}

/** By the engine as it is found now: it may have been started again. One that has just ended is no fault. */
async function cancel(dataFolder: string): Promise<void> {
  await findEngine(dataFolder).call((client) => client.backups.cancel({ by: whoAmI() }));
}
