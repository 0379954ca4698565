/** Which of the first run's last steps this tab has come to: they are taken on the engine that runs by then, and outlive a reload. */
import type { FirstRunStep } from '../../src-main/contract/settings-steps.ts';

const key = 'estepe-last-step';

/** Steps that need a running engine. */
export const lastSteps = ['pair', 'drill'] as const satisfies readonly FirstRunStep[];
export type LastStep = (typeof lastSteps)[number];

/** Null: none is left to be taken. */
export function lastStepKept(): LastStep | null {
  try {
    const kept = sessionStorage.getItem(key);
    return lastSteps.find((one) => one === kept) ?? null;
  } catch {
    return null;
  }
}

export function keepLastStep(step: LastStep | null): void {
  try {
    if (step === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, step);
  } catch {
    // a browser that keeps nothing: a reload leads to the overview
  }
}
