/**
 * Tries for real what a text says before it is saved: the location by using it, the tests of the active node once, scripts and rights
 * by asking, a channel by sending a test. One of each kind at a time, bounded, cancelled by whoever asks; nothing of it is kept but what was seen.
 */
import { z } from 'zod';
import { checkLocation } from '../../backup/check-location.ts';
import type { Means } from '../../backup/work-of-config.ts';
import type { DataFolder } from '../../config/data-folder.ts';
import { writtenIn } from '../../config/edit.ts';
import { configFileName } from '../../config/load.ts';
import { problemLine } from '../../config/problems.ts';
import { firstProblem } from '../../config/save.ts';
import { type Config, toPolicy, toReferences, toTests } from '../../config/schema.ts';
import { location as locationSchema } from '../../config/sections.ts';
import { checkText } from '../../config/text.ts';
import type { SettingsDesk } from '../../contract/desk.ts';
import { EstepeError, sentenceOf } from '../../contract/errors.ts';
import type { ChannelName } from '../../contract/notify.ts';
import { type TrialKind, type TrialRow, type TrialsView, type TrialView, trialKinds } from '../../contract/settings.ts';
import { summarize } from '../../engine/judge.ts';
import type { Beat, Clock, Files, Net, Proc, Random } from '../../engine/ports.ts';
import { attempt } from '../../notify/attempt.ts';
import { testKey } from '../../notify/lane.ts';
import { letterOf, testText } from '../../notify/letter.ts';
import { rightsHere } from '../../runbook/rights.ts';
import { scriptsOf } from '../doctor/machine-looks.ts';
import { channelsOf, senderOf } from '../telling.ts';

export interface TrialParts {
  clock: Clock;
  net: Net;
  proc: Proc;
  files: Files;
  random: Random;
  means: Means;
  folder: Pick<DataFolder, 'root' | 'scripts'>;
  platform: NodeJS.Platform;
  /** of this process; null on Windows */
  uid: number | null;
  version: string;
  /** authorities (PEM) in place of the built-in ones; for the lab's own */
  trust?: string | undefined;
  /** the secret of that name, never to be shown from then on; throws with a sentence */
  secretOf: (name: string) => string;
  /** no secret may be shown; what is said comes from many places */
  clean: (text: string) => string;
}

/** A location that answers at all has proven its rights by then. */
const withinMs = 90_000;
const oneRightMs = 10_000;

interface Tried {
  good: boolean;
  title: string;
  rows: TrialRow[];
}
type Work = (signal: AbortSignal) => Promise<Tried>;

export class Trials {
  readonly #parts: TrialParts;
  readonly #views = Object.fromEntries(
    trialKinds.map((kind): [TrialKind, TrialView] => [kind, { running: null, ended: null }]),
  ) as Record<TrialKind, TrialView>;
  readonly #stops = new Map<TrialKind, AbortController>();
  readonly #works = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: TrialParts) {
    this.#parts = parts;
  }

  get desk(): SettingsDesk['trials'] {
    return { start: (ask) => this.#start(ask), view: () => this.view(), cancel: (ask) => this.#cancel(ask) };
  }

  view(): TrialsView {
    return { ...this.#views };
  }

  #start({ kind, text }: { kind: TrialKind; text: string }): { begun: boolean; sentence: string } {
    if (this.#closed) return { begun: false, sentence: 'Estepe is stopping.' };
    if (this.#stops.has(kind)) return { begun: false, sentence: 'This is being tried already: wait, or cancel it.' };
    let work: Work;
    try {
      work = this.#workOf(kind, text);
    } catch (error) {
      return { begun: false, sentence: this.#parts.clean(sentenceOf(error)) };
    }
    const { clock } = this.#parts;
    const stop = new AbortController();
    let late = false;
    const unwatch = clock.after(withinMs, () => {
      late = true;
      stop.abort();
    });
    this.#stops.set(kind, stop);
    this.#views[kind] = { running: { startedAt: Math.round(clock.wall()) }, ended: null };
    const run = this.#carryOut(kind, work, stop.signal, () => late).finally(() => {
      unwatch();
      this.#stops.delete(kind);
      this.#works.delete(run);
    });
    this.#works.add(run);
    return { begun: true, sentence: '' };
  }

  async #carryOut(kind: TrialKind, work: Work, signal: AbortSignal, late: () => boolean): Promise<void> {
    const { clock, clean } = this.#parts;
    let tried: Tried;
    try {
      tried = await work(signal);
    } catch (error) {
      const todo = error instanceof EstepeError ? error.todo : '';
      tried = { good: false, title: '', rows: [row('trial', 'problem', sentenceOf(error), todo)] };
    }
    if (late()) {
      const seconds = withinMs / 1000;
      const sentence = `It was not over after ${seconds} s and was given up.`;
      tried.rows.push(row('late', 'problem', sentence, 'See what hangs there: what is said above ended in time.'));
      tried.good = false;
    }
    this.#views[kind] = {
      running: null,
      ended: {
        at: Math.round(clock.wall()),
        how: signal.aborted && !late() ? 'cancelled' : tried.good ? 'good' : 'bad',
        title: clean(tried.title),
        rows: tried.rows.map((one) => ({ ...one, sentence: clean(one.sentence), todo: clean(one.todo) })),
      },
    };
  }

  #cancel({ kind }: { kind: TrialKind }): { was: boolean } {
    const stop = this.#stops.get(kind);
    stop?.abort();
    return { was: stop !== undefined };
  }

  /** Cuts off what is under way. Again does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const kind of trialKinds) this.#cancel({ kind });
    await Promise.all(this.#works);
  }

  /** @throws EstepeError `config`: what must be written first */
  #workOf(kind: TrialKind, text: string): Work {
    if (kind === 'location') return this.#locationOf(text);
    const checked = checkText(text);
    if (!checked.ok) throw notYet(firstProblem(checked.problems));
    if (kind === 'tests') return this.#testsOf(checked.config);
    return kind === 'rights' ? this.#rightsOf(checked.config) : this.#channelOf(kind, checked.config);
  }

  /** One letter by the very channel that would send it, within its own time; nothing of it is kept or tried again. */
  #channelOf(name: ChannelName, config: Config): Work {
    const { clock, folder, ...means } = this.#parts;
    const all = channelsOf({ ...means, clock, cwd: folder.root }, config);
    const channel = all.find((one) => one.channel.name === name)?.channel;
    if (channel === undefined) throw notYet(`The channel ${name} is not written yet.`);
    return async (signal) => {
      const begun = clock.now();
      const at = Math.round(clock.wall());
      const item = { id: 0, key: testKey, severity: 'info', text: testText, at } as const;
      const letter = letterOf(senderOf(config), [item], true);
      const end = await attempt(channel, letter, { clock, timeoutMs: channel.timeoutMs, outer: signal, reached: [] });
      const todo = end.how === 'sent' ? '' : end.todo;
      const ms = Math.round(clock.now() - begun);
      return {
        good: end.how === 'sent',
        title: channel.target,
        rows: [{ ...row(name, end.how === 'sent' ? 'ok' : 'problem', end.said, todo), ms }],
      };
    };
  }

  /** By its own section alone: the rest of the text may not be written yet. */
  #locationOf(text: string): Work {
    const { clock, means } = this.#parts;
    const written = z.object({ backup: z.object({ location: z.unknown() }) }).safeParse(writtenIn(text));
    if (!written.success) throw notYet('No location is named yet.');
    const parsed = locationSchema.safeParse(written.data.backup.location);
    if (!parsed.success) throw notYet(wrongIn(text, 'backup.location'));
    return async (signal) => {
      const location = means.open(parsed.data);
      try {
        const rights = await checkLocation(location, clock, signal);
        const stateOf = { ok: 'ok', failed: 'problem', skipped: 'skipped' } as const;
        return {
          good: rights.every(({ outcome }) => outcome === 'ok'),
          title: location.title,
          rows: rights.map((one) => ({ ...row(one.right, stateOf[one.outcome], one.sentence, one.todo), ms: one.ms })),
        };
      } finally {
        await location.close();
      }
    };
  }

  /** One round against the node that is the active one at the start: it is what has to answer, seen from either node. */
  #testsOf(config: Config): Work {
    const { net } = this.#parts;
    const target = { address: config.pair.active, fqdn: config.pair.fqdn };
    return async (signal) => {
      const startedAt = performance.now();
      const [beats, references] = await Promise.all([
        Promise.all(toTests(config).map((test) => net.probe(test, target, signal))),
        Promise.all(toReferences(config).map((spec) => net.reference(spec, signal))),
      ]);
      const round = { seq: 1, startedAt, endedAt: performance.now(), beats, references };
      const { result } = summarize(round, toPolicy(config));
      return {
        good: result === 'ok' && beats.every(({ outcome }) => outcome === 'alive'),
        title: `${target.address} (${target.fqdn})`,
        rows: [
          ...beats.map((beat) => ({ ...row(beat.test, stateOfBeat[beat.outcome], beat.evidence, ''), ms: beat.ms })),
          ...references.map((one) => {
            const state = one.answered === null ? 'skipped' : one.answered ? 'ok' : 'warning';
            return { ...row(one.id, state, one.evidence, ''), ms: one.ms };
          }),
        ],
      };
    };
  }

  #rightsOf(config: Config): Work {
    const { folder, platform, uid, random } = this.#parts;
    const byName = config.services.names.length > 0;
    const servers = config.promotion.dns.flatMap((entry) => (entry.kind === 'dnscmd' ? [entry.server] : []));
    return async (signal) => {
      const rights = await rightsHere(this.#parts, {
        ...{ platform, uid, byName, scripts: scriptsOf(config), scriptsFolder: folder.scripts, cwd: folder.root },
        ...{ dnscmdServer: servers[0] ?? null, timeoutMs: oneRightMs, runToken: random.hex(8), signal },
      });
      // Where no service is started by name, the account alone is no hindrance.
      const rows = rights.map(({ id, ok, sentence, todo }) =>
        row(id, ok ? 'ok' : id === 'account' && !byName ? 'warning' : 'problem', sentence, todo),
      );
      return { good: rows.every(({ state }) => state !== 'problem'), title: '', rows };
    };
  }
}

const stateOfBeat: Record<Beat['outcome'], TrialRow['state']> = {
  alive: 'ok',
  degraded: 'warning',
  dead: 'problem',
  foreign: 'problem',
  unknown: 'skipped',
};

function row(id: string, state: TrialRow['state'], sentence: string, todo: string): TrialRow {
  return { id, state, sentence, todo, ms: null };
}

const notYet = (what: string): EstepeError => new EstepeError('config', what, 'write that first, then try it');

/** The first problem at that key or below it. */
function wrongIn(text: string, path: string): string {
  const checked = checkText(text);
  const first = checked.ok ? undefined : checked.problems.find((problem) => problem.path.startsWith(path));
  return first === undefined ? 'The location is not written as it has to be.' : problemLine(configFileName, first);
}
