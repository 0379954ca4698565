/**
 * How one gets on through the settings: which section a problem belongs to, which step of the first run may be opened, whether there is
 * something to save. Pure.
 */
import type { CheckedView, ProblemView, TrialKind } from './settings.ts';
import { type Field, type SettingsSection, settingsSections, valueAt, type Written } from './settings-form.ts';

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
  ['promotion', 'decide'],
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

/** The steps of the first run: the sections, then what will be written. */
export const firstRunSteps = [...settingsSections, 'write'] as const;
export type FirstRunStep = (typeof firstRunSteps)[number];

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
  if (pending || checked === null || step === 'write') return false;
  return problemsIn(step, checked.problems).length === 0;
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

/** The part of the text that a trial is about, to be compared: what was seen stays good while this does. */
export function triedPart(kind: TrialKind, written: Written): string {
  const parts: Record<TrialKind, readonly (readonly string[])[]> = {
    location: [['backup', 'location']],
    tests: [['pair'], ['heartbeat']],
    rights: [['pair', 'profile'], ['heartbeat', 'tests'], ['services'], ['promotion']],
  };
  return JSON.stringify(parts[kind].map((path) => valueAt(written, path) ?? null));
}
