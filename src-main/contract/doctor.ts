/** What the doctor found: each prerequisite of an identical pair with its evidence and what to do, and how far a look is. */
import { z } from 'zod';

/** In the order in which an admin mends them. */
export const doctorAreas = [
  'addresses',
  'names',
  'certificate',
  'ports',
  'services',
  'parity',
  'clock',
  'rights',
  'disk',
  'storage',
  'references',
  'link',
  'firewall',
] as const;
export const doctorAreaSchema = z.enum(doctorAreas);
export type DoctorArea = z.infer<typeof doctorAreaSchema>;

/** Gravest first. `skipped`: not looked at, and the sentence says why. */
export const doctorStates = ['problem', 'warning', 'ok', 'skipped'] as const;
export const doctorStateSchema = z.enum(doctorStates);
export type DoctorState = z.infer<typeof doctorStateSchema>;

export const doctorCheckSchema = z.object({
  /** unique in a report, the same from look to look: `names.inside` */
  id: z.string(),
  area: doctorAreaSchema,
  state: doctorStateSchema,
  sentence: z.string(),
  /** what was seen; '' where the sentence says it all */
  evidence: z.string(),
  /** '' when there is nothing to do */
  todo: z.string(),
});
export type DoctorCheck = z.infer<typeof doctorCheckSchema>;

export const doctorCountsSchema = z.object({
  problem: z.number(),
  warning: z.number(),
  ok: z.number(),
  skipped: z.number(),
});

export const doctorReportSchema = z.object({
  /** wall clock at its end */
  at: z.number(),
  /** which node looked: `head-office@192.0.2.2` */
  node: z.string(),
  counts: doctorCountsSchema,
  checks: z.array(doctorCheckSchema),
});
export type DoctorReport = z.infer<typeof doctorReportSchema>;

/** The newest report of this life of the engine, and the look that is under way. */
export const doctorViewSchema = z.object({
  running: z
    .object({
      startedAt: z.number(),
      /** looks that have ended, of so many */
      done: z.number(),
      total: z.number(),
      /** areas that are still looked at */
      waitsFor: z.array(doctorAreaSchema),
    })
    .nullable(),
  report: doctorReportSchema.nullable(),
});
export type DoctorView = z.infer<typeof doctorViewSchema>;

/** By area in their order, the gravest first in each. */
export function inOrder(checks: readonly DoctorCheck[]): DoctorCheck[] {
  const area = (check: DoctorCheck): number => doctorAreas.indexOf(check.area);
  const state = (check: DoctorCheck): number => doctorStates.indexOf(check.state);
  return [...checks].sort((a, b) => area(a) - area(b) || state(a) - state(b));
}

/** Areas with what was found in each; those with problems first, then those with warnings. */
export const byArea = (checks: readonly DoctorCheck[]) => grouped(doctorAreas, checks);

/** The same for any areas, given in their order. */
export function grouped<A extends string, C extends { area: A; state: DoctorState }>(
  order: readonly A[],
  checks: readonly C[],
): { area: A; state: DoctorState; checks: C[] }[] {
  const rank = ({ state }: { state: DoctorState }): number => doctorStates.indexOf(state);
  const areas = order.flatMap((area) => {
    const own = checks.filter((check) => check.area === area).sort((a, b) => rank(a) - rank(b));
    const [first] = own;
    return first === undefined ? [] : [{ area, state: first.state, checks: own }];
  });
  return areas.sort((a, b) => rank(a) - rank(b));
}

export function countsOf(checks: readonly Pick<DoctorCheck, 'state'>[]): DoctorReport['counts'] {
  const counts = { problem: 0, warning: 0, ok: 0, skipped: 0 };
  for (const { state } of checks) counts[state] += 1;
  return counts;
}
