#!/usr/bin/env node
/**
 * The command line's entry. Says in words when this Node is too old, before anything native is loaded: better-sqlite3's
 * binaries need Node-API 10 and an older Node dies in them without a word.
 */
import { EstepeError } from './contract/errors.ts';

const neededNodeApi = 10;

const argv = process.argv.slice(2);
if (Number(process.versions.napi ?? 0) < neededNodeApi) {
  const error = new EstepeError(
    'runtime',
    `This Node (${process.versions.node}, Node-API ${process.versions.napi ?? 'unknown'}) is too old for Estepe.`,
    'Run it with Node 22.14 or newer; in the repository `npm run -s estepe -- …` brings the right one.',
    { node: process.versions.node, napi: process.versions.napi ?? null },
  );
  if (argv.includes('--json')) console.log(JSON.stringify({ error }));
  else console.error(`${error.message}\n${error.todo}`);
  process.exitCode = error.exitCode;
} else {
  // `estepe … | head` closes our stdout early; that is the reader's right and no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const [{ main }, { leaveSoon }] = await Promise.all([import('./cli/program.ts'), import('./cli/leave.ts')]);
  const exit = await main(argv);
  process.exitCode = exit;
  leaveSoon(exit);
}
