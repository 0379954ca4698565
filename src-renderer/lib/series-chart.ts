/**
 * Draws a test's latency over time on a canvas (uPlot): the line of the averages, the line of the longest, behind them what
 * failed, and gaps as gaps. Loaded when a chart is shown first. Colours are read from tokens.css whenever it is drawn.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Columns } from '../../src-main/contract/history-view.ts';

export interface SeriesChart {
  show(columns: Columns, bucketMs: number): void;
  resize(width: number): void;
  /** with other colours */
  redraw(): void;
  /** Puts the cross on a column; null takes it away. */
  point(column: number | null): void;
  destroy(): void;
}

export interface ChartWishes {
  /** words below the axis, `at` in ms */
  timeWords: (at: number) => string;
  /** the column under the pointer, null when it left */
  onpoint: (column: number | null) => void;
}

const height = 170;

/** One slow hour must not press the others flat: each tenfold latency is one step higher, and zero is still there. */
const latencyScale: uPlot.Scale = {
  distr: 100,
  fwd: (ms) => Math.log10(1 + ms),
  bwd: (value) => 10 ** value - 1,
  range: (_, _min, max) => [0, Math.max(15, max * 1.5)],
};
const decades = [0, 10, 100, 1_000, 10_000, 100_000];

export function drawSeries(box: HTMLElement, columns: Columns, bucketMs: number, wishes: ChartWishes): SeriesChart {
  let shown = columns;
  let width = bucketMs;
  const colour = (name: string) => getComputedStyle(box).getPropertyValue(name).trim();
  // uPlot reckons in seconds.
  const data = (): uPlot.AlignedData => [shown.at.map((at) => at / 1000), shown.avg, shown.max];
  const axis = (): Partial<uPlot.Axis> => ({
    stroke: () => colour('--text-soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { stroke: () => colour('--line'), width: 1, size: 4 },
    font: '12px system-ui, sans-serif',
  });
  const chart = new uPlot(
    {
      width: Math.max(200, box.clientWidth),
      height,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: true, range: () => ends(shown, width) }, y: latencyScale },
      axes: [
        { ...axis(), values: (_, splits) => splits.map((at) => wishes.timeWords(at * 1000)), space: 70, size: 30 },
        {
          ...axis(),
          size: 62,
          // uPlot would leave out what is no step of a plain logarithm
          filter: (_, splits) => splits,
          splits: (u) => decades.filter((ms) => ms <= (u.scales.y?.max ?? 0)),
          values: (_, splits) => splits.map((ms) => `${ms} ms`),
        },
      ],
      series: [
        {},
        {
          stroke: () => colour('--accent'),
          width: 2,
          spanGaps: false,
          points: { show: false, filter: alone, size: 4 },
        },
        { stroke: () => colour('--line-strong'), width: 1, dash: [4, 3], spanGaps: false, points: { show: false } },
      ],
      hooks: {
        drawClear: [(u) => paintGround(u, shown, width, colour)],
        setCursor: [(u) => wishes.onpoint(u.cursor.idx ?? null)],
      },
    },
    data(),
    box,
  );
  return {
    show(next, nextBucketMs) {
      shown = next;
      width = nextBucketMs;
      chart.setData(data());
    },
    resize: (to) => chart.setSize({ width: Math.max(200, to), height }),
    redraw: () => chart.redraw(false),
    point(column) {
      const at = column === null ? undefined : shown.at[column];
      chart.setCursor({ left: at === undefined ? -10 : chart.valToPos(at / 1000, 'x'), top: 0 }, false);
    },
    destroy: () => chart.destroy(),
  };
}

function ends({ at }: Columns, bucketMs: number): [number, number] {
  const first = at[0] ?? 0;
  return [first / 1000, ((at.at(-1) ?? first) + bucketMs) / 1000];
}

/** A line has no point where neither neighbour has a value: such columns are shown as dots. */
function alone(u: uPlot, series: number): number[] {
  const values = [...(u.data[series] ?? [])];
  const has = (i: number) => typeof values[i] === 'number';
  return values.flatMap((_, i) => (has(i) && !has(i - 1) && !has(i + 1) ? [i] : []));
}

/** Behind the lines: hatched where nothing was measured, a full column where something failed, and its share of the beats. */
function paintGround(u: uPlot, columns: Columns, bucketMs: number, colour: (name: string) => string): void {
  const { ctx } = u;
  const { top, height: tall } = u.bbox;
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, top, u.bbox.width, tall);
  ctx.clip();
  columns.at.forEach((at, i) => {
    const state = columns.state[i];
    if (state === 'alive') return;
    // Whole pixels: else a seam would show between neighbours.
    const left = Math.round(u.valToPos(at / 1000, 'x', true));
    const wide = Math.max(1, Math.round(u.valToPos((at + bucketMs) / 1000, 'x', true)) - left);
    const point = columns.points[i];
    if (state === 'gap' || state === 'unknown') {
      ctx.fillStyle = colour('--sunken');
      ctx.fillRect(left, top, wide, tall);
      return;
    }
    const told = point == null ? 1 : Math.max(1, point.alive + point.degraded + point.dead);
    const share = state === 'dead' ? (point?.dead ?? 0) / told : (point?.degraded ?? 0) / told;
    ctx.fillStyle = colour(state === 'dead' ? '--beat-dead' : '--beat-slow');
    ctx.globalAlpha = 0.22;
    ctx.fillRect(left, top, wide, tall);
    ctx.globalAlpha = 1;
    const part = Math.max(4, tall * share);
    ctx.fillRect(left, top + tall - part, wide, part);
  });
  hatch(u, columns, bucketMs, colour('--line-strong'));
  ctx.restore();
}

/** One pattern over each whole gap, so that it does not start anew with every column. */
function hatch(u: uPlot, columns: Columns, bucketMs: number, stroke: string): void {
  const { ctx } = u;
  const { top, height: tall, left: edge, width: wide } = u.bbox;
  ctx.save();
  ctx.beginPath();
  columns.at.forEach((at, i) => {
    if (columns.state[i] !== 'gap') return;
    const left = u.valToPos(at / 1000, 'x', true);
    ctx.rect(left, top, u.valToPos((at + bucketMs) / 1000, 'x', true) - left, tall);
  });
  ctx.clip();
  ctx.strokeStyle = stroke;
  ctx.globalAlpha = 0.45;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const step = 9 * devicePixelRatio;
  for (let x = edge - tall; x < edge + wide; x += step) {
    ctx.moveTo(x, top + tall);
    ctx.lineTo(x + tall, top);
  }
  ctx.stroke();
  ctx.restore();
}
