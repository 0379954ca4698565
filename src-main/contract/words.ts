/**
 * The words of the house: every enumeration that a client, a rule or a table row may carry.
 * Lowest floor: imports nothing of ours.
 */
import { z } from 'zod';

/** What a node is for the pair right now. */
export const roleSchema = z.enum(['active', 'passive']);
export type Role = z.infer<typeof roleSchema>;

/** Phases of the node that watches, then of the node that serves. */
export const passivePhases = [
  'starting',
  'watching',
  'suspecting',
  'isolated',
  'conflicting',
  'awaiting',
  'promoting',
  'active',
  'halted',
] as const;
export const activePhases = ['serving', 'standing-down', 'stood-down'] as const;
export const phases = [...passivePhases, ...activePhases] as const;
export const phaseSchema = z.enum(phases);
export type Phase = z.infer<typeof phaseSchema>;

/** What rounds, references and the other node's own word add up to. */
export const verdicts = ['healthy', 'suspect', 'down', 'isolated', 'conflicting'] as const;
export const verdictSchema = z.enum(verdicts);
export type Verdict = z.infer<typeof verdictSchema>;

/**
 * Result of one test once.
 * `alive`: it answered as it should. `degraded`: it answered, but something needs the admin (503, certificate).
 * `dead`: silence, refusal, failed TLS. `foreign`: bytes came that are not this protocol.
 * `unknown`: the test itself could not be made (no socket, name not resolved): says nothing about the node.
 */
export const outcomes = ['alive', 'degraded', 'dead', 'foreign', 'unknown'] as const;
export const outcomeSchema = z.enum(outcomes);
export type Outcome = z.infer<typeof outcomeSchema>;

export const testKindSchema = z.enum(['sip', 'web', 'tunnel', 'command']);
export type TestKind = z.infer<typeof testKindSchema>;

export const failWhenSchema = z.enum(['any', 'all']);
export type FailWhen = z.infer<typeof failWhenSchema>;

export const modeSchema = z.enum(['automatic', 'confirm', 'manual']);
export type Mode = z.infer<typeof modeSchema>;

export const onSilenceSchema = z.enum(['promote', 'hold']);
export type OnSilence = z.infer<typeof onSilenceSchema>;

export const severitySchema = z.enum(['info', 'warning', 'alert']);
export type Severity = z.infer<typeof severitySchema>;

/** The conditions of an automatic promotion, by the names a person overrides them with. */
export const guardNames = [
  'seen-healthy',
  'standing-known',
  'proven-down',
  'references',
  'no-contradiction',
  'claim-keeper',
  'restored-data',
  'no-maintenance',
  'not-observe-only',
  'cool-down',
] as const;
/** What must hold beside some of those before a planned change of roles. */
export const plannedGuardNames = [
  'peer-link',
  'other-serves',
  'restore-ready',
  'newer-data-here',
  'home-node',
  'stable-for',
] as const;
export const everyGuardName = [...guardNames, ...plannedGuardNames] as const;
export const guardNameSchema = z.enum(everyGuardName);
export type GuardName = z.infer<typeof guardNameSchema>;

/** Who set a promotion off. */
export const originSchema = z.enum(['automatic', 'silence', 'person']);
export type Origin = z.infer<typeof originSchema>;

/** Roles change while both nodes live: there, and the way home. */
export const plannedKindSchema = z.enum(['switchover', 'failback']);
export type PlannedKind = z.infer<typeof plannedKindSchema>;

export const runbookKindSchema = z.enum(['promotion', 'stand-down', ...plannedKindSchema.options]);
export type RunbookKind = z.infer<typeof runbookKindSchema>;

export const runbookStatusSchema = z.enum(['running', 'halted', 'done', 'cancelled']);
export type RunbookStatus = z.infer<typeof runbookStatusSchema>;

export const stepIds = [
  'guards',
  'claim',
  'fence',
  'before-script',
  'start-services',
  'prove-alive',
  'switch-dns',
  'after-script',
  'flip-standing',
  'stop-services',
  'ready',
  'final-backup',
  'restore-final',
  'wait-idle',
  'stand-down-other',
  'last-changes',
] as const;
export const stepIdSchema = z.enum(stepIds);
export type StepId = z.infer<typeof stepIdSchema>;

export const stepStateSchema = z.enum(['waiting', 'running', 'done', 'failed', 'skipped', 'in-doubt']);
export type StepState = z.infer<typeof stepStateSchema>;

export const onFailSchema = z.enum(['halt', 'continue', 'ask']);
export type OnFail = z.infer<typeof onFailSchema>;
