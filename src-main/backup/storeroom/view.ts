/** What clients see of the storeroom, and why an order would be refused. Reads only. */
import type { BackupKind, BackupRow, BackupsView } from '../../contract/backups.ts';
import type { Role } from '../../contract/words.ts';
import { parseBackupName } from '../names.ts';
import type { Backup } from '../shelf.ts';
import { passiveMakesNone } from '../work-of-config.ts';
import type { Calendar } from './calendar.ts';
import type { StoreroomFacts } from './facts.ts';
import type { Listing } from './listing.ts';
import type { StoreroomParts } from './parts.ts';
import type { Stock } from './stock.ts';
import type { Work } from './work.ts';

/** A page shows so many. */
const mostRows = 200;

/**
 * Null: it would be taken. What a runbook of the pair orders is taken beside it, and, having stood down for it, a node makes the
 * backup of what it wrote last.
 */
export function whyNot(
  kind: BackupKind,
  { config, around }: Pick<StoreroomParts, 'config' | 'around'>,
  role: Role,
  work: Work | null,
  commissioned = false,
): string | null {
  const { backup, restore } = config();
  if (backup === null) return 'There is no section `backup` in estepe.yaml, so there is no location.';
  if (kind === 'backup' && role !== 'active' && !commissioned) return passiveMakesNone;
  if (kind === 'restore') {
    if (role === 'active')
      return 'This node is the active one: a restore would overwrite the data that it serves with.';
    if (restore === null) return 'There is no section `restore` in estepe.yaml: Estepe keeps no copy of the data here.';
  }
  if (work !== null) return `A ${work.kind} is under way; one at a time.`;
  return around.runbookOpen() && !commissioned ? 'A runbook is open: nothing begins before it has ended.' : null;
}

/** What stands in the way of any restore here, whatever is under way now; null: nothing. */
export function whyNoRestoreAtAll(
  { config, around }: Pick<StoreroomParts, 'config' | 'around'>,
  role: Role,
  trouble: Listing['trouble'],
): string | null {
  return whyNot('restore', { config, around }, role, null, true) ?? trouble?.sentence ?? null;
}

function rowOf({ name, createdAt, size, verified, proof }: Backup, restored: ReadonlyMap<string, number>): BackupRow {
  const encrypted = parseBackupName(name)?.encrypted === true;
  const verifiedAt = proof?.verifiedAt ?? null;
  return { name, createdAt, size, encrypted, verified, verifiedAt, restoredAt: restored.get(name) ?? null };
}

export interface Viewed {
  parts: StoreroomParts;
  facts: StoreroomFacts;
  listing: Listing;
  calendar: Calendar;
  stock: Stock;
  work: Work | null;
  role: Role;
}

export function viewOf({ parts, facts, listing, calendar, stock, work, role }: Viewed): BackupsView {
  const { trouble } = listing;
  const { restored } = stock;
  const because = (kind: BackupKind): string | null => whyNot(kind, parts, role, work);
  return {
    location: stock.title,
    rows: listing.rows.slice(0, mostRows).map((row) => rowOf(row, stock.restoredTimes)),
    count: listing.rows.length,
    listedAt: listing.listedAt === null ? null : Math.round(listing.listedAt),
    listing: listing.listing,
    listTrouble: trouble && { sentence: parts.clean(trouble.sentence), todo: trouble.todo },
    schedules: { backup: calendar.view('backup'), restore: calendar.view('restore') },
    work: work?.view(parts.clean) ?? null,
    last: facts.ends,
    restored: restored && {
      name: restored.name,
      createdAt: restored.createdAt,
      restoredAt: restored.restoredAt,
      proven: restored.proven,
    },
    refusals: { backup: because('backup'), verify: because('verify'), restore: because('restore') },
  };
}
