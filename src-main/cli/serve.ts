/** `estepe serve`. */
import type { Command } from 'commander';
import { EstepeError } from '../contract/errors.ts';
import type { Run } from './program.ts';

export function addServe(program: Command, run: Run): void {
  program.command('serve').action(
    run(async () => {
      throw new EstepeError('runtime', 'estepe serve is not part of this build yet.', 'Use a later one.');
    }),
  );
}
