/** The pair's two addresses: this node's own is really here, and they differ. Pure. */
import { isIPv4 } from 'node:net';
import type { DoctorCheck } from '../../contract/doctor.ts';
import { check, type Ends, isPrivate } from './check.ts';

export interface AddressFacts {
  /** what the two configured addresses come to; null: a name that leads nowhere */
  active: readonly string[] | null;
  passive: readonly string[] | null;
  /** of this machine's interfaces */
  here: readonly string[];
}

export function judgeAddresses(facts: AddressFacts, ends: Ends): DoctorCheck[] {
  const own = facts[ends.self];
  const other = facts[ends.self === 'active' ? 'passive' : 'active'];
  return [judgeOwn(own, facts.here, ends), judgePair(own, other, ends)];
}

function judgeOwn(own: AddressFacts['active'], here: readonly string[], ends: Ends): DoctorCheck {
  const say = check('addresses', 'own');
  const address = ends[ends.self];
  if (own === null)
    return say.problem(`This node's own address ${address} leads nowhere.`, '', 'Correct it in `pair`.');
  // all of 127.0.0.0/8 is this machine's wherever one of it is
  const isHere = (one: string): boolean =>
    here.includes(one) || (isIPv4(one) && one.startsWith('127.') && here.some((known) => known.startsWith('127.')));
  const seen = `this machine: ${here.join(', ')}`;
  const absent = own.filter((one) => !isHere(one));
  if (absent.length < own.length) return say.ok(`This node's own address ${address} is one of this machine.`, seen);
  const what = `This node's own address ${address} is on no interface of this machine.`;
  const todo = 'Correct `pair.active`, `pair.passive` or `role` in estepe.yaml, or give the machine that address.';
  if (absent.every(isPrivate)) return say.problem(what, seen, todo);
  return say.warning(
    what,
    seen,
    `Right only where a router maps that address to this machine one to one. Else: ${todo}`,
  );
}

function judgePair(own: AddressFacts['active'], other: AddressFacts['active'], ends: Ends): DoctorCheck {
  const say = check('addresses', 'pair');
  const seen = `active: ${ends.active}; passive: ${ends.passive}`;
  if (own === null || other === null) {
    return say.warning(
      'One of the two addresses of the pair leads nowhere.',
      seen,
      'Use addresses, not names, in `pair`.',
    );
  }
  const shared = own.filter((one) => other.includes(one));
  if (shared.length === 0) return say.ok('The two nodes have addresses of their own.', seen);
  return say.problem(`Both nodes of the pair come to ${shared.join(', ')}.`, seen, 'Correct `pair` in estepe.yaml.');
}
