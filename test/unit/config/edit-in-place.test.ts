/** Whole entries set in the text: every other line stays, to the last blank. */
import { describe, expect, it } from 'vitest';
import { setInText, writtenIn } from '../../../src-main/config/edit.ts';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import { firstText, isUntouched } from '../../../src-main/config/first.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { diffOf } from '../../../src-main/station/settings/diff.ts';
import { minimal, site } from './texts.ts';

/** Lines of `before` that are not in `after`, in order, and the other way round. */
const changed = (before: string, after: string) => ({
  gone: diffOf(before, after).flatMap(({ kind, text }) => (kind === 'gone' ? [text] : [])),
  fresh: diffOf(before, after).flatMap(({ kind, text }) => (kind === 'new' ? [text] : [])),
});

describe('setting an entry in place', () => {
  it.each([
    ['a new section', ['drill', 'maxAge'], '30d', [], ['', 'drill:', '  maxAge: 30d']],
    ['a new key in a group', ['promotion', 'observeOnly'], false, [], null],
    [
      'a group made of nothing',
      ['promotion', 'scripts', 'before'],
      'stop.sh',
      [],
      ['  scripts:', '    before: stop.sh'],
    ],
  ] as const)('%s in the example touches no other line', (_, path, value, gone, fresh) => {
    const text = setInText(EXAMPLE_YAML, path, value);
    expect(changed(EXAMPLE_YAML, text).gone).toEqual(gone);
    if (fresh !== null) expect(changed(EXAMPLE_YAML, text).fresh).toEqual(fresh);
    expect(checkText(text).ok).toBe(true);
  });

  it('an entry taken out takes its line alone', () => {
    const text = setInText(EXAMPLE_YAML, ['promotion', 'cooldown'], undefined);
    expect(changed(EXAMPLE_YAML, text)).toEqual({
      gone: [expect.stringContaining('cooldown: 60m')],
      fresh: [],
    });
    expect(setInText(text, ['promotion', 'cooldown'], undefined)).toBe(text);
  });

  it('a list, and a group of another kind, are written anew where the old one stood', () => {
    const listed = setInText(EXAMPLE_YAML, ['heartbeat', 'references'], ['gateway']);
    expect(writtenIn(listed)).toMatchObject({ heartbeat: { references: ['gateway'] } });
    expect(changed(EXAMPLE_YAML, listed).gone.every((line) => /references|gateway|tcp:9/.test(line))).toBe(true);
    const moved = setInText(site, ['backup', 'location'], { kind: 'local', folder: '/srv/a b' });
    expect(changed(site, moved).gone).toEqual([expect.stringContaining('kind: sftp')]);
    expect(writtenIn(moved)).toMatchObject({ backup: { location: { kind: 'local', folder: '/srv/a b' }, keep: 7 } });
  });

  it('in braces: added, taken out at each place, emptied', () => {
    let text = setInText(minimal, ['pair', 'name'], 'head, office');
    for (const key of ['fqdn', 'passive', 'name']) text = setInText(text, ['pair', key], undefined);
    expect(writtenIn(text)).toEqual({ role: 'passive', pair: { active: '192.0.2.1', profile: 'generic' } });
    text = setInText(setInText(text, ['peer'], {}), ['peer', 'listen'], '192.0.2.2:7443');
    expect(writtenIn(text)).toMatchObject({ peer: { listen: '192.0.2.2:7443' } });
    expect(writtenIn(setInText(text, ['peer', 'listen'], undefined))).toMatchObject({ peer: {} });
  });

  const records = `role: passive
promotion:
  mode: confirm            # asks
  dns:                     # who is led where
    # inside
    - kind: rfc2136        # the primary
      server: 192.0.2.53   # it has the zone
      zone: example.com
      record: pbx
      key: estepe          # name of a secret
    # outside
    - { kind: cloudflare, zone: example.com, record: pbx, token: cf }   # by token
  cooldown: 60m            # then none
`;

  it.each([
    ['a value in lines', ['promotion', 'dns', 0, 'ttl'], '30s', [], ['      ttl: 30s']],
    [
      'one that is exchanged',
      ['promotion', 'dns', 0, 'zone'],
      'example.org',
      ['      zone: example.com'],
      ['      zone: example.org'],
    ],
    ['one taken out', ['promotion', 'dns', 0, 'record'], undefined, ['      record: pbx'], []],
    [
      'a new item',
      ['promotion', 'dns', 2],
      { kind: 'script', run: ['a.sh'] },
      [],
      ['    - kind: script', '      run:', '        - a.sh'],
    ],
    ['an item taken out', ['promotion', 'dns', 1], undefined, [expect.stringContaining('cloudflare')], []],
    [
      'a value in braces',
      ['promotion', 'dns', 1, 'active'],
      '203.0.113.1',
      [expect.stringContaining('token: cf }')],
      [expect.stringContaining('token: cf, active: 203.0.113.1 }   # by token')],
    ],
  ] as const)('in a list, %s touches no other line', (_, path, value, gone, fresh) => {
    const text = setInText(records, path, value);
    expect(changed(records, text)).toEqual({ gone, fresh });
    const windows = setInText(records.replaceAll('\n', '\r\n'), path, value);
    expect(windows).toBe(text.replaceAll('\n', '\r\n'));
  });

  const lines = `heartbeat:
  references:              # outside
    # the first
    - gateway              # or ping
    - tcp:192.0.2.7:53     # ours
    - dns:192.0.2.8
  interval: 30s
`;
  it.each([
    ['one more', ['gateway', 'tcp:192.0.2.7:53', 'dns:192.0.2.8', 'ping:a'], [], ['    - ping:a']],
    ['one less', ['gateway', 'dns:192.0.2.8'], ['    - tcp:192.0.2.7:53     # ours'], []],
    [
      'one exchanged',
      ['gateway', 'tcp:192.0.2.9:53', 'dns:192.0.2.8'],
      ['    - tcp:192.0.2.7:53     # ours'],
      ['    - tcp:192.0.2.9:53     # ours'],
    ],
    ['the first gone', ['dns:192.0.2.8'], [expect.stringContaining('or ping'), expect.stringContaining('ours')], []],
  ])('a list in lines keeps what stays: %s', (_, value, gone, fresh) => {
    const text = setInText(lines, ['heartbeat', 'references'], value);
    expect(writtenIn(text)).toMatchObject({ heartbeat: { references: value, interval: '30s' } });
    expect(changed(lines, text)).toEqual({ gone, fresh });
  });

  it.each([
    ['in lines', 'dns:\n    kind: dnscmd   # ours\n    server: 192.0.2.53\n  # later\n  cooldown: 1h\n'],
    ['in braces', 'dns: { kind: dnscmd, server: 192.0.2.53 }   # ours\n  cooldown: 1h\n'],
    ['at the end', 'dns:\n    kind: dnscmd   # ours\n    server: 192.0.2.53'],
  ])('one that stood alone %s becomes the first of a list, comments and all', (_, dns) => {
    const text = `promotion:\n  ${dns}`;
    const old = { kind: 'dnscmd', server: '192.0.2.53' };
    const listed = setInText(text, ['promotion', 'dns'], [old, { kind: 'script', run: ['a.sh'] }]);
    expect(writtenIn(listed)).toMatchObject({ promotion: { dns: [old, { kind: 'script', run: ['a.sh'] }] } });
    for (const comment of dns.match(/#.*/g) ?? []) expect(listed).toContain(comment);
    expect(changed(text, listed).gone.every((line) => /dns|kind|server/.test(line))).toBe(true);
  });

  it('Windows line ends stay, a file without a last line break gets along', () => {
    const windows = EXAMPLE_YAML.replaceAll('\n', '\r\n');
    const text = setInText(windows, ['backup', 'location'], { kind: 'local', folder: 'C:\\PBX' });
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(writtenIn(text)).toMatchObject({ backup: { location: { folder: 'C:\\PBX' } } });
    const bare = setInText(minimal.trimEnd(), ['history', 'beats'], '30d');
    expect(checkText(bare).ok).toBe(true);
  });

  it.each(['a: b', '- x', '#no', "it's", '"', ' ', '*star', '0x10', 'yes', '12', '1e3', 'null', '{a}', 'ü—', '\\n'])(
    'any text comes back as it was typed: %j',
    (typed) => {
      for (const text of [minimal, site, EXAMPLE_YAML]) {
        const set = setInText(setInText(text, ['pair', 'name'], typed), ['promotion', 'scripts', 'after'], typed);
        expect(writtenIn(set)).toMatchObject({ pair: { name: typed }, promotion: { scripts: { after: typed } } });
      }
    },
  );
});

describe('the text to begin with', () => {
  it('is the example, the open keys filled in on their lines, comments in their columns', () => {
    const answers: [string[], string][] = [
      [['role'], 'passive'],
      [['pair', 'fqdn'], 'pbx.example.com'],
      [['pair', 'active'], '192.0.2.1'],
      [['pair', 'passive'], '192.0.2.2'],
      [['pair', 'profile'], '3cx-windows'],
    ];
    const open = checkText(firstText());
    expect(open.ok ? [] : open.problems.map(({ path }) => path)).toEqual(answers.map(([path]) => path.join('.')));
    const filled = answers.reduce((text, [path, value]) => setInText(text, path, value), firstText());
    expect(checkText(filled).ok).toBe(true);
    const { fresh } = changed(EXAMPLE_YAML, filled);
    expect(fresh.every((line) => line.trimStart().startsWith('#'))).toBe(true);
  });

  it('an example that was only saved again is untouched, one that was answered is not', () => {
    expect(isUntouched(`\uFEFF${EXAMPLE_YAML.replaceAll('\n', '\r\n')}\n\n`)).toBe(true);
    expect(isUntouched(EXAMPLE_YAML.replace('192.0.2.1', '192.0.2.9'))).toBe(false);
  });
});
