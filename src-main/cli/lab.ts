/** `estepe lab`. */
import type { Command } from 'commander';
import { EstepeError } from '../contract/errors.ts';
import type { Run } from './session.ts';

export function addLab(program: Command, run: Run): void {
  program.command('lab').action(
    run(async () => {
      throw new EstepeError('runtime', 'estepe lab is not part of this build yet.', 'Use a later one.');
    }),
  );
}
