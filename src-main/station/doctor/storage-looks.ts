/** Looks at the location, what lies in it, and the room that it takes here. */
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkLocation } from '../../backup/check-location.ts';
import type { Location } from '../../backup/location.ts';
import { type Backup, listBackups } from '../../backup/shelf.ts';
import type { Config } from '../../config/schema.ts';
import type { DoctorCheck } from '../../contract/doctor.ts';
import { boundMissed } from '../site.ts';
import { check } from './check.ts';
import type { Look } from './examine.ts';
import { judgeRoom, judgeTarget } from './means.ts';
import { once, type Shared } from './shared.ts';
import { judgeLocation, judgeNewest, judgeRestored } from './storage.ts';

const locationMs = 90_000;
const listMs = 60_000;
const diskMs = 10_000;
/** Where nothing says how old data may be: two nights. */
const usualBoundMs = 48 * 3600_000;
const folderNeeds = 100_000_000;
const folderWishes = 1_000_000_000;

export function storageLooks(shared: Shared): Look[] {
  const { parts, config, ends, signal } = shared;
  const { clock, means, folder } = parts;
  const { backup, restore, pair } = config;
  const none = 'There is no section `backup` in estepe.yaml: nothing is stored, and nothing can be claimed there.';
  const newest = once(async (): Promise<Backup | null> => {
    if (backup === null) return null;
    return withLocation(
      () => means.openBackups(backup),
      async (location) => (await listBackups({ location, pair: pair.name }, signal))[0] ?? null,
    );
  });
  return [
    {
      ...{ area: 'storage', what: 'the location', withinMs: locationMs, promotion: true },
      run: async (own) => {
        if (backup === null)
          return [check('storage', 'location').problem(none, '', 'Add one: `estepe config example` shows it.')];
        return withLocation(
          () => means.openBackups(backup),
          async (location) =>
            judgeLocation(
              location.title,
              await checkLocation(location, clock, own, parts.trial),
              config.promotion.claim.need === 'required',
            ),
        );
      },
    },
    {
      ...{ area: 'storage', what: 'the newest backup', withinMs: listMs, promotion: true },
      run: async () => {
        const bound = restore?.maxOffset ?? usualBoundMs;
        const troubles = boundMissed(config, clock.wall()).map(({ key, sentence, todo }) =>
          check('storage', key).warning(sentence, '', todo),
        );
        return [...troubles, ...(backup === null ? [] : judgeNewest(await newest(), bound, clock.wall()))];
      },
    },
    {
      ...{ area: 'storage', what: 'what is restored here', withinMs: diskMs, promotion: true },
      run: async () => [
        judgeRestored(parts.restored(), restore && { maxOffsetMs: restore.maxOffset }, clock.wall(), ends),
      ],
    },
    {
      ...{ area: 'disk', what: 'the disks', withinMs: listMs + diskMs, promotion: true },
      run: async () => {
        // how large a backup is, is not known where there is none, or where the location is away: that is said elsewhere
        const size = (await newest().catch(() => null))?.size ?? 0;
        const because = size === 0 ? 'history and logs' : 'twice the newest backup, beside history and logs';
        return [
          judgeRoom({
            ...{ id: 'data', what: 'the data folder', path: folder.root, freeBytes: await freeIn(folder.root) },
            ...{ needBytes: folderNeeds, wishBytes: folderWishes, because: 'history and logs' },
          }),
          judgeRoom({
            ...{ id: 'spool', what: 'the spool', path: folder.spool, freeBytes: await freeIn(folder.spool) },
            ...{ needBytes: Math.max(folderNeeds, 2 * size), wishBytes: Math.max(folderWishes, 3 * size), because },
          }),
          ...(ends.self === 'passive' && restore !== null ? await targetChecks(config, size) : []),
        ];
      },
    },
  ];
}

/** What a restore swaps in stands beside what it replaces until it is proven. */
async function targetChecks(config: Config, size: number): Promise<DoctorCheck[]> {
  const { folders = [], files = [] } = config.backup?.source ?? {};
  const into = new Map(config.restore?.into.map(({ from, to }) => [from, to]));
  const targets = [...folders, ...files].map((path) => into.get(path) ?? path);
  const holders = new Set<string>();
  const checks: DoctorCheck[] = [];
  for (const target of targets) {
    const holder = dirname(target);
    const isThere = await stat(holder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    checks.push(judgeTarget(target, isThere ? holder : null));
    if (isThere) holders.add(holder);
  }
  for (const holder of holders) {
    const because = 'the new data stands beside the old until it is proven';
    const room = {
      id: `room.${holder}`,
      what: `the folder ${holder}`,
      path: holder,
      freeBytes: await freeIn(holder),
      because,
    };
    checks.push(judgeRoom({ ...room, needBytes: 2 * size, wishBytes: Math.max(folderNeeds, 3 * size) }));
  }
  return checks;
}

/** Of the nearest folder that is there: a spool is made when it is needed. */
async function freeIn(path: string): Promise<number | null> {
  for (let at = path; ; at = dirname(at)) {
    const free = await statfs(at).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    );
    if (free !== null || at === dirname(at)) return free;
  }
}

/** Opens it and lets go of it whatever happened. */
async function withLocation<T>(open: () => Location, work: (location: Location) => Promise<T>): Promise<T> {
  const location = open();
  try {
    return await work(location);
  } finally {
    await location.close();
  }
}
