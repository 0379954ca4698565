/** Names of backups, there and back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObjectName } from '../../../src-main/backup/location.ts';
import { backupName, backupOfProof, isBackupOf, parseBackupName, proofNameOf } from '../../../src-main/backup/names.ts';

const at = Date.UTC(2026, 10, 24, 1);

describe('names of backups', () => {
  it('tell pair, node and time, and sort by it', () => {
    const name = backupName('head-office', '192.0.2.1', at + 999, true);
    expect(name).toBe('head-office-192.0.2.1-20261124T010000Z.zip.age');
    expect(parseBackupName(name)).toEqual({ pair: 'head-office', node: '192.0.2.1', createdAt: at, encrypted: true });
    expect(backupOfProof(proofNameOf(name))).toBe(name);
    const names = [at, at + 1000, at + 86_400_000, at + 40 * 86_400_000].map((t) => backupName('p', 'n', t, false));
    expect([...names].reverse().sort()).toEqual(names);
  });

  it('every pair and node makes one that any location takes, and that is found again', () => {
    const stamp = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }), fc.string(), stamp, (pair, node, s) => {
        const name = backupName(pair, node, s * 1000, false);
        expect(isObjectName(proofNameOf(name))).toBe(true);
        expect(isBackupOf(pair, name)).toBe(true);
        expect(parseBackupName(name)?.createdAt).toBe(s * 1000);
      }),
    );
  });

  it('what others store is not ours', () => {
    const others = [
      '3CXScheduledBackup.zip',
      'head-office-192.0.2.1-20261124T010000Z.tar',
      'head-office-192.0.2.1-20260231T010000Z.zip',
      'head-office-20261124T010000Z.zip',
      'epoch-7',
    ];
    expect(others.filter((name) => isBackupOf('head-office', name))).toEqual([]);
    expect(isBackupOf('head', backupName('head-office', '192.0.2.1', at, false))).toBe(false);
  });
});
