/** `estepe notify …`: whether people are told. A test really sends, by the engine that would tell them. Exit 0: all of it got through. */
import type { Command } from 'commander';
import { findEngine } from '../console/engine-client.ts';
import { type ChannelView, channelNames, type DeliveryView, type NotifyTest } from '../contract/notify.ts';
import { durationWords, msWords } from '../contract/view.ts';
import { usage } from './failures.ts';
import { wholeNumber } from './history.ts';
import { type Paint, type Run, whoAmI } from './session.ts';
import { clock } from './status.ts';

export function addNotify(program: Command, run: Run): void {
  const notify = program
    .command('notify')
    .helpCommand(false)
    .description('whom Estepe tells, and whether it gets through');
  notify
    .command('test [channel]')
    .description(`send a test through one channel (${channelNames.join(', ')}), or all that are configured`)
    .action(
      run(async (session, _options, [word]) => {
        const channel = word === undefined ? null : channelNames.find((name) => name === word);
        if (channel === undefined)
          throw usage(`There is no channel \`${word}\`.`, `Channels are ${channelNames.join(', ')}.`);
        const answer = await findEngine(session.dataFolder).call((client) =>
          client.notify.test({ by: whoAmI(), channel }),
        );
        const all = answer.results.every(({ sent }) => sent);
        return { exit: all ? 0 : 1, document: answer, text: testLines(answer, session.paint).join('\n') };
      }),
    );
  notify
    .command('list')
    .description('the channels with their state, and what was sent lately; newest first')
    .option('--limit <number>', 'how many deliveries at most', '50')
    .action(
      run<{ limit: string }>(async (session, options) => {
        const limit = Math.min(500, wholeNumber(options.limit));
        const engine = findEngine(session.dataFolder);
        const snapshot = await engine.call((client) => client.snapshot());
        const deliveries = await engine.call((client) => client.notify.list({ limit }));
        const { channels } = snapshot.notify;
        const none = 'No channel is configured (section `notify` of estepe.yaml): nobody is told but by the screens.';
        const lines = [
          ...(channels.length === 0
            ? [none]
            : channels.flatMap((one) => channelLines(one, snapshot.at, session.paint))),
          '',
          ...(deliveries.length === 0
            ? ['Nothing was sent yet.']
            : deliveries.map((one) => deliveryLine(one, session.paint))),
        ];
        return { exit: 0, document: { channels, deliveries }, text: lines.join('\n') };
      }),
    );
}

export function testLines({ results }: NotifyTest, paint: Paint): string[] {
  return results.flatMap(({ channel, sent, said, todo, ms }) => [
    `${paint(sent ? 'green' : 'red', sent ? '✓ sent  ' : '✗ failed')} ${channel}, ${msWords(ms)}: ${said}`,
    ...(todo === '' ? [] : [`           → ${todo}`]),
  ]);
}

export function channelLines(channel: ChannelView, now: number, paint: Paint): string[] {
  const { name, target, least, lastSentAt, lastFailure, failing, waiting } = channel;
  const ago = (at: number): string => `${durationWords(Math.max(0, now - at))} ago`;
  const sent = lastSentAt === null ? 'nothing sent yet' : `last sent ${ago(lastSentAt)}`;
  const waits = waiting === 0 ? '' : `, ${waiting} waiting`;
  const lines = [`${paint('bold', name)}: ${target}, from ${least} on; ${sent}${waits}`];
  if (failing && lastFailure !== null) {
    const { at, sentence, todo } = lastFailure;
    lines.push(paint('yellow', `  ! failed ${ago(at)}: ${sentence}${todo === '' ? '' : ` (${todo})`}`));
  }
  return lines;
}

const stateWords = { waiting: 'waiting', sent: 'sent', 'given-up': 'given up' } as const;

export function deliveryLine({ toldAt, channel, severity, state, text, said }: DeliveryView, paint: Paint): string {
  const colour = state === 'sent' ? 'green' : state === 'waiting' ? 'yellow' : 'red';
  const end = said === '' ? '' : `\n    ${paint('dim', said)}`;
  return `${clock(toldAt)}  ${channel.padEnd(7)} ${paint(colour, stateWords[state].padEnd(8))} ${severity.padEnd(7)} ${text}${end}`;
}
