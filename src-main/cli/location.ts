/** `estepe location check`: whether backups can be kept there, by doing what they do. */
import type { Command } from 'commander';
import { checkLocation, type RightProven } from '../backup/check-location.ts';
import { msWords } from '../contract/view.ts';
import type { Paint, Run } from './session.ts';
import { withStorage } from './storage.ts';

export function addLocation(program: Command, run: Run): void {
  program
    .command('location')
    .helpCommand(false)
    .description('where backups are stored')
    .command('check')
    .description('prove each right it needs by using it; leaves nothing behind')
    .action(
      run((session) =>
        withStorage(session, async ({ location, clock, signal }) => {
          const rights = await checkLocation(location, clock, signal);
          const good = rights.every(({ outcome }) => outcome === 'ok');
          const end = good ? 'can be used' : 'cannot be used as it is';
          const text = [...rights.map((one) => rightLine(one, session.paint)), `${location.title} ${end}.`].join('\n');
          return { exit: good ? 0 : 1, document: { location: location.title, ok: good, rights }, text };
        }),
      ),
    );
}

function rightLine({ right, outcome, ms, sentence, todo }: RightProven, paint: Paint): string {
  const colour = outcome === 'ok' ? 'green' : outcome === 'failed' ? 'red' : 'yellow';
  const line = `${right.padEnd(10)} ${paint(colour, outcome.padEnd(7))} ${msWords(ms).padStart(9)}  ${sentence}`;
  return todo === '' ? line : `${line} (${todo})`;
}
