/**
 * Asks the engine on the data folder argv[2], from inside the network namespace it was started in: for each line on stdin
 * {"id":1,"ask":{…}} one line {"id":1,"answer":…} or {"id":1,"error":"…"}. Ends with its stdin.
 */
import { createInterface } from 'node:readline';
import { findEngine } from '../../../src-main/console/engine-client.ts';
import { sentenceOf } from '../../../src-main/contract/errors.ts';
import { callDesk, type DeskAsk } from './desk-calls.ts';

const engine = findEngine(process.argv[2] ?? '');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ask } = JSON.parse(line) as { id: number; ask: DeskAsk };
  void engine
    .call((client) => callDesk(client, ask))
    .then(
      (answer) => ({ id, answer }),
      (error: unknown) => ({ id, error: sentenceOf(error) }),
    )
    .then((said) => process.stdout.write(`${JSON.stringify(said)}\n`));
}
