/**
 * What each key does on a lab that is up. Knows no terminal: who reads keys passes them in.
 */
import { EstepeError, sentenceOf } from '../contract/errors.ts';
import type { Snapshot } from '../contract/snapshot.ts';
import { canPromote } from '../contract/view.ts';
import type { Stage } from './stage.ts';

export interface Hands {
  stage: Stage;
  /** one sentence, with its time */
  say: (sentence: string) => void;
  /** a text as it stands */
  show: (text: string) => void;
  /** the whole state as text */
  statusText: (snapshot: Snapshot) => string;
  quit: () => void;
}

interface Key {
  key: string;
  /** as the line of keys shows it */
  words: string;
  press: (hands: Hands) => Promise<void> | void;
}

const by = 'you';
const maintenanceMs = 10 * 60_000;

const table: readonly Key[] = [
  {
    key: 'k',
    words: 'kill',
    press: async ({ stage, say }) => {
      if (stage.active.state === 'gone') return say('The active is dead already; t starts it again.');
      say(`You kill the active's PBX on ${stage.place.active} (process ${stage.active.pid}), as a crash would.`);
      await stage.kill();
    },
  },
  {
    key: 'h',
    words: 'hang',
    press: async ({ stage, say }) => {
      if (stage.active.state === 'gone') return say('The active is dead already; t starts it again.');
      await stage.hang();
      say(`You freeze the active's PBX (process ${stage.active.pid}): its ports go on accepting, and nothing answers.`);
    },
  },
  {
    key: 't',
    words: 'bring back',
    press: async ({ stage, say }) => {
      const what = await stage.bringBack();
      if (what === 'was there') return say('The active is neither dead nor hung.');
      say(`The active's PBX on ${stage.place.active} ${what} (process ${stage.active.pid}).`);
    },
  },
  {
    key: 'i',
    words: 'cut off, plug in',
    press: async ({ stage, say }) => {
      if (stage.network.isCut) {
        say('You plug the spare’s cable in again.');
        return stage.mend();
      }
      await stage.cut();
      say('You pull the spare’s cable: whatever it sends, nothing comes back, neither an answer nor a refusal.');
    },
  },
  {
    key: 'b',
    words: 'back up',
    press: async ({ stage, say }) => {
      const self = stage.desk.snapshot().nodes.find((node) => node.self);
      if (self?.role !== 'active') return stage.replica.bringOver(say, new AbortController().signal);
      const { accepted, reason } = stage.desk.backups.run({ by });
      if (!accepted) say(reason);
    },
  },
  {
    key: 'p',
    words: 'promote',
    press: async ({ stage, say }) => {
      const ask = { by, reason: '', overrides: [], dryRun: false, skipStep: false };
      const { refusedBy } = await stage.desk.promote(ask);
      if (refusedBy.length > 0 && canPromote(stage.desk.snapshot()))
        say('The page takes an override of a guard, by its name and with a reason.');
    },
  },
  {
    key: 'c',
    words: 'cancel',
    press: async ({ stage }) => {
      await stage.desk.cancel({ by, reason: '' });
    },
  },
  {
    key: 'm',
    words: 'maintenance',
    press: ({ stage: { desk } }) => {
      if (desk.snapshot().overlays.maintenance === null) {
        desk.maintenanceOn({ by, reason: '', forMs: maintenanceMs });
      } else desk.maintenanceOff({ by });
    },
  },
  {
    key: 's',
    words: 'status',
    press: ({ stage, show, statusText }) => show(`\n${statusText(stage.desk.snapshot())}\n`),
  },
  { key: 'q', words: 'quit', press: ({ quit }) => quit() },
];

/** The keys as a line shows them. */
export const keyLine = table.map(({ key, words }) => `${key} ${words}`).join(' · ');

/** Ctrl-C and Ctrl-D reach a terminal in raw mode as characters. */
const ends = ['\u0003', '\u0004'];

/** Answers what is to be called with each key; keys that come while one is being carried out wait. Never rejects. */
export function keyboard(hands: Hands): (key: string) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (key) => {
    // Leaving waits for nothing.
    if (ends.includes(key) || key.toLowerCase() === 'q') {
      hands.quit();
      return Promise.resolve();
    }
    last = last.then(() => pressed(hands, key.toLowerCase()));
    return last;
  };
}

async function pressed(hands: Hands, key: string): Promise<void> {
  const known = table.find((each) => each.key === key);
  try {
    if (known) await known.press(hands);
    else hands.say(`Keys: ${keyLine}`);
  } catch (error) {
    hands.say(error instanceof EstepeError ? `${error.message} ${error.todo}` : sentenceOf(error));
  }
}
