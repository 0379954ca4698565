/** A whole restore that KILLs itself at one exact point. argv: the bench's folder, the point. Says each point it passes. */
import { appendFileSync } from 'node:fs';
import { Spare } from '../../unit/backup/spare.ts';
import { Bench } from '../../unit/backup/workbench.ts';
import { noteCommand } from './restore-points.ts';

const [folder = '', last] = process.argv.slice(2);
const spare = new Spare(new Bench(folder));
const passed = spare.at('passed');
const pass = (name: string): void => {
  appendFileSync(passed, `${name}\n`);
  if (name === last) process.kill(process.pid, 'SIGKILL');
};
const told = new Set<string>();
await spare.restore({
  here: { before: [noteCommand(passed, 'before ran')], after: [noteCommand(passed, 'after ran')] },
  boundary: pass,
  onProgress: ({ phase }) => {
    if (told.has(phase)) return;
    told.add(phase);
    pass(phase);
  },
});
pass('end');
spare.closeHistory();
process.exit(0);
