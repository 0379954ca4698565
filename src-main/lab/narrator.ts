/**
 * Tells in plain sentences what the spare's engine does, as it happens, from the events it writes and the snapshots it shows. Names the rule of
 * every decision. Knows no scenario; asks nothing of the engine but its snapshot.
 */
import type { Desk } from '../contract/desk.ts';
import type { NewEvent } from '../engine/ports.ts';
import type { Diary, Entry } from './diary.ts';

type Tell = (mono: number, sentence: string) => void;

const testNames: Record<string, string> = { sip: 'SIP', web: 'web', tunnel: 'tunnel' };

/** Follows the engine until the answer is called. */
export function narrate(diary: Diary, desk: Desk, tell: Tell): () => void {
  let waiting: Entry[] = [];
  let counted = 0;
  // The engine is in the middle of its own work when it writes; what it wrote together is told together.
  const drain = (): void => {
    const told = waiting.filter(({ event }) => !saidBy(event, waiting));
    waiting = [];
    for (let i = 0; i < told.length; i += 1) {
      const entry = told[i] as Entry;
      const turns = told.slice(i).findIndex(({ event }) => event.kind !== 'beat');
      const beats = told.slice(i, turns < 0 ? undefined : i + turns);
      const sentences = beats.length > 0 ? turned(beats) : sayingsOf(entry.event, desk);
      i += Math.max(0, beats.length - 1);
      for (const sentence of sentences) tell(entry.mono, sentence);
    }
  };
  const stops = [
    diary.listen((entry) => {
      if (waiting.length === 0) queueMicrotask(drain);
      waiting.push(entry);
    }),
    desk.subscribe((frame) => {
      const core = frame.kind === 'slice' ? frame.change.core : undefined;
      if (core === undefined) return;
      const { failedRounds, neededRounds, phase } = core;
      const counting = phase === 'suspecting' && failedRounds > 1 && failedRounds < neededRounds;
      if (counting && failedRounds !== counted)
        tell(performance.now(), `${failedRounds} of ${neededRounds} rounds in a row failed.`);
      counted = failedRounds;
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Whether an order's own event only repeats what the decision that met it says. */
function saidBy(event: NewEvent, together: readonly Entry[]): boolean {
  if (event.kind !== 'order') return false;
  return together.some(({ event: { kind, rule, reason } }) => {
    return kind === 'decision' && !rule.startsWith('order.') && event.reason.endsWith(reason);
  });
}

interface Turn {
  test: string;
  to: string;
  evidence: string;
}

/** The tests that turned in one round. */
function turned(entries: readonly Entry[]): string[] {
  const turns = entries.flatMap(({ event: { rule, reason } }): Turn[] => {
    const [, to = '', evidence = ''] = /turned from \w+ to (\w+): (.*)$/s.exec(reason) ?? [];
    return [{ test: rule.replace(/^test\./, ''), to, evidence }];
  });
  const sayings = [
    ['dead', 'stopped answering'],
    ['foreign', 'is answered by something else'],
    ['unknown', 'could not be asked'],
    ['degraded', 'answers, but needs a look'],
    ['alive', 'answers again'],
  ] as const;
  return sayings.flatMap(([outcome, words]) => {
    const these = turns.filter(({ to }) => to === outcome);
    if (these.length === 0) return [];
    const many =
      these.length > 1 ? words.replace('answers', 'answer').replace(/^is /, 'are ').replace('needs', 'need') : words;
    const subject = `The active's ${inList(these.map(({ test }) => testNames[test] ?? test))} ${many}`;
    return [outcome === 'alive' ? `${subject}.` : `${subject} (${evidenceOf(these)}).`];
  });
}

function evidenceOf(turns: readonly Turn[]): string {
  const errno = /^(E[A-Z]+) \S+$/;
  const short = turns.map(({ test, evidence }) => {
    const code = errno.exec(evidence)?.[1];
    // the address is the active's, as everything here
    return { test: testNames[test] ?? test, words: code ?? evidence.replace(/^\S+:\d+ (?=accepts)/, '') };
  });
  const [first] = short;
  if (first && short.every(({ words }) => words === first.words)) return first.words;
  return short.map(({ test, words }) => `${test}: ${words}`).join('; ');
}

function inList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** What is said of an event that is no turn of a test; nothing where another line says it. */
function sayingsOf(event: NewEvent, desk: Desk): string[] {
  switch (event.kind) {
    case 'decision': {
      // an order is told by its own event
      if (event.rule.startsWith('order.')) return [];
      const words = decisions[event.rule]?.(desk) ?? sentence(withoutProof(event.reason, desk));
      return [`${words} [${event.rule}]`];
    }
    case 'step':
      return step(event, desk);
    case 'runbook':
      return event.rule === 'runbook.begun' || event.rule === 'runbook.done' ? [] : [sentence(event.reason)];
    case 'order':
      // what becomes of it is told by its own events
      if (/^order\.(backup|restore|verify)$/.test(event.rule) && event.severity === 'info') return [];
      return [`${ordered(withoutProof(event.reason, desk))} [${event.rule}]`];
    case 'alert':
      return event.severity === 'info' ? [] : [`The admin is told: “${withoutProof(event.reason, desk)}”`];
    case 'engine':
      return event.rule === 'engine.started' ? [] : [sentence(event.reason)];
    default:
      return [sentence(event.reason)];
  }
}

/** What became of a person's order: `you: promote: refused: there is …`. */
function ordered(reason: string): string {
  const [, accepted, why] = /^.*?: (?:promote|cancel): (accepted|refused): (.*)$/s.exec(reason) ?? [];
  if (why === undefined) return sentence(reason);
  return accepted === 'accepted' || why.startsWith('refused') ? sentence(why) : `Refused: ${stopped(why)}`;
}

/** Decisions whose reason, written for history, is longer than a line that is read in passing. */
const decisions: Readonly<Record<string, (desk: Desk) => string>> = {
  'starting.healthy': () => 'The spare has seen the active healthy and watches it.',
  'watching.failed-round': () => 'A round failed, which proves nothing yet: the spare looks again, and faster.',
  'suspecting.cleared': () => 'The active answers again before anything was proven: the spare goes on watching.',
  'suspecting.down-automatic': (desk) =>
    `${needed(desk)} rounds in a row failed and every guard holds: the active is dead. Mode automatic: the spare takes over.`,
  'suspecting.down-ask': (desk) => {
    const ask = `${needed(desk)} rounds in a row failed: the active is dead.`;
    const { confirmation, guards } = desk.snapshot();
    const against = guards.filter(({ ok }) => !ok).map(({ name }) => name);
    const why = against.length > 0 ? ` Not by itself, because of ${against.join(', ')}.` : '';
    if (confirmation?.leftMs == null || against.length > 0) return `${ask} A person is asked.${why}`;
    const then = confirmation.onSilence === 'promote' ? 'then the spare takes over' : 'then it waits on';
    return `${ask} A person is asked for ${Math.ceil(confirmation.leftMs / 1000)} s, ${then}.`;
  },
  'awaiting.recovered': () => 'The active answers again: nothing is left to decide, and nothing was taken over.',
  'awaiting.go': () => 'Nobody answered: the spare takes over.',
  'watchers.isolated': () =>
    'No reference answers either: more likely the spare is cut off than the active dead. It does not take over.',
  'isolated.back': () => 'The active answers again: the spare goes on watching. Nothing was taken over.',
  'promoting.done': (desk) =>
    `The spare is the active node now, under epoch ${desk.snapshot().nodes.find(({ self }) => self)?.epoch}.`,
};

const needed = (desk: Desk): number => desk.snapshot().core.neededRounds;

/** The end of a step: what its script printed last, else its result. */
function step({ rule, reason }: NewEvent, desk: Desk): string[] {
  if (/, attempt \d+(;|$)/.test(reason)) return [];
  const view = desk.snapshot().runbook?.steps.find(({ id }) => rule === `step.${id}`);
  if (view?.state !== 'done') return [`Step: ${sentence(reason)}`];
  if (view.id === 'guards') return [`Step: ${view.title}: each of them holds.`];
  const last = view.output
    .split('\n')
    .findLast((line) => line.trim() !== '' && !line.startsWith('['))
    ?.trim();
  return [`Step: ${view.title}: ${last === undefined ? stopped(view.result) : `“${last}”`}`];
}

/** The evidence of the newest round was told when its tests turned; once is enough. */
function withoutProof(text: string, desk: Desk): string {
  const newest = desk.snapshot().tests.map(({ id, beats }) => `${id}: ${beats.at(-1)?.evidence}`);
  return text.replace(` (${newest.join('; ')})`, '');
}

const stopped = (text: string): string => (/[.!?…”]$/.test(text) ? text : `${text}.`);

const sentence = (text: string): string => stopped(text.charAt(0).toUpperCase() + text.slice(1));
