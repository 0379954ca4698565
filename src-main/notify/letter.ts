/** A letter in words: its subject and its text, for people. Pure. */
import { createHash } from 'node:crypto';
import type { Severity } from '../contract/words.ts';
import type { Item, Letter, Sender } from './channel.ts';
import { gravest } from './policy.ts';

const severityWords: Readonly<Record<Severity, string>> = { info: 'Info', warning: 'Warning', alert: 'ALERT' };

const maxSubject = 140;

/** The first sentence, without line breaks. */
function firstOf(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  const [sentence = line] = /^.*?[.?!](?=\s|$)/.exec(line) ?? [];
  return sentence;
}

const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1).trimEnd()}…`);

/** `[Estepe head-office] ALERT: The other node is down. (and 2 more)`: the gravest, of several the newest. */
export function subjectOf({ sender, items, test }: Letter): string {
  if (test) return cut(`[Estepe ${sender.pair}] Test`, maxSubject);
  const worst = gravest(items.map(({ severity }) => severity));
  const main = items.findLast(({ severity }) => severity === worst);
  const more = items.length > 1 ? ` (and ${items.length - 1} more)` : '';
  const head = `[Estepe ${sender.pair}] ${severityWords[worst]}: `;
  return `${head}${cut(firstOf(main?.text ?? ''), Math.max(20, maxSubject - head.length - more.length))}${more}`;
}

/** `2026-01-31 03:04:05 UTC`: no reader's time zone is known here. */
export const timeOf = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');

/** Each message with its time; who wrote, and where there is more. */
export function textOf({ sender, items }: Letter): string {
  const all = items.map(({ severity, text, at }) => `${severityWords[severity]}, ${timeOf(at)}\n${text}\n`);
  const from = `Estepe on ${sender.address}, node of ${sender.pair} (${sender.fqdn}).`;
  return `${all.join('\n')}\n--\n${from}\nWhat is the case now: \`estepe status\` there, or its page.\n`;
}

/** What a test says. */
export const testText = 'This is a test. Whoever reads it is told when something happens.';

/** A letter of these messages; its id is the same whenever it is made of the same. */
export function letterOf(sender: Sender, items: readonly Item[], test: boolean): Letter {
  const what = [sender.fqdn, sender.address, ...items.map(({ id, at }) => `${id} ${at}`)].join('\n');
  return { id: createHash('sha256').update(what).digest('hex').slice(0, 32), sender, items, test };
}
