/** `estepe replay`. */
import type { Command } from 'commander';
import { EstepeError } from '../contract/errors.ts';
import type { Run } from './program.ts';

export function addReplay(program: Command, run: Run): void {
  program.command('replay').action(
    run(async () => {
      throw new EstepeError('runtime', 'estepe replay is not part of this build yet.', 'Use a later one.');
    }),
  );
}
