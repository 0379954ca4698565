/** What is around the pair: references, the link to the other node, and what of a firewall can be seen from here. Pure. */
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { PeerView } from '../../contract/peer.ts';
import type { ReferenceBeat } from '../../engine/ports.ts';
import { check, type Ends } from './check.ts';

export function judgeReferences(beats: readonly ReferenceBeat[]): DoctorCheck[] {
  if (beats.length === 0) {
    const todo = 'Name the gateway and something outside in `heartbeat.references`.';
    return [
      check('references', 'any').problem('No reference tells "is it me?": nothing is taken over by itself.', '', todo),
    ];
  }
  const none = beats.every(({ answered }) => answered !== true);
  return beats.map(({ id, answered, evidence }) => {
    const say = check('references', id);
    if (answered === true) return say.ok(`${id} answers.`, evidence);
    const what = answered === false ? `${id} does not answer.` : `${id} could not be asked.`;
    const all = none ? ' No reference answers: this node takes itself for cut off, and takes nothing over.' : '';
    const todo = 'Choose one that always answers, and check that no firewall drops the question.';
    return say[none ? 'problem' : 'warning'](`${what}${all}`, evidence, todo);
  });
}

/** @param view null: no engine runs here, so nobody keeps the link */
export function judgeLink(view: PeerView | null): DoctorCheck[] {
  const say = check('link', 'state');
  if (view === null) {
    const todo = 'Start the engine (`estepe serve`) and look again.';
    return [say.skipped('The link to the other node was not looked at: no engine runs here.', '', todo)];
  }
  const where = `here: ${view.listening ?? 'does not listen'}; the other node: ${view.address ?? 'not named'}`;
  const without = 'Without it the other node is not asked to stand down, and is not compared with this one.';
  const listens = check('link', 'listening');
  const own =
    view.state === 'off' || view.listening !== null
      ? []
      : [
          listens.problem(
            'This node does not listen for the other one.',
            view.trouble ?? '',
            'Free the port, or name another one in `peer.listen`.',
          ),
        ];
  switch (view.state) {
    case 'off':
      return [
        say.warning(
          `No link to the other node is configured. ${without}`,
          '',
          'Add `peer: {}` to estepe.yaml on both.',
        ),
      ];
    case 'unpaired':
    case 'pairing':
      return [say.warning(`The two nodes are not paired. ${without}`, where, 'Pair them: `estepe pair`.'), ...own];
    case 'down':
      return [
        say.problem(
          `The other node is not heard over the link. ${without}`,
          [view.trouble, where].filter(Boolean).join('; '),
          'Check that Estepe runs there, and that the firewall of each node lets the other one in.',
        ),
        ...own,
      ];
    case 'up':
      return [say.ok('The other node is heard over the link.', where), ...own];
  }
}

/** Says what cannot be seen from a node of the pair, rather than to leave it out. */
export function judgeFirewall(view: PeerView | null, ends: Ends): DoctorCheck[] {
  const other = ends.self === 'active' ? ends.passive : ends.active;
  const link = check('firewall', 'link');
  const seen = check('firewall', 'unseen');
  const heard = view?.state === 'up';
  return [
    heard
      ? link.ok(`The firewalls let the link through to ${view.address ?? other}.`, view.listening ?? '')
      : link.skipped(
          'Whether the firewalls let the link through is not known while it is not up.',
          view?.trouble ?? '',
          `Allow TCP ${view?.address?.split(':').at(-1) ?? '7443'} between ${ends.active} and ${ends.passive}.`,
        ),
    seen.skipped(
      "Not seen from here: whether this node's own ports are reached from outside, RTP (3CX: UDP 9000-10999), and the tunnel's UDP.",
      ends.self === 'passive' ? 'the PBX is off here' : '',
      `Run \`estepe doctor\` on ${other} too; test this node from outside during a drill; allow ${ends.passive} in the anti-hacking whitelist of the PBX.`,
    ),
  ];
}
