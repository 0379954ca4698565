import { describe, expect, it } from 'vitest';
import { nodesInFlow, sparkline, testsOfNode } from '../../../src-main/contract/beats-view.ts';
import { flowOf } from '../../../src-main/contract/flow-view.ts';
import { eventMatches } from '../../../src-main/contract/history.ts';
import { csvCell, eventsCsv, eventsJson } from '../../../src-main/contract/history-file.ts';
import {
  columnsOf,
  filterOf,
  isFiltered,
  noFilter,
  percentOf,
  pointsFor,
  rowsOf,
} from '../../../src-main/contract/history-view.ts';
import { backupsAt, backupsOff } from '../console/backups-double.ts';
import { healthySnapshot, noon } from '../console/desk-double.ts';
import { manyEvents } from '../console/history-double.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const point = (at: number, alive: number, dead = 0, msAvg: number | null = 10) => ({
  ...{ at, alive, degraded: 0, dead, unknown: 0, msAvg, msMax: msAvg === null ? null : msAvg * 2 },
});

describe('a chart of the beats', () => {
  it.each([
    ['24h', 30_000, 360],
    ['24h', 5 * minute, 144],
    ['24h', 2 * hour, 10],
    ['1y', 30_000, 360],
  ] as const)('over %s at an interval of %d ms has %d columns', (span, interval, count) => {
    expect(pointsFor(span, interval)).toBe(count);
  });

  it('what has no beat is a gap in line and ground; what has only just begun is none yet', () => {
    const series = { bucketMs: minute, points: [point(noon, 2), point(noon + 2 * minute, 0, 2, null)] };
    const columns = columnsOf(series, noon, noon + 4 * minute + 10_000);
    expect(columns.state).toEqual(['alive', 'gap', 'dead', 'gap']);
    expect(columns.avg).toEqual([10, null, null, null]);
    expect(columns.at.at(-1)).toBe(noon + 3 * minute);
  });

  it('the table sums what the chart shows, weighted by beats, newest first', () => {
    const series = {
      bucketMs: 30 * minute,
      points: [point(noon, 1, 0, 10), point(noon + 30 * minute, 3, 1, 30), point(noon + 2 * hour, 0, 4, null)],
    };
    const rows = rowsOf(columnsOf(series, noon, noon + 3 * hour), hour);
    expect(rows.map(({ from }) => (from - noon) / hour)).toEqual([2, 1, 0]);
    expect(rows.map(({ sum }) => sum && [sum.alive, sum.dead, sum.msAvg, sum.msMax])).toEqual([
      [0, 4, null, null],
      null,
      [4, 1, 25, 60],
    ]);
  });

  it.each([
    [1, 1, 100],
    [99_999, 100_000, 99.99],
    [9_987, 10_000, 99.87],
    [0, 5, 0],
    [0, 0, null],
  ])('%d of %d is %s percent: never rounded up', (part, whole, percent) => {
    expect(percentOf(part, whole)).toBe(percent);
  });
});

describe('the filter of events', () => {
  const local = (text: string) => (text.startsWith('20') ? Date.parse(`${text}:00Z`) : Number.NaN);
  const between = { ...noFilter, when: 'between' } as const;
  it.each([
    [noFilter, { filter: {} }],
    [
      { ...noFilter, kind: 'order', severity: 'alert', text: '  up ' } as const,
      { filter: { kind: 'order', severity: 'alert', text: 'up' } },
    ],
    [{ ...noFilter, when: '7d' } as const, { filter: { from: noon - 7 * day } }],
    [{ ...between, from: '2026-06-15T10:00' }, { filter: { from: noon - 2 * hour } }],
    [{ ...between, to: '2026-06-15T10:00' }, { filter: { to: noon - 2 * hour } }],
    [{ ...between, from: '2026-06-15T10:00', to: '2026-06-15T10:00' }, { wrong: 'order' }],
    [{ ...between, from: 'soon' }, { wrong: 'from' }],
    [{ ...between, to: 'later' }, { wrong: 'to' }],
    // dates of before do not count while another time is chosen
    [{ ...noFilter, from: 'soon' }, { filter: {} }],
  ])('%j asks for %j', (draft, asked) => {
    expect(filterOf(draft, noon, local)).toEqual(asked);
  });

  it('knows whether anything is left out', () => {
    expect([noFilter, between, { ...noFilter, text: '  ' }].map(isFiltered)).toEqual([false, false, false]);
    expect(
      [
        { ...between, to: 'x' },
        { ...noFilter, text: 'x' },
      ].map(isFiltered),
    ).toEqual([true, true]);
  });

  it('looks in rule, reason and evidence, A to Z in either case', () => {
    const [event] = manyEvents(noon, 1);
    if (event === undefined) throw new Error('no event');
    for (const text of ['RULE-1', 'the ACTIVE', '"failed":["SIP"]', ''])
      expect(eventMatches(event, { text })).toBe(true);
    expect(eventMatches(event, { text: 'tunnel' })).toBe(false);
    expect(eventMatches(event, { from: event.at, to: event.at + 1 })).toBe(true);
    expect(eventMatches(event, { to: event.at })).toBe(false);
  });
});

describe('events as a file', () => {
  it.each([
    ['plain', 'plain'],
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    [' =1', "' =1"],
    ['\t=1', `"'\t=1"`],
    ['\u0000=1', "'\u0000=1"],
    ['＝1', "'＝1"],
    ['a=1', 'a=1'],
    ['a,b', '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
  ])('the cell %j is %j', (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });

  it('CSV has a head, a line each, CRLF and a byte order mark; JSON says what it was taken from', () => {
    const events = manyEvents(noon, 2);
    const lines = eventsCsv(events).split('\r\n');
    expect(lines[0]).toBe('\ufeffid,time,kind,severity,phase,verdict,rule,reason,evidence');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe(
      '2,2026-06-15T11:00:00.000Z,order,warning,watching,healthy,order.rule-2,Event 2: the active answers its tests,"{""round"":2,""failed"":[""sip""]}"',
    );
    expect(JSON.parse(eventsJson(events, { fqdn: 'pbx.example.com' }))).toMatchObject({
      fqdn: 'pbx.example.com',
      events: [{ id: 2, at: '2026-06-15T11:00:00.000Z' }, { id: 1 }],
    });
  });
});

describe('the nodes on the overview', () => {
  const { tests, nodes } = healthySnapshot(noon);
  const [active, passive] = nodes;
  if (active === undefined || passive === undefined) throw new Error('a node is missing');
  const aimedAt = (target: string) => tests.slice(0, 1).map((test) => ({ ...test, target }));

  it.each([
    ['udp 192.0.2.1:5060', true, false],
    ['tcp 192.0.2.2:5090', false, true],
    ['https 192.0.2.10:5001', true, false],
    ['check-trunk.sh', true, false],
  ])('the test of %s is on the card of the node it looks at', (target, first, second) => {
    expect([active, passive].map((node) => testsOfNode(aimedAt(target), nodes, node).length > 0)).toEqual([
      first,
      second,
    ]);
  });

  it('IPv6 addresses are told apart from their ports', () => {
    const six = [
      { ...active, address: '2001:db8::1' },
      { ...passive, address: '2001:db8::11' },
    ] as const;
    expect(six.map((node) => testsOfNode(aimedAt('tls [2001:db8::11]:5061'), six, node).length)).toEqual([0, 1]);
  });

  it('the one that serves comes first, whichever it is; as they are where that is not known', () => {
    const turned = [
      { ...active, role: 'passive' as const },
      { ...passive, role: 'active' as const },
    ];
    expect(nodesInFlow(turned).map(({ place }) => place)).toEqual(['passive', 'active']);
    for (const role of ['active', 'passive', null] as const) {
      expect(nodesInFlow(nodes.map((node) => ({ ...node, role }))).map(({ place }) => place)).toEqual([
        'active',
        'passive',
      ]);
    }
  });

  it('the line of the latency breaks where nothing answered; what stands alone is a dot', () => {
    const beat = (outcome: 'alive' | 'dead', ms: number) => ({ at: 0, outcome, ms, evidence: '' });
    const line = sparkline([beat('alive', 10), beat('alive', 20), beat('dead', 4000), beat('alive', 5)]);
    expect(line).toEqual({ path: 'M56.5 0.699L57.5 0.398', dots: [{ x: 59.5, y: 1 }], min: 5, max: 20 });
    const slow = sparkline([beat('alive', 2), beat('alive', 20), beat('alive', 200)]);
    expect(slow?.path).toBe('M57.5 1L58.5 0.5L59.5 0');
    expect(sparkline([beat('dead', 1)])).toBeNull();
    expect(sparkline([beat('alive', 0), beat('alive', 0)])?.path).toBe('M58.5 1L59.5 1');
  });

  it.each([
    ['well', {}, ['verified', 'read', 'restored'], ['good', 'good', 'good']],
    ['nothing stored', { rows: [], restored: null }, ['none', 'read', 'none'], ['alarm', 'good', 'attention']],
    [
      'not read yet',
      { rows: [], listedAt: null, restored: null },
      ['not-read', 'not-read', 'none'],
      ['off', 'off', 'attention'],
    ],
    [
      'unreadable',
      { listTrouble: { sentence: 'x', todo: '' } },
      ['verified', 'unread', 'restored'],
      ['good', 'alarm', 'good'],
    ],
  ] as const)('the way of the data, %s', (_name, change, says, tones) => {
    const steps = flowOf({ ...backupsAt(noon), ...change, rows: 'rows' in change ? [] : backupsAt(noon).rows }, noon);
    expect(steps.map((step) => step.says)).toEqual(says);
    expect(steps.map((step) => step.tone)).toEqual(tones);
  });

  it('the way of the data where none is kept, and after a restore that failed', () => {
    expect(flowOf(backupsOff(), noon).map((step) => step.says)).toEqual(['no-location', 'no-location', 'not-kept']);
    const { last, ...rest } = backupsAt(noon);
    const failed = { ...last, restore: last.restore && { ...last.restore, ok: false } };
    expect(flowOf({ ...rest, last: failed }, noon)[2]).toMatchObject({ tone: 'alarm', says: 'restored-then-failed' });
  });
});
