/** Readings of the last beats: which node a test looks at, and the line of its latency. Pure. */
import type { BeatView, NodeView, TestView } from './snapshot.ts';

/** Places of a heartbeat bar: so many beats a snapshot holds of each test. */
export const barPlaces = 60;

/**
 * The tests that look at this node: those whose target names its address. A test that names neither (a command of the site's
 * own) looks at the node that is watched, the one that is not this engine's.
 */
export function testsOfNode(tests: readonly TestView[], nodes: readonly NodeView[], node: NodeView): TestView[] {
  const names = ({ target }: TestView, { address }: NodeView) =>
    address !== '' && target.split(/[\s/,]+/).some((part) => hostOf(part) === address);
  const watched = nodes.find(({ self }) => !self);
  return tests.filter((test) => {
    const named = nodes.filter((one) => names(test, one));
    return named.length === 0 ? node === watched : named.includes(node) && (named.length === 1 || node === watched);
  });
}

/** `192.0.2.1:5060` and `[2001:db8::1]:5060` without the port. */
function hostOf(part: string): string {
  const [, bracketed] = /^\[([^\]]*)\]/.exec(part) ?? [];
  if (bracketed !== undefined) return bracketed;
  return part.indexOf(':') === part.lastIndexOf(':') ? part.replace(/:\d+$/, '') : part;
}

/** Nodes in the order of the data: from the one that serves to its spare; as they are while that is not known. */
export function nodesInFlow(nodes: readonly NodeView[]): NodeView[] {
  const active = nodes.filter(({ role }) => role === 'active');
  return active.length === 1 ? [...active, ...nodes.filter((node) => !active.includes(node))] : [...nodes];
}

export interface Sparkline {
  /** for `<path d>`, in a box of `barPlaces` by 1; y grows downwards. A beat without an answer breaks the line. */
  path: string;
  /** answered beats that stand alone between gaps: a line has no point */
  dots: { x: number; y: number }[];
  /** of the answered beats, ms */
  min: number;
  max: number;
}

/** The latency of the last beats, each at its place in the bar, on a logarithmic scale of ten times or more; null without an answered beat. */
export function sparkline(beats: readonly BeatView[]): Sparkline | null {
  const shown = beats.slice(-barPlaces);
  const answered = ({ outcome }: BeatView) => outcome === 'alive' || outcome === 'degraded';
  const all = shown.filter(answered).map(({ ms }) => ms);
  if (all.length === 0) return null;
  const [min, max] = [Math.min(...all), Math.max(...all)];
  const first = barPlaces - shown.length;
  const least = Math.min(...all.filter((ms) => ms > 0));
  // In tenfold steps, as on the chart: one slow answer must not press all others flat, nor a tenth of a ms look like much.
  const height = Math.max(1, Math.log10(max / least));
  const y = (ms: number) => (ms <= 0 ? 1 : round(1 - Math.log10(ms / least) / height));
  const runs: { x: number; y: number }[][] = [];
  shown.forEach((beat, i) => {
    if (!answered(beat)) return;
    const before = shown[i - 1];
    if (before === undefined || !answered(before)) runs.push([]);
    runs.at(-1)?.push({ x: first + i + 0.5, y: y(beat.ms) });
  });
  const lines = runs.filter((run) => run.length > 1);
  return {
    path: lines.map((run) => run.map((at, i) => `${i === 0 ? 'M' : 'L'}${at.x} ${at.y}`).join('')).join(''),
    dots: runs.filter((run) => run.length === 1).flat(),
    min,
    max,
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
