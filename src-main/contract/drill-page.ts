/**
 * A drill's report as one HTML file to print and to file: A4, light, no scripts, nothing fetched, everything escaped. Pure; the words
 * around the engine's sentences are the caller's.
 */
import type { DoctorState } from './doctor.ts';
import { type DrillArea, type DrillReport, type DrillRow, drillByArea } from './drill.ts';

export interface DrillWords {
  /** as in `<html lang>` */
  lang: string;
  /** `Drill` */
  title: string;
  passed: string;
  failed: string;
  /** `Problems: 2` */
  counts: Record<DoctorState, (given: { count: number }) => string>;
  states: Record<DoctorState, string>;
  areas: Record<DrillArea, string>;
  /** label of what is to be done */
  todo: string;
  /** labels of the head: node, time, by whom, backup */
  node: string;
  at: string;
  by: string;
  backup: string;
  none: string;
  /** a point in time */
  time: (at: number) => string;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** As text, and as an attribute's value in quotes. */
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (found) => entities[found] ?? '');

const marks: Record<DoctorState, string> = { problem: '✗', warning: '!', ok: '✓', skipped: '–' };

const style = `
@page { size: A4; margin: 16mm 14mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 182mm; padding: 8mm 0; color: #16181d; background: #fff; font: 10.5pt/1.45 system-ui, "Segoe UI", sans-serif; }
h1 { margin: 0; font-size: 17pt; }
h2 { margin: 6mm 0 1.5mm; font-size: 12pt; break-after: avoid; }
p { margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.6mm 5mm; margin: 4mm 0 0; }
dt { color: #4c535f; }
dd { margin: 0; overflow-wrap: anywhere; }
.verdict { margin-top: 4mm; padding: 2.5mm 3.5mm; border: 1.5pt solid; border-left-width: 5pt; font-weight: 650; }
.passed { border-color: #1b6e3c; color: #1b6e3c; }
.failed { border-color: #a3201d; color: #a3201d; }
.counts { font-weight: 400; color: #16181d; }
table { width: 100%; border-collapse: collapse; }
td { padding: 1.6mm 2mm 1.6mm 0; border-top: 0.5pt solid #c3c8d1; vertical-align: top; overflow-wrap: anywhere; }
tr { break-inside: avoid; }
td:first-child { width: 30mm; white-space: nowrap; font-weight: 600; }
.problem td:first-child { color: #a3201d; }
.warning td:first-child { color: #7a5200; }
.ok td:first-child { color: #1b6e3c; }
.skipped td:first-child { color: #4c535f; }
.seen { color: #4c535f; font-size: 9.5pt; }
.todo { margin-top: 0.8mm; }
`;

/** The whole file. */
export function drillPage(report: DrillReport, words: DrillWords): string {
  const { fqdn, node, at, by, backup, passed, counts, rows } = report;
  const head: readonly (readonly [string, string])[] = [
    [words.node, `${node} (${fqdn})`],
    [words.at, words.time(at)],
    [words.by, by],
    [words.backup, backup ?? words.none],
  ];
  const sum = (['problem', 'warning', 'ok', 'skipped'] as const)
    .filter((state) => counts[state] > 0)
    .map((state) => words.counts[state]({ count: counts[state] }));
  const title = `${words.title}: ${fqdn}`;
  return `<!doctype html>
<html lang="${escaped(words.lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<dl>
${head.map(([term, value]) => `<dt>${escaped(term)}</dt><dd>${escaped(value)}</dd>`).join('\n')}
</dl>
<p class="verdict ${passed ? 'passed' : 'failed'}">${escaped(passed ? words.passed : words.failed)} <span class="counts">${escaped(sum.join(' · '))}</span></p>
${drillByArea(rows)
  .map(({ area, rows: own }) => areaPart(words.areas[area], own, words))
  .join('\n')}
</body>
</html>
`;
}

function areaPart(title: string, rows: readonly DrillRow[], words: DrillWords): string {
  return `<h2>${escaped(title)}</h2>
<table>
${rows.map((row) => rowPart(row, words)).join('\n')}
</table>`;
}

function rowPart({ state, sentence, evidence, todo }: DrillRow, words: DrillWords): string {
  const seen = evidence === '' ? '' : `<p class="seen">${escaped(evidence)}</p>`;
  const mend = todo === '' ? '' : `<p class="todo"><strong>${escaped(words.todo)}</strong> ${escaped(todo)}</p>`;
  const look = `${marks[state]} ${escaped(words.states[state])}`;
  return `<tr class="${state}"><td>${look}</td><td><p>${escaped(sentence)}</p>${seen}${mend}</td></tr>`;
}
