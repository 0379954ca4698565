/** `estepe promote` and `estepe cancel`: a person's orders, and what became of them. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import type { OrderAnswer } from '../contract/contract.ts';
import type { GuardView, RunbookView, Snapshot } from '../contract/snapshot.ts';
import { guardsToOverride, shortestReason } from '../contract/view.ts';
import { everyGuardName, type GuardName } from '../contract/words.ts';
import { usage } from './failures.ts';
import { before, followRunbook, isEndOf } from './follow.ts';
import { type Done, type Paint, type Run, type Session, whoAmI } from './session.ts';
import { guardLine, stepLine } from './status.ts';

interface PromoteOptions {
  override: string[];
  because?: string;
  dryRun?: boolean;
  skipStep?: boolean;
  wait: boolean;
}

export interface Override {
  guard: GuardName;
  reason: string;
}

export function addPromote(program: Command, run: Run): void {
  program
    .command('promote')
    .description('make this node the active one; with a halted runbook: go on with it')
    .option('--override <guard=reason>', 'go on although this guard says no; repeatable', collect, [])
    .option('--because <text>', 'why; kept in history')
    .option('--dry-run', 'only say what would happen')
    .option('--skip-step', 'with a halted runbook: leave the failed step out')
    .option('--no-wait', 'do not follow the steps until their end')
    .action(run<PromoteOptions>(promote));
}

export function addCancel(program: Command, run: Run): void {
  program
    .command('cancel')
    .description('do not take over: hold a confirmation, or take a running promotion back')
    .option('--because <text>', 'why; kept in history')
    .action(
      run<{ because?: string }>(async (session, options) => {
        const engine = findEngine(session.dataFolder);
        const snapshot = await engine.call((client) => client.snapshot());
        const ask = { by: whoAmI(), reason: options.because ?? '' };
        const answer = await engine.call((client) => client.cancel(ask));
        // A halted runbook is given up by stopping what it started: that takes its time, and can fail. One under way may be past
        // its point of no return: then it halts.
        const { phase } = snapshot.core;
        if (answer.accepted && (phase === 'halted' || phase === 'promoting')) return giveUp(session, answer, snapshot);
        return { exit: answer.accepted ? 0 : 1, document: answer, text: answer.reason };
      }),
    );
}

async function promote(session: Session, options: PromoteOptions): Promise<Done> {
  const overrides = options.override.map(overrideOf);
  const engine = findEngine(session.dataFolder);
  const held = before(await engine.call((client) => client.snapshot()));
  const answer = await engine.call((client) =>
    client.promote({
      by: whoAmI(),
      reason: options.because ?? '',
      overrides,
      dryRun: options.dryRun === true,
      skipStep: options.skipStep === true,
    }),
  );
  if (!answer.accepted) {
    const { guards } = await engine.call((client) => client.snapshot());
    return refused(session, { command: 'promote', answer, guards, overrides, because: options.because });
  }
  if (options.dryRun === true) {
    const plan = answer.plan.map((step, i) => `  ${i + 1}. ${step}`);
    const text = [answer.reason, 'These steps would run (nothing was started):', ...plan].join('\n');
    return { exit: 0, document: answer, text };
  }
  if (!options.wait) return { exit: 0, document: answer, text: answer.reason };
  return follow(session, answer, held);
}

/** Follows the runbook of an order that was taken to its end; it is well where this node is then what was ordered. */
export async function follow(session: Session, answer: OrderAnswer, held: ReturnType<typeof before>): Promise<Done> {
  session.say(answer.reason);
  const leave = (): void => {
    // The order was given; leaving the terminal takes nothing back.
    process.stderr.write('\nIt goes on without this terminal. `estepe status` shows it, `estepe cancel` stops it.\n');
    process.exit(1);
  };
  process.once('SIGINT', leave);
  try {
    const { runbook, snapshot } = await followRunbook(session.dataFolder, held, stepTeller(session));
    const well = runbook?.status === 'done' && isEndOf(runbook, snapshot);
    const outcome = runbook?.kind === 'stand-down' ? { stoodDown: well } : { promoted: well };
    return {
      exit: well ? 0 : 1,
      document: { ...answer, ...outcome, runbook },
      text: endText(runbook, snapshot, session.paint),
    };
  } finally {
    process.removeListener('SIGINT', leave);
  }
}

async function giveUp(session: Session, answer: OrderAnswer, was: Snapshot): Promise<Done> {
  session.say(answer.reason);
  const { runbook: open } = was;
  const isOpen = open?.status === 'running' || open?.status === 'halted';
  // It is the one that is open whose end is waited for, not a newer one's.
  const held = isOpen ? { runbook: open.id - 1, attempts: 0 } : before(was);
  const { runbook, snapshot } = await followRunbook(session.dataFolder, held, stepTeller(session));
  const { phase } = snapshot.core;
  const givenUp = runbook === null ? phase !== 'halted' && phase !== 'active' : runbook.status === 'cancelled';
  return {
    exit: givenUp ? 0 : 1,
    document: { ...answer, givenUp, runbook },
    text: runbook === null ? snapshot.core.sentence : endText(runbook, snapshot, session.paint),
  };
}

/** Says each step once for every state it gets into. */
function stepTeller(session: Session): (runbook: RunbookView, snapshot: Snapshot) => void {
  const told = new Set<string>();
  return (runbook, snapshot) => {
    for (const step of runbook.steps) {
      const key = `${step.id} ${step.state} ${step.attempt}`;
      if (step.state === 'waiting' || told.has(key)) continue;
      told.add(key);
      session.say(stepLine(step, snapshot.at, session.paint));
    }
  };
}

function endText(runbook: RunbookView | null, snapshot: Snapshot, paint: Paint): string {
  if (runbook === null) return paint('red', `Nothing was done: ${snapshot.core.reason}`);
  if (runbook.status === 'done') return paint(isEndOf(runbook, snapshot) ? 'green' : 'yellow', snapshot.core.sentence);
  if (runbook.status === 'cancelled') return paint('yellow', `Cancelled: ${runbook.reason}`);
  return [
    paint('red', `Halted: ${runbook.reason}`),
    'When the cause is gone: `estepe promote` tries the step again, `estepe promote --skip-step` leaves it out where it may be left out,',
    '`estepe cancel` gives it up.',
  ].join('\n');
}

export interface RefusedOrder {
  /** as it stands behind `estepe` */
  command: string;
  answer: OrderAnswer;
  guards: readonly GuardView[];
  overrides: readonly Override[];
  because: string | undefined;
}

/** An order that was not taken: by which guards, with what evidence, and how it is given over them. */
export function refused(session: Session, order: RefusedOrder): Done {
  const { answer, guards } = order;
  const named = guards.filter((guard) => answer.refusedBy.includes(guard.name));
  const blocking = named.length > 0 ? named : guardsToOverride(guards);
  const command = answer.refusedBy.length === 0 ? null : overrideCommand(session, order);
  const lines = [session.paint('red', `Refused: ${answer.reason}`)];
  if (command !== null) {
    lines.push(...blocking.map((guard: GuardView) => guardLine(guard, session.paint)));
    lines.push('If you know better, say so by name, with your reason (it is kept in history):', `  ${command}`);
  }
  return { exit: 1, document: { ...answer, guards: blocking, command }, text: lines.join('\n') };
}

/** The command as it was given, with what still has to be said. */
function overrideCommand(session: Session, order: RefusedOrder): string {
  const { answer, overrides, because } = order;
  const quote = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `"${text.replace(/["\\$`]/g, '\\$&')}"`);
  const given = overrides.map(({ guard, reason }) => `--override ${quote(`${guard}=${reason}`)}`);
  const missing = answer.refusedBy.filter((name) => !overrides.some(({ guard }) => guard === name));
  return [
    `estepe ${order.command}`,
    ...given,
    ...missing.map((name) => `--override ${quote(`${name}=why you know better`)}`),
    ...(because === undefined ? [] : [`--because ${quote(because)}`]),
    `--data ${quote(session.dataFolder)}`,
  ].join(' ');
}

/** Gathers what a repeatable option was given. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** `guard=reason`, as a person types it. @throws EstepeError `usage` */
export function overrideOf(text: string): Override {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  const guard = everyGuardName.find((one) => one === name);
  if (guard === undefined) {
    throw usage(`There is no guard \`${name}\`.`, `Guards are ${everyGuardName.join(', ')}.`);
  }
  const reason = at < 0 ? '' : text.slice(at + 1).trim();
  if (reason.length < shortestReason) {
    throw usage(
      `The guard \`${guard}\` is not overridden without a reason.`,
      `Write --override "${guard}=the reason".`,
    );
  }
  return { guard, reason };
}
