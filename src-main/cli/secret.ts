/** `estepe secret set|list`: the secrets that estepe.yaml names. What they hold comes by stdin and is never printed. */
import type { Command } from 'commander';
import { openDataFolder } from '../config/data-folder.ts';
import { secretNames, writeSecret } from '../config/secrets.ts';
import { EstepeError } from '../contract/errors.ts';
import type { Run } from './session.ts';

export function addSecret(program: Command, run: Run): void {
  const secret = program.command('secret').helpCommand(false).description('the secrets that estepe.yaml names');
  secret
    .command('set')
    .description('keep one; it is read from stdin: `estepe secret set nas < FILE`')
    .argument('<name>', 'its name, as estepe.yaml has it')
    .action(
      run(async (session, _options, [name = '']) => {
        const { secrets } = openDataFolder(session.dataFolder);
        if (process.stdin.isTTY)
          session.say('Type or paste the secret, then end with Ctrl-D. It is shown while you type.');
        const given = await secretFrom(process.stdin);
        writeSecret(secrets, name, given);
        return { exit: 0, document: { name, set: true }, text: `The secret ${name} is kept.` };
      }),
    );
  secret
    .command('list')
    .description('their names')
    .action(
      run(async (session) => {
        const names = secretNames(openDataFolder(session.dataFolder).secrets).sort();
        return { exit: 0, document: { names }, text: names.join('\n') };
      }),
    );
}

/** More than this is no secret of ours. */
const mostBytes = 128 * 1024;

/** What comes in until its end, without the line end that a shell adds. */
export async function secretFrom(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > mostBytes) throw new EstepeError('usage', 'What came on stdin is too large for a secret.', 'give less');
    pieces.push(bytes);
  }
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
