import { describe, expect, it } from 'vitest';
import { problemLine } from '../../../src-main/config/problems.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal, site } from './texts.ts';

const said = (text: string): string[] => {
  const checked = checkText(text);
  return checked.ok ? [] : checked.problems.map((problem) => problemLine('estepe.yaml', problem));
};
const at = 'backup: { location: { kind: local, folder: /b }';
const generic = (rest: string) => `${minimal}${at}, ${rest} }\n`;
const freepbx = (rest: string) => generic(rest).replace('profile: generic', 'profile: freepbx');
const threeCx = (rest: string) => site.replace('  keep: 7', `  ${rest}`);
const path = 'a path from the top, such as /var/lib/pbx or C:\\PBX; no `..`';

describe('backup.source, backup.encrypt and restore', () => {
  it.each([
    ['generic', generic('source: { folders: [/etc/asterisk], before: [[pg_dump, pbx]], after: [[rm, -f, /x]] }')],
    ['generic on Windows', generic("source: { files: ['C:\\PBX\\a.db', '\\\\nas\\share\\a'] }")],
    ['3CX by its command', threeCx('source: { options: [LIC, VM], password: pbx-backup, timeout: 30m }')],
    ['3CX by its schedule', threeCx('source: { from: folder, folder: /srv/3CX_PBX_Backups }')],
    ['FreePBX', freepbx('source: { job: b7a1, folder: /backups }')],
    ['a passphrase', threeCx('encrypt: { passphrase: backup-passphrase }')],
    ['a recipient', threeCx(`encrypt: { recipient: age1${'q'.repeat(58)}, identity: backup-identity }`)],
    [
      'restore of folders',
      `${generic('source: { folders: [/a] }')}restore: { into: [{ from: /a, to: /b }], before: [[stop]], after: [[start]] }\n`,
    ],
  ])('%s is taken', (_, text) => {
    expect(said(text)).toEqual([]);
  });

  it.each([
    [
      'nothing to back up',
      generic('keep: 3'),
      '3:1 backup.source: nothing is named that would be backed up. Allowed: at least one of `folders` and `files`.',
    ],
    [
      "another profile's key",
      generic('source: { folders: [/a], job: x }'),
      '3:80 backup.source.job: `job` means nothing for the profile generic. Allowed: for generic: folders, files, before, after, timeout.',
    ],
    [
      'no job',
      freepbx('source: {}'),
      '3:58 backup.source: no backup job of FreePBX is named. Allowed: `job`: the id that `fwconsole backup --list` shows.',
    ],
    [
      'no folder',
      threeCx('source: { from: folder }'),
      "12:11 backup.source: the folder is missing that 3CX's own schedule stores to. Allowed: `folder`, or `from: command`.",
    ],
    [
      'a part that 3CX does not know',
      threeCx('source: { options: [EVERYTHING] }'),
      '12:23 backup.source.options[0]: `EVERYTHING` is not known here. Allowed: ALL, CH, LIC, FQDN, PROMPTS, FW, REC or VM.',
    ],
    [
      'a relative path',
      generic('source: { folders: [etc/asterisk] }'),
      `3:70 backup.source.folders[0]: \`etc/asterisk\` is not an absolute path. Allowed: ${path}.`,
    ],
    [
      'a path that climbs',
      generic('source: { folders: [/var/../etc] }'),
      `3:70 backup.source.folders[0]: \`/var/../etc\` is not an absolute path. Allowed: ${path}.`,
    ],
    [
      'a file in a folder that is backed up as well',
      generic('source: { folders: [/a/], files: [/ab, /a/b/c] }'),
      '3:89 backup.source.files[1]: `/a/b/c` is backed up with `/a/` already. Allowed: paths of which none lies in another one.',
    ],
    [
      'the same folder twice, as Windows sees it',
      generic("source: { folders: ['C:\\PBX', 'c:/pbx/'] }"),
      '3:80 backup.source.folders[1]: `c:/pbx/` is backed up with `C:\\PBX` already. Allowed: paths of which none lies in another one.',
    ],
    [
      'the backups in themselves',
      generic('source: { folders: [/a, /b] }'),
      '3:74 backup.source.folders[1]: the backups themselves are stored in `/b`. Allowed: folders that do not hold `backup.location.folder`.',
    ],
    [
      'two that are restored into one another',
      `${generic('source: { folders: [/a, /c] }')}restore: { into: [{ from: /a, to: /c/d }] }\n`,
      '4:35 restore.into[0].to: `/c/d` and `/c` lie in one another, and both are restored. Allowed: places of which none lies in another one.',
    ],
    [
      'neither way',
      threeCx('encrypt: { identity: key }'),
      '12:12 backup.encrypt: it says for whom neither way. Allowed: either `passphrase`, or `recipient` (with `identity` where backups are restored).',
    ],
    [
      'both ways',
      threeCx(`encrypt: { passphrase: p, recipient: age1${'q'.repeat(58)} }`),
      '12:12 backup.encrypt: both a passphrase and a recipient are given. Allowed: either `passphrase`, or `recipient` (with `identity` where backups are restored).',
    ],
    [
      'no identity where it is restored',
      threeCx(`encrypt: { recipient: age1${'q'.repeat(58)} }`),
      '12:12 backup.encrypt: what is encrypted could not be restored here. Allowed: `identity` beside `recipient`.',
    ],
    [
      "restore's own commands for 3CX",
      site.replace('maxOffset: 24h', 'maxOffset: 24h, after: [[x]]'),
      '13:58 restore.after: `after` means nothing for the profile 3cx-windows. Allowed: for 3cx-windows no such key: its own restore command does it.',
    ],
  ])('%s', (_, text, sentence) => {
    expect(said(text)).toEqual([`estepe.yaml:${sentence}`]);
  });

  it('H4 the private key written in place of the public one is not shown', () => {
    const sentences = said(threeCx('encrypt: { recipient: AGE-SECRET-KEY-1QQQQ }')).join();
    expect(sentences).toContain('backup.encrypt.recipient');
    expect(sentences).not.toContain('QQQQ');
  });
});
