/**
 * The configuration for a client: read, judged with changes made in it, tried, saved; and secrets, which go in and never out. The same
 * for a running engine and before there is one. Must not know who asks by which transport.
 */
import type { DataFolder } from '../../config/data-folder.ts';
import { setInText, writtenIn } from '../../config/edit.ts';
import { isUntouched } from '../../config/first.ts';
import {
  firstProblem,
  keptFileName,
  type SaveEnd,
  type Standing,
  saveConfig,
  standingFile,
} from '../../config/save.ts';
import { secretNames, writeSecret } from '../../config/secrets.ts';
import { checkText, isTooLarge } from '../../config/text.ts';
import type { SettingsDesk } from '../../contract/desk.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { ChangeAsked, CheckedView, ProblemView, SaveAnswer, SettingsView } from '../../contract/settings.ts';
import { diffOf } from './diff.ts';
import { formFacts } from './usual.ts';

/** Made by Estepe itself; another content would lock people or the other node out. */
const ownSecrets: readonly string[] = ['console-token', 'peer-key', 'peer-certificate'];

export interface SettingsParts {
  folder: Pick<DataFolder, 'root' | 'config' | 'secrets'>;
  /** what to begin with where no configuration was made yet; null: one runs */
  firstText: (() => string) | null;
  /** what is wrong with the file that stands there, as the engine found it */
  trouble: () => string | null;
  trials: SettingsDesk['trials'];
  /** told of each secret that is written: it must be shown nowhere */
  onSecret: (secret: string) => void;
  note: (rule: string, sentence: string) => void;
  /** the file was written; answers when it has taken effect, or why it has not */
  onSaved: () => Promise<string | null>;
  clean: (text: string) => string;
}

export function settingsDesk(parts: SettingsParts): SettingsDesk {
  const { folder, firstText, trials } = parts;
  const facts = formFacts();

  const judged = (asked: string, changes: readonly ChangeAsked[], standing: Standing): CheckedView => {
    const { text, refused } = changed(asked, changes);
    const checked = checkText(text);
    const problems = [...refused, ...(checked.ok ? [] : checked.problems)];
    return {
      text,
      ok: problems.length === 0,
      problems,
      written: plain(writtenIn(text)),
      diff: diffOf(standing.text ?? '', text),
      base: standing.mark,
      secrets: secretNames(folder.secrets).filter((name) => !ownSecrets.includes(name)),
    };
  };

  const answer = async (end: SaveEnd, by: string): Promise<SaveAnswer> => {
    if (!end.saved) {
      const sentence =
        end.refusedBy === 'changed'
          ? 'estepe.yaml was changed by somebody else meanwhile; nothing was written.'
          : `Nothing was written. ${firstProblem(end.problems)}`;
      return { saved: false, refusedBy: end.refusedBy, sentence, base: end.mark, kept: null };
    }
    parts.note(
      'config.saved',
      `estepe.yaml was saved by ${by}${end.kept === null ? '' : `; the one of before is ${keptFileName}`}`,
    );
    const trouble = await parts.onSaved();
    const sentence = trouble === null ? 'estepe.yaml is saved.' : `estepe.yaml is saved, but not in use: ${trouble}`;
    return { saved: true, refusedBy: null, sentence: parts.clean(sentence), base: end.mark, kept: end.kept };
  };

  return {
    read(): SettingsView {
      const standing = standingFile(folder.root);
      const begun = firstText === null || (standing.text !== null && !isUntouched(standing.text));
      const text = begun ? (standing.text ?? '') : firstText();
      return {
        ...judged(text, [], standing),
        firstRun: firstText !== null,
        path: folder.config,
        ...facts,
        trouble: parts.trouble(),
      };
    },
    check: ({ text, changes }) => judged(text, changes, standingFile(folder.root)),
    save: async ({ by, text, base }) => answer(saveConfig(folder.root, text, base), by),
    setSecret({ by, name, secret }) {
      if (ownSecrets.includes(name)) {
        throw new EstepeError('refused', `The secret ${name} is Estepe's own.`, 'give yours another name');
      }
      // before it is written: what fails may repeat it
      if (secret !== '') parts.onSecret(secret);
      writeSecret(folder.secrets, name, secret);
      parts.note('secret.set', `the secret ${name} was set by ${by}`);
      return { name };
    },
    trials,
  };
}

/** The text with each change made; what could not be changed is a problem of the whole. */
function changed(asked: string, changes: readonly ChangeAsked[]): { text: string; refused: ProblemView[] } {
  let text = asked;
  // said by the check; nobody reads it further, on the engine's thread
  if (isTooLarge(text)) return { text, refused: [] };
  const refused: ProblemView[] = [];
  for (const { path, value } of changes) {
    try {
      text = setInText(text, path, value === null ? undefined : value);
    } catch (error) {
      const allowed = error instanceof EstepeError ? error.todo : 'another value';
      refused.push({ path: '', line: 1, column: 1, wrong: sentenceOf(error), allowed });
    }
  }
  return { text, refused };
}

/** As JSON carries it: YAML also knows dates, infinity and the like, which no key of ours takes. */
function plain(written: unknown): CheckedView['written'] {
  try {
    return written === undefined ? null : (JSON.parse(JSON.stringify(written)) as CheckedView['written']);
  } catch {
    return null;
  }
}
