/**
 * `estepe serve` that dies at one exact point of a runbook: the product's own program, with a boundary before and after each write to
 * its journal. At the boundary that DIE_AT names it KILLs itself; each one it passes goes to the file `boundaries` in the data folder.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../../src-main/cli/program.ts';
import { Journal } from '../../../src-main/runbook/journal.ts';

const words = process.argv.slice(2);
const folder = words[words.indexOf('--data') + 1] ?? '.';
const last = process.env.DIE_AT;

function boundary(name: string): void {
  appendFileSync(join(folder, 'boundaries'), `${name}\n`);
  if (name === last) process.kill(process.pid, 'SIGKILL');
}

function around<T>(name: string, call: () => T): T {
  boundary(`before ${name}`);
  const answer = call();
  boundary(`after ${name}`);
  return answer;
}

const { begin, intend, conclude, setStatus, goUnder } = Journal.prototype;
Object.assign(Journal.prototype, {
  begin(this: Journal, ...given: Parameters<typeof begin>) {
    return around('begin', () => begin.apply(this, given));
  },
  intend(this: Journal, ...given: Parameters<typeof intend>) {
    return around(`intent ${given[1]}`, () => intend.apply(this, given));
  },
  conclude(this: Journal, ...given: Parameters<typeof conclude>) {
    return around(`result ${given[0].step}`, () => conclude.apply(this, given));
  },
  setStatus(this: Journal, ...given: Parameters<typeof setStatus>) {
    return around(`status ${given[0]}`, () => setStatus.apply(this, given));
  },
  goUnder(this: Journal, ...given: Parameters<typeof goUnder>) {
    return around('epoch noted', () => goUnder.apply(this, given));
  },
});

process.exitCode = await main(words);
