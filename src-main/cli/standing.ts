/** `estepe standing [confirm]`: role and epoch of this node, and a person's word that they are right. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import { type Run, whoAmI } from './session.ts';

export function addStanding(program: Command, run: Run): void {
  const standing = program
    .command('standing')
    .helpCommand(false)
    .description('role and epoch of this node')
    .action(
      run(async (session) => {
        const { nodes, troubles } = await findEngine(session.dataFolder).call((client) => client.snapshot());
        const own = nodes.find((node) => node.self);
        const trouble = troubles.find(({ key }) => key === 'standing-lost');
        const lines = [`This node is ${own?.role ?? 'of unknown role'} under epoch ${own?.epoch ?? 'unknown'}.`];
        if (trouble !== undefined) lines.push(session.paint('yellow', `! ${trouble.sentence} ${trouble.todo}`));
        const document = { role: own?.role ?? null, epoch: own?.epoch ?? null, lost: trouble !== undefined };
        return { exit: 0, document, text: lines.join('\n') };
      }),
    );
  standing
    .command('confirm')
    .description('say that they are right after a damaged history had lost them')
    .option('--because <text>', 'why; kept in history')
    .action(
      run<{ because?: string }>(async (session, { because = '' }) => {
        const engine = findEngine(session.dataFolder);
        const { was } = await engine.call((client) => client.standing.confirm({ by: whoAmI(), reason: because }));
        const text = was
          ? 'Confirmed: role and epoch of this node are as they stand here; they hold nothing back any more.'
          : 'There was nothing to confirm: role and epoch were not lost.';
        return { exit: 0, document: { confirmed: was }, text };
      }),
    );
}
