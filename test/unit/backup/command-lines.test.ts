import { describe, expect, it } from 'vitest';
import { compareVersions, versionIn } from '../../../src-main/backup/archive/version.ts';
import {
  backup3cx,
  backupFreepbx,
  restore3cx,
  restoreFreepbx,
  versionLines,
} from '../../../src-main/backup/sources/command-lines.ts';
import { isZipEnd, scheduledFiles } from '../../../src-main/backup/sources/scheduled-file.ts';

const windows = { file: 'D:\\spool\\3cx backup.zip', log: 'D:\\spool\\backup.log', password: null };
const linux = { file: '/tmp/x/3cx-backup.zip', log: '/tmp/x/backup.log', password: 'open sesame' };

describe('command lines', () => {
  it.each([
    [
      'Windows, everything',
      backup3cx('3cx-windows', { ...windows, options: ['ALL'] }),
      [
        'C:\\Program Files\\3CX Phone System\\Bin\\BackupCmd.exe',
        '--file=D:\\spool\\3cx backup.zip',
        '--log=D:\\spool\\backup.log',
        '--options=ALL',
        '--noemail',
      ],
    ],
    [
      'Linux, some parts, with a password',
      backup3cx('3cx-linux', { ...linux, options: ['LIC', 'FQDN', 'VM'] }),
      [
        'sudo',
        '-n',
        '-u',
        'phonesystem',
        '/usr/sbin/3CXBackupCmd',
        '--file=/tmp/x/3cx-backup.zip',
        '--log=/tmp/x/backup.log',
        '--options=LIC,FQDN,VM',
        '--noemail',
        '--pwd=open sesame',
      ],
    ],
    [
      'restore on Windows, services not started',
      restore3cx('3cx-windows', windows),
      [
        'C:\\Program Files\\3CX Phone System\\Bin\\RestoreCmd.exe',
        '--file=D:\\spool\\3cx backup.zip',
        '--log=D:\\spool\\backup.log',
        '--failover',
      ],
    ],
    [
      'restore on Linux, services not started',
      restore3cx('3cx-linux', linux),
      [
        'sudo',
        '-n',
        '-u',
        'phonesystem',
        '/usr/sbin/3CXRestoreCmd',
        '--file=/tmp/x/3cx-backup.zip',
        '--log=/tmp/x/backup.log',
        '--failover',
        '--pwd=open sesame',
      ],
    ],
    ['FreePBX', backupFreepbx('b7a1'), ['fwconsole', 'backup', '--backup=b7a1']],
    ['FreePBX restore', restoreFreepbx('/spool/b.tar.gz'), ['fwconsole', 'backup', '--restore=/spool/b.tar.gz']],
  ])('%s', (_, { argv }, words) => {
    expect(argv).toEqual(words);
  });

  it('H4 what is shown of them holds no password', () => {
    const { shown, secrets } = restore3cx('3cx-linux', linux);
    expect(shown).toContain('--pwd=[secret]');
    expect(shown).not.toContain('sesame');
    expect(secrets).toEqual(['open sesame']);
  });

  it('of an unknown PBX nobody can be asked its version', () => {
    expect(versionLines.generic).toBeNull();
  });
});

describe('versions', () => {
  it.each([
    ['18.0.9.20', '18.0.9.3', 1],
    ['18.0.9.20', '18.0.10', -1],
    ['18.0.9', '18.0.9.0', 0],
    ['20.0.0.1', '18.9.9.9', 1],
    ['9.0', '10.0', -1],
    ['1.99999999999999999999', '1.99999999999999999998', 1],
    ['3CX 18.0.9.20-1', '18.0.9.20', 0],
    ['eighteen', '18.0', null],
    ['18', '18.0', null],
  ])('%s against %s: %s', (a, b, order) => {
    expect(compareVersions(a, b)).toBe(order);
    expect(compareVersions(b, a)).toBe(order === null ? null : 0 - order);
  });

  it.each([
    ['3cxpbx\t18.0.9.20\n', '18.0.9.20'],
    ['FreePBX Framework 16.0.40.7', '16.0.40.7'],
    ['no packages found matching 3cxpbx', null],
  ])('in %j', (text, version) => {
    expect(versionIn(text)).toBe(version);
  });
});

describe("3CX's own scheduled files", () => {
  const stored = (name: string) => ({ name, size: 1, modifiedAt: 0 });

  it('the newest has no number, the rest by their numbers; others are none of them', () => {
    const names = [
      '3CXScheduledBackup.10.zip',
      '3CXScheduledBackup.2.zip',
      '3CXScheduledBackup.zip',
      '3CXScheduledBackup.zip.part',
      'other.zip',
      '3CXScheduledBackup.1.zip',
    ];
    expect(scheduledFiles(names.map(stored)).map(({ name }) => name)).toEqual([
      '3CXScheduledBackup.zip',
      '3CXScheduledBackup.1.zip',
      '3CXScheduledBackup.2.zip',
      '3CXScheduledBackup.10.zip',
    ]);
  });

  it('the end of a zip fits its size', () => {
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt32LE(46, 12);
    end.writeUInt32LE(100, 16);
    expect(isZipEnd(end, 146 + 22)).toBe(true);
    // An end whose directory would lie behind it, and one that is cut.
    expect(isZipEnd(end, 145 + 22)).toBe(false);
    expect(isZipEnd(end.subarray(0, 21), 146 + 21)).toBe(false);
    expect(isZipEnd(Buffer.alloc(300), 300)).toBe(false);
  });
});
