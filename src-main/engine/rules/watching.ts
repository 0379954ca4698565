/** Rules of the phases in which nothing is proven: starting, watching, suspecting, isolated, conflicting. */
import { inWords } from '../duration.ts';
import { isUnreferenced } from '../judge.ts';
import type { Effect } from '../observation.ts';
import { blind, type Context, held, none, over, proof, type Rule, rounds, start, tell, watchers } from './rule.ts';

const recovered = (c: Context): string => `The other node answers again (${proof(c)}). Nothing was taken over.`;

const unreferencedKey = 'references-silent';

/** After a gap nothing is known of them: silence goes on until one is seen. */
const referenceSeen = ({ state }: Context): boolean => (state.round?.referencesAnswered ?? 0) > 0;

/** While all is well somebody can still mend the references; once the other node is dead it is too late. */
const references = (c: Context): Effect[] => {
  const { state, o } = c;
  if (isUnreferenced(state, o.policy)) {
    return tell(
      unreferencedKey,
      'warning',
      () =>
        `No reference answers (0 of ${state.round?.referencesAsked}), though the other node does. If it died now, this node would take itself for cut off: look at heartbeat.references.`,
    )(c);
  }
  return state.told.includes(unreferencedKey) && referenceSeen(c)
    ? [{ do: 'tell', key: 'references-back', severity: 'info', text: 'A reference answers again.' }]
    : [];
};

export const starting: Rule[] = [
  {
    id: 'starting.healthy',
    phases: ['starting'],
    when: { order: none, verdict: ['healthy'] },
    next: 'watching',
    effects: over((c) => `The other node answers now (${proof(c)}).`),
    reason: (c) => `the other node was seen healthy (${proof(c)})`,
  },
  {
    id: 'starting.waiting',
    phases: ['starting'],
    when: { order: none, verdict: ['none', 'suspect'] },
    next: 'same',
    effects: blind,
    reason: (c) => `the other node was not seen healthy yet (${proof(c)})`,
  },
  {
    id: 'starting.never-seen',
    notable: true,
    phases: ['starting'],
    when: { order: none, verdict: ['down', 'isolated', 'conflicting'] },
    next: 'same',
    effects: tell(
      'starting.never-seen',
      'alert',
      (c) =>
        `The other node has not answered since Estepe began to watch it (${proof(c)}). No automatic takeover; promote by hand if it is dead.`,
    ),
    reason: (c) =>
      `the other node was never seen healthy, so there is no automatic takeover; verdict ${c.facts.verdict} (${proof(c)})`,
  },
];

export const watching: Rule[] = [
  {
    id: 'watching.healthy',
    phases: ['watching'],
    when: { order: none, verdict: ['none', 'healthy'] },
    next: 'same',
    change: (c) => ({ told: c.state.told.filter((key) => key === unreferencedKey && !referenceSeen(c)) }),
    effects: references,
    reason: (c) => `the other node answers (${proof(c)})`,
  },
  {
    id: 'watching.failed-round',
    phases: ['watching'],
    when: { order: none, verdict: ['suspect', 'down'] },
    next: 'suspecting',
    reason: (c) => `a round failed; looking every ${inWords(c.o.policy.confirmEveryMs)} now (${proof(c)})`,
  },
  {
    id: 'watchers.isolated',
    phases: watchers,
    when: { order: none, verdict: ['isolated'] },
    next: 'isolated',
    effects: tell(
      'isolated',
      'alert',
      (c) => `This node seems cut off: neither the other node nor any reference answers (${proof(c)}). No takeover.`,
    ),
    reason: (c) =>
      `no reference answers (0 of ${c.state.round?.referencesAsked}): more likely this node is cut off than the other dead (${proof(c)})`,
  },
  {
    id: 'watchers.contradicted',
    phases: watchers,
    when: { order: none, verdict: ['conflicting'] },
    next: 'conflicting',
    effects: tell(
      'conflicting',
      'alert',
      (c) =>
        `The tests fail, but the other node says it serves (${c.o.word?.via}). No takeover; look at the network between the two.`,
    ),
    reason: (c) =>
      `the tests fail (${proof(c)}), but the other node's own word of ${inWords(c.o.word?.ageMs ?? 0)} ago says that it serves`,
  },
];

/** What becomes of a question that nobody answers. */
function silence(c: Context): string {
  const { mode, onSilence, countdownMs } = c.o.policy;
  if (held(c) !== '') return `Estepe waits for a person; not by itself as long as this holds it back: ${held(c)}.`;
  return mode === 'confirm' && onSilence === 'promote' && !c.state.held
    ? `Without an answer Estepe takes over in ${inWords(countdownMs)}.`
    : 'Estepe waits for a person.';
}

export const suspecting: Rule[] = [
  {
    id: 'suspecting.cleared',
    phases: ['suspecting'],
    when: { order: none, verdict: ['healthy'] },
    next: 'watching',
    effects: over(recovered),
    reason: (c) => `the other node answers again (${proof(c)})`,
  },
  {
    id: 'suspecting.counting',
    phases: ['suspecting'],
    when: { order: none, verdict: ['none', 'suspect'] },
    next: 'same',
    effects: blind,
    reason: (c) => `${rounds(c)} (${proof(c)})`,
  },
  {
    id: 'suspecting.down-automatic',
    phases: ['suspecting'],
    when: { order: none, verdict: ['down'], go: ['self'] },
    next: 'promoting',
    effects: start('automatic', (c) => `${rounds(c)} (${proof(c)})`),
    reason: (c) => `${rounds(c)}, every guard holds, mode automatic: taking over (${proof(c)})`,
  },
  {
    id: 'suspecting.down-ask',
    phases: ['suspecting'],
    when: { order: none, verdict: ['down'], go: ['ask'] },
    next: 'awaiting',
    effects: tell('awaiting', 'alert', (c) => `The other node is down (${proof(c)}). Take over? ${silence(c)}`),
    reason: (c) => {
      const why = held(c) || (c.state.held ? 'a person said not to take over' : `mode ${c.o.policy.mode}`);
      return `${rounds(c)}; a person is asked, because: ${why} (${proof(c)})`;
    },
  },
  {
    id: 'suspecting.down-maintenance',
    notable: true,
    phases: ['suspecting'],
    when: { order: none, verdict: ['down'], go: ['quiet'] },
    next: 'same',
    reason: (c) =>
      `${rounds(c)}, but maintenance is on for another ${inWords(c.o.maintenance?.leftMs ?? 0)} (${proof(c)})`,
  },
  {
    id: 'suspecting.down-observe-only',
    notable: true,
    phases: ['suspecting'],
    when: { order: none, verdict: ['down'], go: ['observe'] },
    next: 'same',
    effects: tell(
      'observe-only',
      'alert',
      (c) => `Estepe would fail over now, because ${rounds(c)} (${proof(c)}). It is observe-only.`,
    ),
    reason: (c) => `would fail over now, because ${rounds(c)} (${proof(c)}); observe-only`,
  },
];

export const doubtful: Rule[] = [
  {
    id: 'isolated.back',
    phases: ['isolated', 'conflicting'],
    when: { order: none, verdict: ['healthy'] },
    next: 'watching',
    effects: (c) => [
      {
        do: 'tell',
        key: 'recovered',
        severity: 'info',
        text: `The other node answers again after ${inWords(c.o.at - c.state.since)} of doubt (${c.state.phase}). Nothing was taken over.`,
      },
    ],
    reason: (c) => `the other node answers again (${proof(c)})`,
  },
  {
    id: 'doubt.counting-anew',
    phases: ['isolated', 'conflicting'],
    when: { order: none, verdict: ['suspect', 'down'] },
    next: 'suspecting',
    reason: (c) =>
      `${c.state.phase === 'isolated' ? 'a reference answers again' : 'the other node no longer says that it serves'}, but its tests fail: ${rounds(c)} (${proof(c)})`,
  },
  {
    id: 'isolated.still',
    phases: ['isolated'],
    when: { order: none, verdict: ['none', 'isolated'] },
    next: 'same',
    reason: (c) => `no reference answers (${proof(c)})`,
  },
  {
    id: 'isolated.contradicted',
    phases: ['isolated'],
    when: { order: none, verdict: ['conflicting'] },
    next: 'conflicting',
    reason: (c) => `a reference answers again; the tests fail, but the other node says that it serves (${proof(c)})`,
  },
  {
    id: 'conflicting.still',
    phases: ['conflicting'],
    when: { order: none, verdict: ['none', 'conflicting'] },
    next: 'same',
    reason: (c) => `the other node says that it serves, its tests fail (${proof(c)})`,
  },
  {
    id: 'conflicting.isolated',
    phases: ['conflicting'],
    when: { order: none, verdict: ['isolated'] },
    next: 'isolated',
    reason: (c) => `now no reference answers either (${proof(c)})`,
  },
];
