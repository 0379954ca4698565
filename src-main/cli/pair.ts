/** `estepe pair …`: the link to the engine on the other node. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { type Engine, findEngine } from '../console/engine-client.ts';
import type { PeerStatus } from '../contract/peer.ts';
import { durationWords } from '../contract/view.ts';
import { type Run, type Session, whoAmI } from './session.ts';
import { clock } from './status.ts';

/** What is not protected without the link, for people; the page has its own words. */
const goods: Record<PeerStatus['unprotected'][number], string> = {
  'stand-down': 'the old active is not asked to stand down before this node goes live: fence it by a script or by hand',
  'health-from-inside': 'a PBX that is up and deaf, or well and cut off, is judged from outside alone',
  standing: 'role and epoch of the other node are not told directly: two actives are noticed late',
  parity: 'the two machines are not compared (versions, certificate, clock, disk)',
  'backup-news': 'a new backup is noticed when the location is looked at, not at once',
};

const state: Record<PeerStatus['state'], string> = {
  off: 'No peer link is configured (section `peer` of estepe.yaml).',
  unpaired: 'The link is configured; the two nodes are not paired.',
  pairing: 'A pairing is open: a code is shown here.',
  up: 'Paired, and the other node is heard.',
  down: 'Paired, but the other node is not heard.',
};

function statusText(status: PeerStatus, session: Session): string {
  const { listening, address, lastHeardAt, trouble, unprotected, ownFingerprint, otherFingerprint, pairedAt } = status;
  const lines = [state[status.state]];
  if (listening !== null) lines.push(`Listens on ${listening}; looks for the other node on ${address}.`);
  if (pairedAt !== null) lines.push(`Paired with ${status.otherPlace} at ${clock(pairedAt)}.`);
  if (lastHeardAt !== null) lines.push(`Last heard ${durationWords(Math.max(0, Date.now() - lastHeardAt))} ago.`);
  if (ownFingerprint !== null) lines.push(`This node:  ${ownFingerprint}`);
  if (otherFingerprint !== null) lines.push(`Other node: ${otherFingerprint}`);
  if (status.pairing?.state === 'ended') lines.push(`Last pairing: ${status.pairing.sentence}`);
  if (trouble !== null) lines.push(session.paint('yellow', `! ${trouble}`));
  if (unprotected.length > 0)
    lines.push('Not protected without it:', ...unprotected.map((good) => `  - ${goods[good]}`));
  return lines.join('\n');
}

const askEveryMs = 500;

/** Until the code was used, worn out or too old. */
async function pairingEnd(engine: Engine): Promise<PeerStatus> {
  for (;;) {
    const status = await engine.call((client) => client.pair.status());
    if (status.pairing?.state !== 'open') return status;
    await sleep(askEveryMs);
  }
}

export function addPair(program: Command, run: Run): void {
  const pair = program.command('pair').helpCommand(false).description('the link to the engine on the other node');
  pair
    .command('open')
    .description('show a code, good once and for ten minutes, and wait until it was typed on the other node')
    .action(
      run(async (session) => {
        const engine = findEngine(session.dataFolder);
        const made = await engine.call((client) => client.pair.open({ by: whoAmI() }));
        // A program gets the code and asks `pair status` itself: it reads one document, at the end.
        if (session.json) return { exit: 0, document: made, text: '' };
        session.say(`The code, good until ${clock(made.until)}:\n\n  ${made.code}\n`);
        session.say(`On the other node: estepe pair join ${made.code}`);
        session.say('Waiting for it; Ctrl-C leaves the code good …');
        const { pairing, state: now } = await pairingEnd(engine);
        const ended = pairing?.state === 'ended' ? pairing : null;
        const text = ended?.sentence ?? (now === 'unpaired' ? 'The pairing was removed.' : state[now]);
        return { exit: ended?.paired ? 0 : 1, document: undefined, text };
      }),
    );
  pair
    .command('join <code>')
    .description('pair with the other node, which shows this code')
    .action(
      run(async (session, _options, [code = '']) => {
        const engine = findEngine(session.dataFolder);
        const answer = await engine.call((client) => client.pair.join({ by: whoAmI(), code }));
        return { exit: answer.accepted ? 0 : 1, document: answer, text: answer.sentence };
      }),
    );
  pair
    .command('status')
    .description('whether the two are paired and hear each other, and what is not protected if not')
    .action(
      run(async (session) => {
        const status = await findEngine(session.dataFolder).call((client) => client.pair.status());
        return { exit: 0, document: status, text: statusText(status, session) };
      }),
    );
  pair
    .command('remove')
    .description('the other node is no longer known here')
    .action(
      run(async (session) => {
        const engine = findEngine(session.dataFolder);
        const { was } = await engine.call((client) => client.pair.remove({ by: whoAmI() }));
        const text = was
          ? 'The pairing is removed here. The other node notices; remove it there too.'
          : 'There was no pairing.';
        return { exit: 0, document: { removed: was }, text };
      }),
    );
}
