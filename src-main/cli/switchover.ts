/** `estepe switchover` and `estepe failback`: roles change while both nodes live, and what became of it. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import type { SwitchoverAnswer } from '../contract/desk.ts';
import type { PlannedKind } from '../contract/words.ts';
import { before } from './follow.ts';
import { collect, follow, overrideOf, refused } from './promote.ts';
import { type Done, type Paint, type Run, type Session, whoAmI } from './session.ts';
import { guardLine } from './status.ts';

interface SwitchoverOptions {
  override: string[];
  because?: string;
  whenIdle?: boolean;
  dryRun?: boolean;
  wait: boolean;
}

const described: Record<PlannedKind, string> = {
  switchover: 'make this node the active one while the other one lives, without losing data',
  failback: 'the way home: as `switchover`, once the other node has been healthy for long enough',
};

export function addSwitchover(program: Command, run: Run): void {
  for (const kind of ['switchover', 'failback'] as const) {
    program
      .command(kind)
      .description(described[kind])
      .option('--override <guard=reason>', 'go on although this guard says no; repeatable', collect, [])
      .option('--because <text>', 'why; kept in history')
      .option('--when-idle', 'before the claim wait until no call is active on the other node, for up to 12 h')
      .option('--dry-run', 'only say what would happen, and from where on there is no way back')
      .option('--no-wait', 'do not follow the steps until their end')
      .action(run<SwitchoverOptions>((session, options) => order(kind, session, options)));
  }
}

async function order(kind: PlannedKind, session: Session, options: SwitchoverOptions): Promise<Done> {
  const overrides = options.override.map(overrideOf);
  const engine = findEngine(session.dataFolder);
  const held = before(await engine.call((client) => client.snapshot()));
  const { because, dryRun = false, whenIdle = false } = options;
  const ask = { kind, by: whoAmI(), reason: because ?? '', overrides, whenIdle, dryRun };
  const answer = await engine.call((client) => client.switchover(ask));
  if (!answer.accepted) return refused(session, { command: kind, answer, guards: answer.guards, overrides, because });
  if (dryRun) return { exit: 0, document: answer, text: planText(answer, session.paint) };
  if (!options.wait) return { exit: 0, document: answer, text: answer.reason };
  return follow(session, answer, held);
}

function planText({ reason, plan, pointOfNoReturn, guards }: SwitchoverAnswer, paint: Paint): string {
  const steps = plan.flatMap((step, i) => [
    ...(i === pointOfNoReturn ? ['  -- point of no return: what stops before it leaves the pair as it was --'] : []),
    `  ${i + 1}. ${step}`,
  ]);
  return [
    reason,
    ...guards.map((guard) => guardLine(guard, paint)),
    'These steps would run (nothing was started):',
    ...steps,
  ].join('\n');
}
