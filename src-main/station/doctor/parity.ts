/** The two machines held against each other: a spare that differs may not stand in. Pure. */
import { compareVersions } from '../../backup/archive/version.ts';
import type { DoctorCheck } from '../../contract/doctor.ts';
import type { ParityFacts } from '../../contract/parity.ts';
import { inWords } from '../../engine/duration.ts';
import { check, type Ends, listed } from './check.ts';

/** What the other node told, or a sentence why it did not. */
export type Told = ParityFacts | string;

const both = (own: string, other: string): string => `here: ${own}; the other node: ${other}`;

export function judgeParity(own: ParityFacts, other: Told, ends: Ends): DoctorCheck[] {
  if (typeof other === 'string') {
    const todo = 'Pair the two nodes (`estepe pair`) and run the engine on both; then it is compared here.';
    const what = 'PBX version, operating system, ports and services of the other node were not compared.';
    return [check('parity', 'pbx').skipped(what, other, todo)];
  }
  return [
    judgeVersions(own, other, ends),
    ...judgeMachines(own, other),
    judgePorts(own, other),
    ...judgeRest(own, other),
  ];
}

function judgeVersions(own: ParityFacts, other: ParityFacts, { self }: Ends): DoctorCheck {
  const say = check('parity', 'pbx');
  const seen = both(own.pbxVersion ?? 'not known', other.pbxVersion ?? 'not known');
  if (own.pbxVersion === null || other.pbxVersion === null) {
    return say.skipped('The versions of the PBX could not be compared.', seen, 'Compare them by hand.');
  }
  const order = compareVersions(own.pbxVersion, other.pbxVersion);
  if (order === 0) return say.ok(`Both nodes run version ${own.pbxVersion} of the PBX.`, seen);
  const passiveIsOlder = order !== null && (self === 'passive' ? order < 0 : order > 0);
  if (passiveIsOlder) {
    const what =
      'The PBX of the passive node is older than that of the active one: it refuses the backups of that one.';
    return say.problem(what, seen, 'Update the passive node now, with its services left off afterwards.');
  }
  const what = 'The PBX of the passive node is newer than that of the active one: there would be no way back.';
  return say.warning(what, seen, 'Update the active node to the same version.');
}

function judgeMachines(own: ParityFacts, other: ParityFacts): DoctorCheck[] {
  const os = check('parity', 'os');
  const seen = both(`${own.os.name} ${own.os.release}`, `${other.os.name} ${other.os.release}`);
  const system =
    own.os.name !== other.os.name
      ? os.problem('The two nodes run different operating systems.', seen, 'Set up the spare on the same one.')
      : own.os.release !== other.os.release
        ? os.warning('The operating systems of the two nodes differ in their release.', seen, 'Update the older one.')
        : os.ok('Both nodes run the same operating system.', seen);
  const arch = check('parity', 'arch');
  const kinds = both(own.arch, other.arch);
  return [
    system,
    own.arch === other.arch
      ? arch.ok('Both machines are of the same architecture.', kinds)
      : arch.warning('The two machines are of different architectures.', kinds, 'Use the same for both.'),
    own.profile === other.profile
      ? check('parity', 'profile').ok('Both nodes have the same profile.', own.profile)
      : check('parity', 'profile').problem(
          'The two nodes are configured for different PBX products.',
          both(own.profile, other.profile),
          'Set the same `pair.profile` on both.',
        ),
  ];
}

/** `udp 192.0.2.1:5060` without the address, which differs by nature. */
const portOf = (text: string): string => text.replace(/ (?:\[[^\]]*\]|[^\s:[]+):(\d+)/, ' $1');

function judgePorts(own: ParityFacts, other: ParityFacts): DoctorCheck {
  const say = check('parity', 'ports');
  const [mine, theirs] = [own, other].map(({ ports }) => ports.map(portOf).sort()) as [string[], string[]];
  const seen = both(mine.join(', '), theirs.join(', '));
  if (mine.join() === theirs.join()) return say.ok('Both nodes are tested on the same ports.', mine.join(', '));
  const todo = 'Set the same ports in the PBX of both nodes, and the same `heartbeat.tests`.';
  return say.problem('The two nodes name different ports.', seen, todo);
}

function judgeRest(own: ParityFacts, other: ParityFacts): DoctorCheck[] {
  const services = check('parity', 'services');
  const estepe = check('parity', 'estepe');
  const differ = [...own.services, ...other.services].filter(
    (name) => !own.services.includes(name) || !other.services.includes(name),
  );
  return [
    differ.length === 0
      ? services.ok('Both nodes name the same services.', own.services.join(', ') || 'none by name')
      : services.warning(
          `Only one of the two nodes names ${listed(differ)} among its services.`,
          both(own.services.join(', '), other.services.join(', ')),
          'Set the same `services.names` on both.',
        ),
    own.estepeVersion === other.estepeVersion
      ? estepe.ok(`Both nodes run Estepe ${own.estepeVersion}.`)
      : estepe.warning(
          'The two nodes run different versions of Estepe.',
          both(own.estepeVersion, other.estepeVersion),
          'Update the older one.',
        ),
  ];
}

const noticedMs = 2_000;
/** From here on schedules, logs and certificates go astray; TSIG bears 300 s (RFC 8945 §10). */
const graveMs = 60_000;

/**
 * The other node's clock against this one's.
 * @param askedAt wall clock here before the question, `heardAt` after the answer: it was read somewhere in between, so what is said
 *   is what is sure
 */
export function judgeClock(other: Told, askedAt: number, heardAt: number): DoctorCheck {
  const say = check('clock', 'pair');
  if (typeof other === 'string') return say.skipped("The other node's clock was not compared.", other);
  const [least, most] = [other.wall - heardAt, other.wall - askedAt];
  const sure = least > 0 ? least : most < 0 ? -most : 0;
  const way = least > 0 ? 'ahead of' : 'behind';
  const round = `asked and answered within ${inWords(heardAt - askedAt)}`;
  if (sure <= noticedMs) return say.ok('The clocks of both nodes agree.', round);
  const what = `The other node's clock is at least ${inWords(sure)} ${way} this one's.`;
  const todo = 'Set both clocks by the same time server (NTP).';
  if (sure <= graveMs) return say.warning(what, round, todo);
  return say.problem(`${what} From 5 min on signed DNS updates are refused.`, round, todo);
}
