/** The house's words (contract/words.ts) in the reader's language. */
import type { Snapshot } from '../../src-main/contract/snapshot.ts';
import { blindedBy, goingOnIsGuarded, type Standing } from '../../src-main/contract/view.ts';
import type {
  GuardName,
  Mode,
  Outcome,
  Phase,
  Role,
  RunbookKind,
  RunbookStatus,
  Severity,
  StepState,
  TestKind,
} from '../../src-main/contract/words.ts';
import { m } from './paraglide/messages.js';

export const phaseWord: Record<Phase, () => string> = {
  starting: m.phase_starting,
  watching: m.phase_watching,
  suspecting: m.phase_suspecting,
  isolated: m.phase_isolated,
  conflicting: m.phase_conflicting,
  awaiting: m.phase_awaiting,
  promoting: m.phase_promoting,
  active: m.phase_active,
  halted: m.phase_halted,
  serving: m.phase_serving,
  'standing-down': m.phase_standing_down,
  'stood-down': m.phase_stood_down,
};

const phaseSays: Record<Phase, () => string> = {
  starting: m.says_starting,
  watching: m.says_watching,
  suspecting: m.says_suspecting,
  isolated: m.says_isolated,
  conflicting: m.says_conflicting,
  awaiting: m.says_awaiting,
  promoting: m.says_promoting,
  active: m.says_active,
  halted: m.says_halted,
  serving: m.says_serving,
  'standing-down': m.says_standing_down,
  'stood-down': m.says_stood_down,
};

/** The gist of the state in the reader's language; the engine's own sentence, in English, says more. */
export function saysOf(snapshot: Pick<Snapshot, 'core' | 'troubles' | 'runbook'>): string {
  const { phase, verdict } = snapshot.core;
  if (blindedBy(snapshot) !== null) return m.says_blind();
  if (phase === 'active' && verdict === 'healthy') return m.says_both();
  if (verdict === 'healthy' && goingOnIsGuarded(snapshot)) return m.says_halted_beside();
  return phaseSays[phase]();
}

export const outcomeWord: Record<Outcome, () => string> = {
  alive: m.outcome_alive,
  degraded: m.outcome_degraded,
  dead: m.outcome_dead,
  foreign: m.outcome_foreign,
  unknown: m.outcome_unknown,
};

export const testWord: Record<TestKind, () => string> = {
  sip: m.test_sip,
  web: m.test_web,
  tunnel: m.test_tunnel,
  command: m.test_command,
};

export const guardWord: Record<GuardName, () => string> = {
  'seen-healthy': m.guard_seen_healthy,
  'standing-known': m.guard_standing_known,
  'proven-down': m.guard_proven_down,
  references: m.guard_references,
  'no-contradiction': m.guard_no_contradiction,
  'claim-keeper': m.guard_claim_keeper,
  'restored-data': m.guard_restored_data,
  'no-maintenance': m.guard_no_maintenance,
  'not-observe-only': m.guard_not_observe_only,
  'cool-down': m.guard_cool_down,
  'peer-link': m.guard_peer_link,
  'other-serves': m.guard_other_serves,
  'restore-ready': m.guard_restore_ready,
  'newer-data-here': m.guard_newer_data_here,
  'home-node': m.guard_home_node,
  'stable-for': m.guard_stable_for,
};

export const modeWord: Record<Mode, () => string> = {
  automatic: m.mode_automatic,
  confirm: m.mode_confirm,
  manual: m.mode_manual,
};

export const severityWord: Record<Severity, () => string> = {
  info: m.severity_info,
  warning: m.severity_warning,
  alert: m.severity_alert,
};

export const stepWord: Record<StepState, () => string> = {
  waiting: m.step_waiting,
  running: m.step_running,
  done: m.step_done,
  failed: m.step_failed,
  skipped: m.step_skipped,
  'in-doubt': m.step_in_doubt,
};

export const statusWord: Record<RunbookStatus, () => string> = {
  running: m.status_running,
  halted: m.status_halted,
  done: m.status_done,
  cancelled: m.status_cancelled,
};

export const runbookWord: Record<RunbookKind, () => string> = {
  promotion: m.runbook_promotion,
  'stand-down': m.runbook_stand_down,
  switchover: m.runbook_switchover,
  failback: m.runbook_failback,
};

/** What a node is now. */
export function roleWord(role: Role | null): string {
  return role === null ? m.role_unknown() : role === 'active' ? m.role_active() : m.role_passive();
}

/** What the configuration says that a node is. */
export const placeWord: Record<Role, () => string> = { active: m.place_active, passive: m.place_passive };

/** The shape that goes with a look, so that colour never stands alone. */
export const shapeOf: Record<Standing | Severity, 'disc' | 'turn' | 'triangle' | 'octagon' | 'ring'> = {
  good: 'disc',
  busy: 'turn',
  attention: 'triangle',
  alarm: 'octagon',
  off: 'ring',
  info: 'disc',
  warning: 'triangle',
  alert: 'octagon',
};
