/**
 * Where the FQDN leads, inside and outside, and for how long an answer is kept. Installing 3CX on the passive points its FQDN there:
 * that is named, with the repair. Pure.
 */
import { isIPv4 } from 'node:net';
import type { DoctorCheck } from '../../contract/doctor.ts';
import { inWords } from '../../engine/duration.ts';
import type { DnsAnswer, DnsRecord } from '../../engine/ports.ts';
import { ttlTrouble } from '../../runbook/dns/ttl.ts';
import { begun, check, type Ends, isPrivate, listed } from './check.ts';

/** Who was asked and what came. `addresses` null: nothing that counts, and `why` says why. */
export interface Answer {
  /** as it stands in a sentence: `the resolver of this machine` */
  who: string;
  addresses: readonly string[] | null;
  ttlS: number | null;
  why: string | null;
}

/** Addresses that mean the active node there, and those that mean the passive one. */
export interface Meaning {
  right: readonly string[];
  wrong: readonly string[];
}

export interface NameAsked {
  /** last part of the check's id: `inside` */
  id: string;
  name: string;
  answer: Answer;
  meaning: Meaning;
  /** what a silent server comes to; one that nobody needs for the switch is no fault of the pair */
  silence: 'problem' | 'skipped';
  /** how it is pointed back */
  repair: string;
}

/** Longer than this and phones keep the old address for longer than people wait. */
const longTtlS = 300;

export function judgeName({ id, name, answer, meaning, silence, repair }: NameAsked, ends: Ends): DoctorCheck {
  const say = check('names', id);
  const { who, addresses, why } = answer;
  if (addresses === null) {
    const todo = `Look whether that server is right and can be reached from here, and whether it knows ${name}.`;
    return say[silence](`${begun(who)} gives no answer for ${name}.`, why ?? '', todo);
  }
  const seen = `${who}: ${addresses.join(', ') || 'no address'}`;
  if (addresses.length === 0) {
    const none = say[silence === 'problem' ? 'problem' : 'warning'];
    return none(`${name} has no address at ${who}: phones that ask there do not find the PBX.`, seen, repair);
  }
  const leadsTo = (set: readonly string[]): boolean => addresses.some((address) => set.includes(address));
  const [right, wrong] = [leadsTo(meaning.right), leadsTo(meaning.wrong)];
  if (wrong) {
    const what = right
      ? `${name} leads to both nodes at ${who}: some phones reach the passive one.`
      : `${name} points at the passive node (${ends.passive}) at ${who}, though ${ends.active} is the active one. Installing the PBX on the passive does that.`;
    return say.problem(what, seen, repair);
  }
  if (!right) {
    const what = `${name} leads to ${listed(addresses)} at ${who}, which is neither node's address as far as estepe.yaml tells.`;
    const todo = `Point it at ${listed(meaning.right) || ends.active} there; where that is the right address from outside, name it in \`promotion.dns\` (\`active\`, \`passive\`).`;
    return say.warning(what, seen, todo);
  }
  // an address of the other family may well be the same node's
  const strange = addresses.filter(
    (address) => !meaning.right.includes(address) && meaning.right.some((known) => isIPv4(known) === isIPv4(address)),
  );
  if (strange.length > 0) {
    const what = `${name} leads to the active node at ${who}, and to ${listed(strange)} besides.`;
    return say.warning(what, seen, `Remove ${listed(strange)}: a switch changes the pair's own address only.`);
  }
  return say.ok(`${name} leads to the active node at ${who}.`, seen);
}

/** Inside and outside held against each other. */
export function judgeSplit(inside: Answer, outside: readonly Answer[]): DoctorCheck {
  const say = check('names', 'split');
  const heard = outside.filter(({ addresses }) => addresses !== null && addresses.length > 0);
  if (outside.length === 0) {
    const todo = 'Add a resolver outside as a reference (`heartbeat.references`: `dns:HOST`), or look from outside.';
    return say.skipped('What the FQDN leads to outside was not asked: no `dns:` reference is configured.', '', todo);
  }
  if (heard.length === 0 || inside.addresses === null) {
    return say.skipped('Inside and outside could not be held against each other: one of them gave no answer.');
  }
  const all = [inside, ...heard].map(({ who, addresses }) => `${who}: ${(addresses ?? []).join(', ')}`).join('; ');
  const hidden = heard.filter(({ addresses }) => (addresses ?? []).every(isPrivate));
  const insideHidden = inside.addresses.every(isPrivate);
  const differs = heard.some(({ addresses }) => !same(addresses ?? [], inside.addresses ?? []));
  if (differs) return say.ok('Inside and outside give different addresses, as split DNS does.', all);
  if (hidden.length > 0 && insideHidden) {
    const what = 'Inside and outside give the same private address: phones outside do not reach the PBX by it.';
    const todo = 'Right only where that resolver stands inside too. Else give the FQDN its public address outside.';
    return say.warning(what, all, todo);
  }
  return say.ok('Inside and outside give the same address.', all);
}

const same = (a: readonly string[], b: readonly string[]): boolean => [...a].sort().join() === [...b].sort().join();

/** For one configured record: the TTL that its servers give. */
export function judgeTtl(
  id: string,
  record: Pick<DnsRecord, 'name' | 'ttlS'>,
  answers: readonly DnsAnswer[],
): DoctorCheck {
  const say = check('names', `ttl.${id}`);
  const known = answers.flatMap(({ server, ttlS }) => (ttlS === null ? [] : [{ server, ttlS }]));
  const seen = known.map(({ server, ttlS }) => `${server}: ${inWords(ttlS * 1000)}`).join('; ');
  if (known.length === 0) return say.skipped(`No server tells the TTL of ${record.name}.`);
  const trouble = ttlTrouble(record, answers);
  if (trouble !== null) return say.warning(trouble.sentence, seen, trouble.todo);
  const longest = Math.max(...known.map(({ ttlS }) => ttlS));
  return longTtl(say, record.name, longest, seen);
}

/** What a resolver says: of a kept answer it tells what is left of its time. */
export function judgeKeptTtl(id: string, name: string, { who, ttlS }: Answer, { profile }: Ends): DoctorCheck | null {
  if (ttlS === null) return null;
  const seen = `${who}: ${inWords(ttlS * 1000)} left`;
  const said = longTtl(check('names', `ttl.${id}`), name, ttlS, seen);
  if (said.state === 'ok' || !profile.startsWith('3cx')) return said;
  return { ...said, todo: `${said.todo} 3CX's own names have a TTL by the edition: shorter on the larger ones.` };
}

function longTtl(say: ReturnType<typeof check<'names'>>, name: string, ttlS: number, seen: string): DoctorCheck {
  if (ttlS <= longTtlS) return say.ok(`The TTL of ${name} is ${inWords(ttlS * 1000)} at most.`, seen);
  const what = `The TTL of ${name} is ${inWords(ttlS * 1000)}: after a switch phones may keep the old address for so long.`;
  return say.warning(what, seen, 'Lower it to 60 s now, before it is needed.');
}

/** How the FQDN is pointed back at the active node, in the words of whoever serves it. */
export function repairOf(ends: Ends, record: DnsRecord | null, right: string, wrong: string): string {
  const restart = `restart the 3CX System service on the active node (${ends.active}): it points its FQDN at itself again`;
  const asSentence = (text: string): string => `${begun(text)}.`;
  if (record === null) {
    return asSentence(
      ends.profile.startsWith('3cx')
        ? `${restart}. Where the FQDN is your own, set its record to ${right}`
        : `set the record of ${ends.fqdn} to ${right} at whoever serves it`,
    );
  }
  const { name, zone, ttlS, way } = record;
  const type = isIPv4(right) ? 'A' : 'AAAA';
  const node = zone === null || name === zone ? '@' : name.slice(0, -zone.length - 1);
  const own = ((): string => {
    switch (way.kind) {
      case 'rfc2136':
        return `\`nsupdate\` with the key \`${way.key}\`: \`server ${way.server.host} ${way.server.port}\`, \`update delete ${name} ${type}\`, \`update add ${name} ${ttlS} ${type} ${right}\`, \`send\``;
      case 'dnscmd':
        return `\`dnscmd ${way.server} /recorddelete ${zone} ${node} ${type} ${wrong} /f\`, then \`dnscmd ${way.server} /recordadd ${zone} ${node} ${ttlS} ${type} ${right}\``;
      case 'cloudflare':
        return `set ${name} to ${right} at Cloudflare`;
      case 'route53':
        return `set ${name} to ${right} in Route 53`;
      case 'script':
        return `set ${name} to ${right} at whoever serves it; your script \`${way.argv[0] ?? ''}\` does that on a takeover`;
    }
  })();
  return asSentence(ends.profile.startsWith('3cx') ? `${restart}; where the name is your own: ${own}` : own);
}
