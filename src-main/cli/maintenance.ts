/** `estepe maintenance on|off`: no promotion by itself for a while, never without an end. */
import type { Command } from 'commander';
import { parseDuration } from '../config/duration.ts';
import { findEngine } from '../console/engine-client.ts';
import { durationWords } from '../contract/view.ts';
import { usage } from './failures.ts';
import { type Run, whoAmI } from './session.ts';
import { clock } from './status.ts';

const shortestMs = 60_000;
const longestMs = 7 * 24 * 3600_000;

export function addMaintenance(program: Command, run: Run): void {
  const maintenance = program
    .command('maintenance')
    .helpCommand(false)
    .description('no promotion by itself for a while');
  maintenance
    .command('on')
    .description('begin, or set a new end')
    .requiredOption('--for <duration>', 'how long, 1m to 7d; it ends by itself')
    .option('--because <text>', 'why; kept in history')
    .action(
      run<{ for: string; because?: string }>(async (session, options) => {
        const forMs = parseDuration(options.for);
        if (forMs === null || forMs < shortestMs || forMs > longestMs) {
          throw usage(
            `\`${options.for}\` is not a duration for maintenance.`,
            'Allowed: a whole number and one unit, such as 30m, 2h or 1d; from 1m to 7d.',
          );
        }
        const engine = findEngine(session.dataFolder);
        const ask = { by: whoAmI(), reason: options.because ?? '', forMs };
        const { until } = await engine.call((client) => client.maintenance.on(ask));
        const text = `Maintenance until ${clock(until)} (${durationWords(forMs)}). It ends by itself, or with \`estepe maintenance off\`.`;
        return { exit: 0, document: { maintenance: true, until }, text };
      }),
    );
  maintenance
    .command('off')
    .description('end it now')
    .action(
      run(async (session) => {
        const engine = findEngine(session.dataFolder);
        const { was } = await engine.call((client) => client.maintenance.off({ by: whoAmI() }));
        return {
          exit: 0,
          document: { maintenance: false, was },
          text: was ? 'Maintenance has ended.' : 'There was no maintenance.',
        };
      }),
    );
}
