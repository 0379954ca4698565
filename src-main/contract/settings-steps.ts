/**
 * How one gets on through the settings: which section a problem belongs to, which step of the first run may be opened, whether there is
 * something to save. Pure.
 */

import { channelNames } from './notify.ts';
import type { CheckedView, ProblemView, TrialKind } from './settings.ts';
import { type Field, valueAt, type Written } from './settings-field.ts';
import type { SettingsSection } from './settings-form.ts';
import { isChannelOn } from './settings-tell.ts';

const prefixes: readonly (readonly [prefix: string, section: SettingsSection])[] = [
  ['pair.profile', 'pbx'],
  ['role', 'role'],
  ['pair', 'other'],
  ['peer', 'other'],
  ['backup.schedule', 'schedule'],
  ['backup.timeZone', 'schedule'],
  ['backup.keep', 'schedule'],
  ['backup', 'location'],
  ['restore', 'schedule'],
  ['heartbeat', 'watch'],
  ['promotion.fence', 'fence'],
  ['selfFence', 'fence'],
  ['promotion.dns', 'dns'],
  ['promotion', 'decide'],
  ['services', 'services'],
  ['notify', 'tell'],
  ['drill', 'rehearsal'],
];

const isBelow = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`);

/** The section that a problem belongs to; null: only the text can tell. */
export function sectionOf({ path }: Pick<ProblemView, 'path'>): SettingsSection | null {
  return prefixes.find(([prefix]) => isBelow(path, prefix))?.[1] ?? null;
}

/** What is wrong with a field: at its key or below it, for what has no field of its own there. */
export function problemsOfField(
  field: Field,
  fields: readonly Field[],
  problems: readonly ProblemView[],
): ProblemView[] {
  return problems.filter(
    ({ path }) =>
      isBelow(path, field.id) &&
      !fields.some(
        (other) => other.id.length > field.id.length && isBelow(path, other.id) && isBelow(other.id, field.id),
      ),
  );
}

/** What is wrong in a section and belongs to none of its fields. */
export function problemsBeside(
  section: SettingsSection,
  fields: readonly Field[],
  problems: readonly ProblemView[],
): ProblemView[] {
  return problems.filter(
    (problem) => sectionOf(problem) === section && !fields.some((field) => isBelow(problem.path, field.id)),
  );
}

export const problemsIn = (section: SettingsSection, problems: readonly ProblemView[]): ProblemView[] =>
  problems.filter((problem) => sectionOf(problem) === section);

/**
 * The steps of the first run, in the order in which an admin thinks. Up to `write` they make the file; the last two are taken on the
 * engine that has begun with it.
 */
export const firstRunSteps = [
  'pbx',
  'role',
  'other',
  'location',
  'schedule',
  'watch',
  'decide',
  'tell',
  'write',
  'pair',
  'drill',
] as const;
export type FirstRunStep = (typeof firstRunSteps)[number];

/** What is asked in a step; what most sites need not answer comes after it, closed. */
export const sectionsOfStep: Record<
  FirstRunStep,
  { asked: readonly SettingsSection[]; more: readonly SettingsSection[] }
> = {
  pbx: { asked: ['pbx'], more: [] },
  role: { asked: ['role'], more: [] },
  other: { asked: ['other'], more: [] },
  location: { asked: ['location'], more: [] },
  schedule: { asked: ['schedule'], more: ['rehearsal'] },
  watch: { asked: ['watch'], more: [] },
  decide: { asked: ['decide'], more: ['fence', 'dns', 'services'] },
  tell: { asked: ['tell'], more: [] },
  write: { asked: [], more: [] },
  pair: { asked: [], more: [] },
  drill: { asked: [], more: [] },
};

export const stepAfter = (step: FirstRunStep): FirstRunStep | null =>
  firstRunSteps[firstRunSteps.indexOf(step) + 1] ?? null;
export const stepBefore = (step: FirstRunStep): FirstRunStep | null =>
  firstRunSteps[firstRunSteps.indexOf(step) - 1] ?? null;

/** Whether the text is judged as it stands now: nothing typed is still on its way. */
export interface Judged {
  pending: boolean;
  checked: Pick<CheckedView, 'ok' | 'problems' | 'diff' | 'base'> | null;
}

/** Forward only past what is right; back always. */
export function canGoOn(step: FirstRunStep, { pending, checked }: Judged): boolean {
  const { asked, more } = sectionsOfStep[step];
  // past the file only by writing it
  if (pending || checked === null || asked.length === 0) return false;
  return [...asked, ...more].every((section) => problemsIn(section, checked.problems).length === 0);
}

/** To a step that was passed, or the first one that is not right yet. */
export function canOpen(step: FirstRunStep, judged: Judged): boolean {
  const before = firstRunSteps.slice(0, firstRunSteps.indexOf(step));
  return before.every((one) => canGoOn(one, judged));
}

export type SaveState = 'ready' | 'pending' | 'wrong' | 'same' | 'moved';

/**
 * Whether there is something to save. `moved`: the file is another one than that which was begun with.
 * @param base mark of the file that was begun with
 */
export function saveState({ pending, checked }: Judged, base: string): SaveState {
  if (pending || checked === null) return 'pending';
  if (checked.base !== base) return 'moved';
  if (!checked.ok) return 'wrong';
  return checked.diff.length === 0 ? 'same' : 'ready';
}

const trialsOfSections: Partial<Record<SettingsSection, TrialKind>> = {
  location: 'location',
  other: 'tests',
  decide: 'rights',
};

/** What can be tried in a section, by the field that it stands after: a channel after its own fields, all else at the end. */
export function trialsAfter(section: SettingsSection, fields: readonly Field[]): ReadonlyMap<string, TrialKind> {
  if (section === 'tell') {
    return new Map(
      channelNames.flatMap((channel): [string, TrialKind][] => {
        const own = fields.filter(({ id }) => id.startsWith(`notify.${channel}.`));
        return own.length === 0 ? [] : [[own.at(-1)?.id ?? '', channel]];
      }),
    );
  }
  const kind = trialsOfSections[section];
  const last = fields.at(-1);
  // the kind of location alone: there is none
  const nothing = kind === undefined || last === undefined || (section === 'location' && fields.length < 2);
  return new Map(nothing ? [] : [[last.id, kind]]);
}

/** What a section says of what is missing in it. */
export type SettingsNote = 'no-link' | 'no-link-to-fence' | 'nobody-told' | 'automatic-drill';

export function notesOf(section: SettingsSection, written: Written): SettingsNote[] {
  const linked = valueAt(written, ['peer']) !== undefined;
  const automatic = valueAt(written, ['promotion', 'mode']) === 'automatic';
  const told = channelNames.some((channel) => isChannelOn(channel, written));
  const notes: [SettingsNote, SettingsSection, boolean][] = [
    ['no-link', 'other', !linked],
    ['no-link-to-fence', 'fence', !linked],
    ['nobody-told', 'tell', !told],
    ['automatic-drill', 'decide', automatic],
  ];
  return notes.filter(([, where, holds]) => where === section && holds).map(([note]) => note);
}

/** The part of the text that a trial is about, to be compared: what was seen stays good while this does. */
export function triedPart(kind: TrialKind, written: Written): string {
  const parts: Record<TrialKind, readonly (readonly string[])[]> = {
    location: [['backup', 'location']],
    tests: [['pair'], ['heartbeat']],
    rights: [['pair', 'profile'], ['heartbeat', 'tests'], ['services'], ['promotion']],
    desktop: [['notify', 'desktop']],
    email: [['notify', 'email']],
    webhook: [['notify', 'webhook']],
  };
  return JSON.stringify(parts[kind].map((path) => valueAt(written, path) ?? null));
}
