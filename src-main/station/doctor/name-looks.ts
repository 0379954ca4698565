/** Looks at where the FQDN leads: this machine's resolver, the servers of each configured record, resolvers outside. */
import { toDns } from '../../config/schema.ts';
import type { DnsAnswer } from '../../engine/ports.ts';
import type { Look } from './examine.ts';
import { judgeRehearsal } from './means.ts';
import { type Answer, judgeKeptTtl, judgeName, judgeSplit, judgeTtl, type Meaning, repairOf } from './names.ts';
import { askResolver } from './resolver.ts';
import { once, type Shared } from './shared.ts';

const resolverMs = 12_000;
const authoritiesMs = 30_000;
const rehearsalMs = 60_000;

export function nameLooks(shared: Shared): Look[] {
  const { parts, config, ends, lookUp, family, addresses, signal } = shared;
  const { fqdn, self } = ends;
  const records = toDns(config).map(({ record, from, to }, i) => ({
    id: `${record.name}.${i + 1}`,
    record,
    from,
    to,
    right: self === 'active' ? to : from,
    wrong: self === 'active' ? from : to,
  }));
  const own = records.filter(({ record }) => record.name === fqdn.toLowerCase());

  /** Whatever means that node anywhere: asked from here, inside or outside may answer. */
  const meaning = async (): Promise<Meaning> => {
    const { active, passive } = await addresses();
    const right = [...(active ?? [ends.active]), ...own.map((one) => one.right)];
    // behind one router both may have the same address outside: that one says nothing
    const wrong = [...(passive ?? [ends.passive]), ...own.map((one) => one.wrong)].filter(
      (one) => !right.includes(one),
    );
    return { right: [...new Set(right)], wrong: [...new Set(wrong)] };
  };
  const repair = async (): Promise<string> => {
    const { right, wrong } = await meaning();
    const [first] = own;
    return repairOf(
      ends,
      first?.record ?? null,
      first?.right ?? right[0] ?? ends.active,
      first?.wrong ?? wrong[0] ?? ends.passive,
    );
  };

  const inside = once(async (): Promise<Answer> => {
    const who = 'the resolver of this machine';
    const found = await lookUp.find(fqdn, resolverMs / 2, signal);
    if (found.how !== 'found') {
      if (found.how === 'failed' && /\b(?:ENOTFOUND|ENODATA)\b/.test(found.why))
        return { who, addresses: [], ttlS: null, why: null };
      return { who, addresses: null, ttlS: null, why: found.how === 'failed' ? found.why : 'cancelled' };
    }
    return { who, addresses: found.addresses.map(({ address }) => address), ttlS: null, why: null };
  });
  const resolvers = parts.site().watched.references.flatMap((spec) => (spec.kind === 'dns' ? [spec] : []));
  const outside = once(() => Promise.all(resolvers.map((server) => askResolver(lookUp, server, fqdn, family, signal))));

  return [
    {
      ...{ area: 'names', what: 'what the FQDN leads to here', withinMs: resolverMs },
      run: async () => [
        judgeName(
          {
            id: 'inside',
            name: fqdn,
            answer: await inside(),
            meaning: await meaning(),
            silence: 'problem',
            repair: await repair(),
          },
          ends,
        ),
      ],
    },
    {
      ...{ area: 'names', what: 'what the FQDN leads to outside', withinMs: resolverMs },
      run: async () => {
        const answers = await outside();
        const [known, mend] = [await meaning(), await repair()];
        const judged = answers.flatMap((answer, i) => {
          const id = `outside.${resolvers[i]?.id ?? i}`;
          const asked = { id, name: fqdn, answer, meaning: known, silence: 'skipped', repair: mend } as const;
          return [judgeName(asked, ends), judgeKeptTtl(id, fqdn, answer, ends)].filter((one) => one !== null);
        });
        return [...judged, judgeSplit(await inside(), answers)];
      },
    },
    ...records.flatMap(({ id, record, from, to, right, wrong }): Look[] => [
      {
        ...{
          area: 'names',
          what: `what ${record.name} leads to at its own servers`,
          withinMs: authoritiesMs,
          promotion: true,
        },
        run: async (one) => {
          const answers = await parts.dns.look(record, right, one);
          const meant = { right: [right], wrong: [wrong].filter((address) => address !== right) };
          const mend = repairOf(ends, record, right, wrong);
          const judged = answers.map((answer, i) =>
            judgeName(
              {
                ...{ id: `record.${id}.${i + 1}`, name: record.name, answer: answerOf(answer) },
                ...{ meaning: meant, silence: 'problem', repair: mend },
              },
              ends,
            ),
          );
          return [...judged, judgeTtl(id, record, answers)];
        },
      },
      {
        ...{ area: 'rights', what: `whether ${record.name} may be switched`, withinMs: rehearsalMs, promotion: true },
        run: async (one) => {
          // a script that does not know of ESTEPE_DRY_RUN would switch
          if (record.way.kind === 'script') return [judgeRehearsal(id, record.name, null)];
          const [epoch, attempt, runToken] = [0, 1, parts.random.hex(8)];
          const context = { signal: one, epoch, attempt, runToken, step: 'doctor', reason: 'doctor' };
          return [judgeRehearsal(id, record.name, await parts.dns.rehearse(record, { from, to }, context))];
        },
      },
    ]),
  ];
}

const answerOf = ({ server, addresses, ttlS, why }: DnsAnswer): Answer => ({ who: server, addresses, ttlS, why });
