/** What every judge of the doctor answers with, and which node is which. Pure. */
import type { ProfileName } from '../../config/profiles.ts';
import type { DoctorCheck } from '../../contract/doctor.ts';

/** The pair as it stands now: by the standing, not by what estepe.yaml says of the start. */
export interface Ends {
  fqdn: string;
  profile: ProfileName;
  /** address of the node that is active now, as configured */
  active: string;
  passive: string;
  /** which of the two this node is */
  self: 'active' | 'passive';
}

/** What was found; the drill has areas of its own beside the doctor's. */
export type Found<A extends string> = Omit<DoctorCheck, 'area'> & { area: A };

type Make<A extends string> = (sentence: string, evidence?: string, todo?: string) => Found<A>;

/** A check of that id in each of its states. */
export function check<A extends string>(area: A, id: string): Record<DoctorCheck['state'], Make<A>> {
  const of =
    (state: DoctorCheck['state']): Make<A> =>
    (sentence, evidence = '', todo = '') => ({ id: `${area}.${id}`, area, state, sentence, evidence, todo });
  return { ok: of('ok'), warning: of('warning'), problem: of('problem'), skipped: of('skipped') };
}

/** `a`, `a and b`, `a, b and c` */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** Reached from inside only (RFC 1918, RFC 3927, RFC 4193). */
export const isPrivate = (address: string): boolean =>
  /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|f[cd][0-9a-f]{2}:|fe80:)/i.test(address);

/** As a sentence begins. */
export const begun = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
