/** `estepe stand-down`: the active node ceases to serve, at a person's order. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import { before } from './follow.ts';
import { collect, follow, overrideOf, refused } from './promote.ts';
import { type Done, type Run, type Session, whoAmI } from './session.ts';
import { guardLine } from './status.ts';

interface StandDownOptions {
  override: string[];
  because?: string;
  dryRun?: boolean;
  wait: boolean;
}

export function addStandDown(program: Command, run: Run): void {
  program
    .command('stand-down')
    .description('this node is active: stop its PBX and leave the service to the other node')
    .option('--override <guard=reason>', 'go on although this guard says no; repeatable', collect, [])
    .option('--because <text>', 'why; kept in history')
    .option('--dry-run', 'only say what would happen')
    .option('--no-wait', 'do not follow the steps until their end')
    .action(run<StandDownOptions>(standDown));
}

async function standDown(session: Session, options: StandDownOptions): Promise<Done> {
  const overrides = options.override.map(overrideOf);
  const engine = findEngine(session.dataFolder);
  const held = before(await engine.call((client) => client.snapshot()));
  const { because, dryRun = false } = options;
  const ask = { by: whoAmI(), reason: because ?? '', overrides, dryRun };
  const answer = await engine.call((client) => client.standDown(ask));
  if (!answer.accepted)
    return refused(session, { command: 'stand-down', answer, guards: answer.guards, overrides, because });
  if (dryRun) {
    const guards = answer.guards.map((guard) => guardLine(guard, session.paint));
    const steps = answer.plan.map((step, i) => `  ${i + 1}. ${step}`);
    const text = [answer.reason, ...guards, 'These steps would run (nothing was started):', ...steps].join('\n');
    return { exit: 0, document: answer, text };
  }
  if (!options.wait) return { exit: 0, document: answer, text: answer.reason };
  return follow(session, answer, held);
}
