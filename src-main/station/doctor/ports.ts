/** Who answers on the PBX's ports: the active node on all of them, the passive one on none; and how its services stand here. Pure. */
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { Beat, TestSpec } from '../../engine/ports.ts';
import type { StatesAsked } from '../../runbook/service-states.ts';
import { check, type Ends, listed } from './check.ts';

/** A test, where it looked, and what it met. */
export interface Met {
  test: TestSpec;
  /** `udp 192.0.2.1:5060` */
  target: string;
  beat: Beat;
}

export function judgeActivePorts(met: readonly Met[], ends: Ends): DoctorCheck[] {
  if (met.length === 0) {
    const todo = 'Set `heartbeat.tests`: nothing tells whether the active node lives.';
    return [check('ports', 'active').problem('No test is configured.', '', todo)];
  }
  return met.map(({ test, target, beat }) => {
    const say = check('ports', `active.${test.id}`);
    const what = `${test.id} (${target}) of the active node`;
    const seen = beat.evidence;
    switch (beat.outcome) {
      case 'alive':
        return say.ok(`${what} answers.`, seen);
      case 'degraded':
        return say.warning(`${what} answers, but not as it should.`, seen, 'See what it says, on the active node.');
      case 'foreign':
        return say.problem(`Something else answers on ${target}.`, seen, 'Check the port in `heartbeat.tests`.');
      case 'dead': {
        const todo = `Check that the PBX runs on ${ends.active}, that the port is the right one, and that no firewall between the two nodes drops it.`;
        return say.problem(`${what} does not answer.`, seen, todo);
      }
      default:
        return say.warning(`${what} could not be tested.`, seen, 'Run `estepe probe` and see what is missing here.');
    }
  });
}

export function judgePassivePorts(met: readonly Met[], ends: Ends): DoctorCheck[] {
  return met
    .filter(({ test }) => test.kind !== 'command')
    .map(({ test, target, beat }) => {
      const say = check('ports', `passive.${test.id}`);
      const seen = beat.evidence;
      if (beat.outcome === 'unknown') {
        return say.warning(`Whether ${target} of the passive node is silent could not be tested.`, seen);
      }
      if (beat.outcome === 'dead' && beat.there !== true) {
        return say.ok(`${test.id} (${target}) of the passive node is silent.`, seen);
      }
      const todo =
        beat.outcome === 'foreign'
          ? `Free that port on ${ends.passive}: the PBX could not be started there.`
          : `Stop the PBX on ${ends.passive} and set its services to manual start: two would answer.`;
      return say.problem(`${test.id} (${target}) of the passive node answers, and must be off.`, seen, todo);
    });
}

/** The services of this node by name. */
export function judgeServices({ services, missing, faults }: StatesAsked, ends: Ends): DoctorCheck[] {
  const checks: DoctorCheck[] = [];
  const seen = services.map(({ name, state, boot }) => `${name}: ${state}, start ${boot}`).join('; ');
  const named = (of: (service: (typeof services)[number]) => boolean): string[] =>
    services.filter(of).map(({ name }) => name);
  if (faults.length > 0) {
    const say = check('services', 'asked').warning;
    checks.push(say('Not all services could be asked after.', faults.join('; '), 'See the rights below.'));
  }
  if (missing.length > 0) {
    const say = check('services', 'missing')[services.length === 0 ? 'problem' : 'warning'];
    const todo = 'Install the PBX here, or correct `services.names`.';
    checks.push(say(`This machine has no service called ${listed(missing)}.`, seen, todo));
  }
  if (services.length === 0) return checks;
  const running = named(({ state }) => state === 'running');
  const automatic = named(({ boot }) => boot === 'automatic' || boot === 'delayed');
  const unclear = named(({ state }) => state === 'unknown');
  const unsure = `Nobody could tell whether these services run: ${listed(unclear)}.`;
  const [run, boot] = [check('services', 'running'), check('services', 'boot')];
  if (ends.self === 'passive') {
    checks.push(
      running.length === 0
        ? unclear.length === 0
          ? run.ok('The PBX is off here, as on a passive node.', seen)
          : run.warning(unsure, seen, 'Look at these services yourself.')
        : run.problem(`This node is passive, and of its PBX runs: ${listed(running)}.`, seen, 'Stop it here.'),
      automatic.length === 0
        ? boot.ok('The PBX does not start with this machine.', seen)
        : boot.problem(
            `This node is passive, and its PBX starts with the machine (${listed(automatic)}): after a reboot two would answer.`,
            seen,
            'Set these services to manual start; a takeover sets them to automatic again.',
          ),
    );
    return checks;
  }
  const stopped = named(({ state }) => state === 'stopped');
  const byHand = named(({ boot: start }) => start === 'manual' || start === 'disabled');
  checks.push(
    stopped.length === 0
      ? unclear.length === 0
        ? run.ok('The services of the PBX run here.', seen)
        : run.warning(unsure, seen, 'Look at these services yourself.')
      : run.warning(
          `This node is active, and of its PBX is stopped: ${listed(stopped)}.`,
          seen,
          'Start it, or take it out of `services.names`.',
        ),
    byHand.length === 0
      ? boot.ok('The PBX starts with this machine.', seen)
      : boot.warning(
          `This node is active, and after a reboot would not start by itself: ${listed(byHand)}.`,
          seen,
          'Set these services to automatic start.',
        ),
  );
  return checks;
}

/** The services of this node, where the site's own commands tell. @param exits of the query commands; null: did not exit */
export function judgeQueries(
  exits: readonly { command: string; code: number | null; said: string }[],
  ends: Ends,
): DoctorCheck[] {
  const say = check('services', 'running');
  const seen = exits
    .map(({ command, code, said }) => `\`${command}\`: ${code === null ? said : `exit ${code}`}`)
    .join('; ');
  if (exits.length === 0) {
    const todo = 'Set `services.names`, or `services.query`.';
    return [say.skipped('Nothing tells whether the PBX runs here.', '', todo)];
  }
  if (exits.some(({ code }) => code === null)) {
    return [say.warning('Whether the PBX runs here could not be asked.', seen, 'Check `services.query`.')];
  }
  const running = exits.some(({ code }) => code === 0);
  const all = exits.every(({ code }) => code === 0);
  if (ends.self === 'passive') {
    if (!running) return [say.ok('The PBX is off here, as on a passive node.', seen)];
    return [say.problem('This node is passive, and its PBX runs.', seen, 'Stop it here.')];
  }
  if (all) return [say.ok('The PBX runs here.', seen)];
  return [say.warning('This node is active, and its PBX does not run in all parts.', seen, 'Look at it here.')];
}
