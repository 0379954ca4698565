/** What a simulation counts, and how the counts of many seeds add up. */

export interface Tally {
  /** automatic promotions of a spare whose active truly was dead */
  right: number;
  /** the active served, but the path to it could not show that */
  blind: number;
  /** `failWhen: any` on a lossy path: one test failed every time by loss alone */
  lossyAny: number;
  /** the active, or the path to it, came back while the last round was under way */
  race: number;
  /** the active served and could be seen: a fault */
  wrong: number;
  byPerson: number;
  /** promotions taken back before the point of no return */
  takenBack: number;
  /** worst time from death to the promotion's begin, where nothing disturbed the watch; ms */
  worstDetectMs: number;
  violations: string[];
}

export const emptyTally = (): Tally => ({
  right: 0,
  blind: 0,
  lossyAny: 0,
  race: 0,
  wrong: 0,
  byPerson: 0,
  takenBack: 0,
  worstDetectMs: 0,
  violations: [],
});

export function add(sum: Tally, one: Tally): void {
  sum.right += one.right;
  sum.blind += one.blind;
  sum.lossyAny += one.lossyAny;
  sum.race += one.race;
  sum.wrong += one.wrong;
  sum.byPerson += one.byPerson;
  sum.takenBack += one.takenBack;
  sum.worstDetectMs = Math.max(sum.worstDetectMs, one.worstDetectMs);
  sum.violations.push(...one.violations);
}
