/** The drill's areas and endings in the reader's language, the look of each, and its report as a file. */
import type { DrillArea, DrillReport, drillStanding } from '../../src-main/contract/drill.ts';
import { drillPage } from '../../src-main/contract/drill-page.ts';
import type { Standing } from '../../src-main/contract/view.ts';
import { byWords } from './backup-words.ts';
import { areaWord, countWord, stateWord } from './doctor-words.ts';
import { m } from './paraglide/messages.js';
import { getLocale } from './paraglide/runtime.js';
import type { SavedFile } from './save-file.ts';

export const drillAreaWord: Record<DrillArea, () => string> = {
  ...areaWord,
  restore: m.drill_area_restore,
  promotion: m.drill_area_promotion,
};

export const drillTone: Record<ReturnType<typeof drillStanding>, Standing> = {
  never: 'off',
  failed: 'alarm',
  old: 'attention',
  passed: 'good',
};

const told = <K extends string>(words: Record<K, () => string>): Record<K, string> =>
  Object.fromEntries(Object.entries<() => string>(words).map(([key, word]) => [key, word()])) as Record<K, string>;

const whole = new Intl.DateTimeFormat(getLocale(), { dateStyle: 'long', timeStyle: 'short' });

/** The report as a file of its own, in the reader's language around the engine's sentences. */
export function reportFile(report: DrillReport): SavedFile {
  const text = drillPage(
    { ...report, by: byWords(report.by) },
    {
      ...{ lang: getLocale(), title: m.drill(), passed: m.drill_passed(), failed: m.drill_failed() },
      ...{ counts: countWord, states: told(stateWord), areas: told(drillAreaWord), todo: m.todo() },
      ...{ node: m.drill_node(), at: m.drill_time(), by: m.drill_by(), backup: m.drill_backup(), none: m.drill_none() },
      time: (at) => whole.format(at),
    },
  );
  const day = new Date(report.at).toISOString().slice(0, 16).replaceAll(/[T:]/g, '-');
  return { name: `estepe-drill-${report.fqdn}-${day}.html`, type: 'text/html', text };
}
