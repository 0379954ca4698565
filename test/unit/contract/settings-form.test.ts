/** The settings as forms: every field leads to a place that the configuration knows, and what is typed there comes back. */
import { describe, expect, it } from 'vitest';
import { setInText, writtenIn } from '../../../src-main/config/edit.ts';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import { firstText } from '../../../src-main/config/first.ts';
import { keysAt } from '../../../src-main/config/json-schema.ts';
import { profiles } from '../../../src-main/config/profiles.ts';
import { checkText } from '../../../src-main/config/text.ts';
import type { ProblemView } from '../../../src-main/contract/settings.ts';
import { type Field, valueAt, type Written } from '../../../src-main/contract/settings-field.ts';
import {
  changesOf,
  fieldsOf,
  locationKinds,
  settingsSections,
  shownIn,
} from '../../../src-main/contract/settings-form.ts';
import {
  canGoOn,
  canOpen,
  firstRunSteps,
  notesOf,
  problemsBeside,
  problemsOfField,
  saveState,
  sectionOf,
  sectionsOfStep,
  stepAfter,
  stepBefore,
  trialsAfter,
  triedPart,
} from '../../../src-main/contract/settings-steps.ts';
import { formFacts } from '../../../src-main/station/settings/usual.ts';
import { everything, minimal, site } from '../config/texts.ts';

const facts = formFacts();
const writtenOf = (text: string) => writtenIn(text) as Written;
const allFields = (text: string): Field[] =>
  settingsSections.flatMap((section) => fieldsOf(section, writtenOf(text), facts));
const fieldIn = (text: string, id: string): Field => {
  const found = allFields(text).find((field) => field.id === id);
  if (found === undefined) throw new Error(`no field ${id}`);
  return found;
};
/** Types in a field as the page does. */
function type(text: string, id: string, typed: string | boolean): string {
  const written = writtenOf(text);
  return changesOf(fieldIn(text, id), typed, written, facts).reduce(
    (held, { path, value }) => setInText(held, path, value === null ? undefined : value),
    text,
  );
}
const shown = (text: string, id: string) => shownIn(fieldIn(text, id), writtenOf(text), facts);

describe('fields', () => {
  it('each stands at a key that the schema knows, for every location and product', () => {
    for (const profile of profiles) {
      for (const kind of locationKinds) {
        const text = type(type(minimal, 'pair.profile', profile), 'backup.location.kind', kind);
        for (const { path } of allFields(text)) {
          expect(keysAt(writtenOf(text), path.slice(0, -1)), path.join('.')).toContain(path.at(-1));
        }
      }
    }
  });

  it.each([
    ['pair.fqdn', 'voice.example.com'],
    ['pair.name', 'a: b # c'],
    ['backup.keep', '12'],
    ['backup.schedule', '30 2 * * 1-5'],
    ['heartbeat.references', 'gateway\ntcp:192.0.2.7:53'],
    ['heartbeat.tests.web.port', '443'],
    ['promotion.scripts.before', 'stop.sh'],
    ['restore.whenNewer', false],
    ['promotion.observeOnly', true],
    ['peer', true],
    ['heartbeat.tests.tunnel', false],
    ['backup.location.kind', 's3'],
    ['promotion.mode', 'manual'],
    ['backup.location.password', 'nas'],
  ] as const)('%s shows what was typed there: %j', (id, typed) => {
    for (const text of [site]) expect(shown(type(text, id, typed), id)).toEqual(typed);
  });

  it.each([
    ['promotion.fence.need', 'required'],
    ['promotion.fence.api', true],
    ['promotion.fence.api.clientId', 'estepe'],
    ['promotion.fence.script', 'fence-ipmi.sh --port 2'],
    ['promotion.fence.silenceWithin', '20s'],
    ['selfFence.after', '10m'],
    ['promotion.dns[0].kind', 'rfc2136'],
    ['promotion.dns[1].passive', '203.0.113.2'],
    ['promotion.dns[2].kind', 'none'],
    ['services.names', '3CX Phone*\nnginx'],
    ['services.calls', 'count-calls.cmd "C:\\Program Files\\PBX"'],
    ['services.letOn', 'estepe'],
    ['notify.desktop', true],
    ['notify.desktop.least', 'alert'],
    ['notify.email.security', 'starttls'],
    ['notify.email.to', 'admin@example.com'],
    ['notify.webhook.least', 'info'],
  ] as const)('%s shows what is written: %j', (id, value) => {
    expect(checkText(everything)).toMatchObject({ ok: true });
    expect(shown(everything, id)).toEqual(value);
  });

  it.each([
    ['the least', minimal],
    ['a site', site],
    ['everything', everything],
  ])('every field of %s, typed anew as it stands, changes nothing in what is said, and no comment', (_, text) => {
    const comments = (one: string) => one.match(/#.*/g) ?? [];
    const written = allFields(text).filter(
      ({ path, kind }) => kind !== 'present' && valueAt(writtenOf(text), path) !== undefined,
    );
    for (const { id } of written) {
      const again = type(text, id, shown(text, id) ?? '');
      expect(writtenIn(again), id).toEqual(writtenIn(text));
      expect(comments(again), id).toEqual(comments(text));
    }
  });

  it.each([
    ['notify.desktop', true, { notify: { desktop: true } }],
    ['notify.email', true, { notify: { email: {} } }],
    ['promotion.fence', 'required', { promotion: { fence: 'required' } }],
    ['promotion.fence.script', 'cut.sh -x', { promotion: { fence: { script: ['cut.sh', '-x'] } } }],
    [
      'services.start',
      'systemctl start "my pbx"\n/opt/b',
      { services: { start: [['systemctl', 'start', 'my pbx'], ['/opt/b']] } },
    ],
    ['services.calls', 'count', { services: { calls: ['count'] } }],
    ['selfFence.after', '5m', { selfFence: { after: '5m' } }],
    ['promotion.dns.kind', 'rfc2136', { promotion: { dns: { kind: 'rfc2136', zone: 'example.com', record: 'pbx' } } }],
    ['promotion.dns.kind', 'script', { promotion: { dns: { kind: 'script' } } }],
  ] as const)('%s typed into the least configuration (%j), and taken back', (id, typed, written) => {
    const before = writtenOf(minimal) as object;
    const text = type(minimal, id, typed);
    expect(writtenOf(text)).toEqual({ ...before, ...written });
    const off = typeof typed === 'boolean' ? false : id.endsWith('.kind') ? 'none' : '';
    const left = id.startsWith('promotion') ? { promotion: {} } : {};
    expect(writtenOf(type(text, id, off))).toEqual({ ...before, ...left });
  });

  it('a word becomes a group when it gets a key of its own', () => {
    const word = type(minimal, 'promotion.fence', 'required');
    expect(writtenOf(type(word, 'promotion.fence.silenceWithin', '10s'))).toMatchObject({
      promotion: { fence: { need: 'required', silenceWithin: '10s' } },
    });
    const desktop = type(minimal, 'notify.desktop', true);
    expect(writtenOf(type(desktop, 'notify.desktop.least', 'alert'))).toMatchObject({
      notify: { desktop: { least: 'alert' } },
    });
  });

  it('records are added, exchanged and taken out, each other one as it was', () => {
    const dns = (text: string) => (writtenOf(text) as { promotion: { dns?: unknown } }).promotion.dns;
    const common = { zone: 'example.com', record: 'pbx' };
    const first = { kind: 'rfc2136', server: '192.0.2.53', ...common, ttl: '60s', key: 'estepe' };
    const second = { kind: 'cloudflare', ...common };
    const two = type(site, 'promotion.dns[1].kind', 'cloudflare');
    expect(dns(two)).toEqual([first, second]);
    expect(dns(type(two, 'promotion.dns[0].kind', 'none'))).toEqual([second]);
    // what another way has in common is kept; a key is another one's
    expect(dns(type(two, 'promotion.dns[0].kind', 'route53'))).toEqual([
      { kind: 'route53', ...common, ttl: '60s' },
      second,
    ]);
    expect(dns(type(site, 'promotion.dns.kind', 'none'))).toBeUndefined();
    const full = [1, 2, 3, 4, 5, 6, 7].reduce((text, i) => type(text, `promotion.dns[${i}].kind`, 'script'), site);
    expect(dns(full)).toHaveLength(8);
    expect(() => fieldIn(full, 'promotion.dns[8].kind')).toThrow('no field');
    const three = type(everything, 'promotion.dns[2].kind', 'dnscmd');
    for (const comment of everything.match(/#.*/g) ?? []) expect(three).toContain(comment);
  });

  it('what holds where nothing is written is shown as such: by product, by encryption, by the pair', () => {
    const usual = (text: string, id: string) => fieldIn(text, id).usual;
    const freepbx = minimal.replace('generic', 'freepbx');
    expect(usual(freepbx, 'services.start')).toBe('fwconsole start');
    expect(usual(freepbx, 'services.calls')).toBe('asterisk -rx "core show channels count"');
    expect(usual(site, 'services.names')).toBe('3CX*');
    // one of them written, and none of the product's holds
    expect(usual(type(freepbx, 'services.query', 'true'), 'services.start')).toBe('');
    expect(usual(everything, 'notify.email.port')).toBe('587');
    expect(usual(type(everything, 'notify.email.security', 'tls'), 'notify.email.port')).toBe('465');
    expect(usual(site, 'promotion.dns.active')).toBe('192.0.2.1');
    expect(usual(site, 'promotion.dns.within')).toBe('60s');
  });

  it.each([
    ['notify.email.host', 'not a host!', 'notify.email.host'],
    ['notify.email.to', 'admin@example.com\nnobody', 'notify.email.to[1]'],
    ['notify.email.security', 'none', 'notify.email.security'],
    ['notify.email.user', '', 'notify.email'],
    ['notify.webhook.url', 'ftp://x', 'notify.webhook.url'],
    ['promotion.fence.silenceWithin', '1h', 'promotion.fence.silenceWithin'],
    ['promotion.fence.script', '../out.sh', 'promotion.fence.script'],
    ['promotion.fence.api.clientId', '', 'promotion.fence.api.clientId'],
    ['selfFence.after', 'soon', 'selfFence.after'],
    ['promotion.dns[0].record', 'pbx.example.com', 'promotion.dns[0].record'],
    ['promotion.dns[1].active', 'pbx', 'promotion.dns[1].active'],
    ['promotion.dns[1].servers', 'a b', 'promotion.dns[1].servers[0]'],
    ['services.start', 'systemctl start x', 'services'],
    ['services.letOnWithin', '0s', 'services.letOnWithin'],
  ] as const)(
    'what is wrong in %s (%j) is said by the one check, beside a field or in its section',
    (id, typed, path) => {
      const text = type(everything, id, typed);
      const checked = checkText(text);
      const problems = checked.ok ? [] : checked.problems;
      expect(problems.map((one) => one.path)).toContain(path);
      for (const problem of problems) {
        const section = sectionOf(problem) ?? 'pbx';
        const fields = fieldsOf(section, writtenOf(text), facts);
        const beside = problemsBeside(section, fields, [problem]).length;
        const at = fields.filter((field) => problemsOfField(field, fields, [problem]).length > 0).length;
        expect(beside + at, problem.path).toBe(1);
      }
    },
  );

  it('an emptied field takes its key out, and a group that would be left empty with it', () => {
    const named = type(site, 'backup.encrypt.passphrase', 'pass');
    expect(writtenOf(named)).toMatchObject({ backup: { encrypt: { passphrase: 'pass' } } });
    expect(writtenOf(type(named, 'backup.encrypt.passphrase', ''))).not.toHaveProperty('backup.encrypt');
    expect(writtenOf(type(site, 'pair.name', ' '))).not.toHaveProperty('pair.name');
    expect(checkText(type(EXAMPLE_YAML, 'pair.name', '')).ok).toBe(true);
  });

  it('what is no number stays as it was typed, for the engine to say what is wrong', () => {
    const text = type(site, 'backup.keep', 'seven');
    expect(shown(text, 'backup.keep')).toBe('seven');
    const checked = checkText(text);
    expect(checked.ok ? [] : checked.problems.map(({ path }) => path)).toEqual(['backup.keep']);
  });

  it('a value of a form that no field shows is left to the text', () => {
    const text = setInText(site, ['promotion', 'scripts', 'before'], { run: ['a.sh', 'b'], retries: 1 });
    expect(shown(text, 'promotion.scripts.before')).toBeNull();
    expect(shown(setInText(site, ['promotion', 'claim'], { need: 'required' }), 'promotion.claim')).toBeNull();
  });

  it('a first location brings the restored copy with it; none takes both away; another kind keeps what fits', () => {
    const first = type(minimal, 'backup.location.kind', 'sftp');
    expect(writtenOf(first)).toMatchObject({ backup: { location: { kind: 'sftp' } }, restore: {} });
    expect(writtenOf(type(site, 'backup.location.kind', 'none'))).not.toHaveProperty('restore');
    const moved = writtenOf(type(site, 'backup.location.kind', 'ftps'));
    expect(moved).toMatchObject({ backup: { location: { kind: 'ftps', host: 'nas.example.com', user: 'pbx' } } });
    expect(moved).not.toHaveProperty('backup.location.port');
    expect(writtenOf(type(site, 'backup.location.kind', 'local'))).not.toHaveProperty('backup.location.folder');
  });

  it('one test switched names the others that go on, so that none is lost', () => {
    const threeCx = minimal.replace('generic', '3cx-linux');
    expect(writtenOf(type(threeCx, 'heartbeat.tests.web', false))).toMatchObject({
      heartbeat: { tests: { sip: {}, tunnel: {} } },
    });
    const ported = writtenOf(type(threeCx, 'heartbeat.tests.sip.port', '5080'));
    expect(ported).toMatchObject({ heartbeat: { tests: { sip: { port: 5080 }, web: {}, tunnel: {} } } });
  });
});

describe('getting on', () => {
  const problem = (path: string): ProblemView => ({ path, line: 1, column: 1, wrong: 'x', allowed: 'y' });
  const checked = (...paths: string[]) => ({
    pending: false,
    checked: {
      ok: paths.length === 0,
      problems: paths.map(problem),
      diff: [{ kind: 'new', text: '' } as const],
      base: 'a',
    },
  });

  it.each([
    ['pair.profile', 'pbx'],
    ['pair.active', 'other'],
    ['pair', 'other'],
    ['peer.listen', 'other'],
    ['role', 'role'],
    ['backup.location.host', 'location'],
    ['backup.source', 'location'],
    ['backup.keep', 'schedule'],
    ['restore', 'schedule'],
    ['heartbeat.references[1]', 'watch'],
    ['promotion.dns[0].key', 'dns'],
    ['promotion.fence.api', 'fence'],
    ['selfFence.after', 'fence'],
    ['services', 'services'],
    ['notify.email.to[1]', 'tell'],
    ['drill.schedule', 'rehearsal'],
    ['console.port', null],
    ['', null],
    ['roles', null],
  ])('a problem at %j belongs to %s', (path, section) => {
    expect(sectionOf(problem(path))).toBe(section);
  });

  it('a problem is shown at the nearest field, else at its section', () => {
    const fields = fieldsOf('watch', writtenOf(site), facts);
    const at = (path: string) =>
      fields.filter((field) => problemsOfField(field, fields, [problem(path)]).length > 0).map(({ id }) => id);
    expect(at('heartbeat.tests.sip.port')).toEqual(['heartbeat.tests.sip.port']);
    expect(at('heartbeat.tests.sip.timeout')).toEqual(['heartbeat.tests.sip']);
    expect(at('heartbeat.references[1]')).toEqual(['heartbeat.references']);
    expect(at('heartbeat.tests')).toEqual([]);
    expect(problemsBeside('watch', fields, [problem('heartbeat.tests'), problem('role')])).toHaveLength(1);
  });

  it('forward past what is right, never past what is wrong or not judged yet', () => {
    expect(canGoOn('role', checked('pair.fqdn'))).toBe(true);
    expect(canGoOn('other', checked('pair.fqdn'))).toBe(false);
    expect(canGoOn('role', { ...checked(), pending: true })).toBe(false);
    expect(canGoOn('role', { pending: false, checked: null })).toBe(false);
    expect(firstRunSteps.filter((step) => canOpen(step, checked('heartbeat.interval')))).toEqual([
      ...['pbx', 'role', 'other', 'location', 'schedule', 'watch'],
    ]);
    const open = checkText(firstText());
    expect(
      firstRunSteps.filter((step) => canOpen(step, checked(...(open.ok ? [] : open.problems.map((one) => one.path))))),
    ).toEqual(['pbx']);
    expect([stepBefore('pbx'), stepAfter('drill')]).toEqual([null, null]);
    for (const step of firstRunSteps.slice(0, -1)) expect(stepBefore(stepAfter(step) ?? 'pbx')).toBe(step);
  });

  it.each([
    ['ready', checked(), 'a'],
    ['wrong', checked('role'), 'a'],
    ['moved', checked(), 'b'],
    ['pending', { ...checked(), pending: true }, 'a'],
    ['pending', { pending: false, checked: null }, 'a'],
    ['same', { pending: false, checked: { ok: true, problems: [], diff: [], base: 'a' } }, 'a'],
  ] as const)('saving is %s', (state, judged, base) => {
    expect(
      saveState(
        {
          ...judged,
          checked: judged.checked && {
            ...judged.checked,
            problems: [...judged.checked.problems],
            diff: [...judged.checked.diff],
          },
        },
        base,
      ),
    ).toBe(state);
  });

  it('a channel can be tried once it is on, after its own fields; all else at the end of its section', () => {
    const triedAfter = (text: string, section: (typeof settingsSections)[number]) =>
      Object.fromEntries(trialsAfter(section, fieldsOf(section, writtenOf(text), facts)));
    expect(triedAfter(minimal, 'tell')).toEqual({});
    expect(triedAfter(everything, 'tell')).toEqual({
      'notify.desktop.least': 'desktop',
      'notify.email.least': 'email',
      'notify.webhook.least': 'webhook',
    });
    expect(triedAfter(site, 'location')).toEqual({ 'backup.encrypt.passphrase': 'location' });
    expect(triedAfter(minimal, 'location')).toEqual({});
    expect(triedAfter(minimal, 'decide')).toEqual({ 'promotion.observeOnly': 'rights' });
    expect(triedAfter(site, 'dns')).toEqual({});
  });

  it.each([
    [minimal, 'other', ['no-link']],
    [`${minimal}peer: {}\n`, 'other', []],
    [minimal, 'fence', ['no-link-to-fence']],
    [minimal, 'tell', ['nobody-told']],
    [`${minimal}notify: { desktop: false }\n`, 'tell', ['nobody-told']],
    [everything, 'tell', []],
    [site, 'decide', []],
    [site.replace('mode: confirm ', 'mode: automatic '), 'decide', ['automatic-drill']],
  ] as const)('what is missing is said in its section', (text, section, notes) => {
    expect(notesOf(section, writtenOf(text))).toEqual(notes);
  });

  it('every section is asked in one step, and a problem in it holds that step', () => {
    const asked = firstRunSteps.flatMap((step) => [...sectionsOfStep[step].asked, ...sectionsOfStep[step].more]);
    expect(asked.toSorted()).toEqual([...settingsSections].toSorted());
    expect(canGoOn('decide', checked('promotion.dns.zone'))).toBe(false);
    expect(canGoOn('schedule', checked('drill.maxAge'))).toBe(false);
    // past the file by writing it, and on from there by what has begun
    for (const step of ['write', 'pair', 'drill'] as const) expect(canGoOn(step, checked())).toBe(false);
  });

  it('what was tried stays good while its own part does', () => {
    const before = writtenOf(site);
    const keep = writtenOf(type(site, 'backup.keep', '9'));
    expect(triedPart('location', keep)).toBe(triedPart('location', before));
    expect(triedPart('location', writtenOf(type(site, 'backup.location.host', 'x')))).not.toBe(
      triedPart('location', before),
    );
    expect(triedPart('tests', writtenOf(type(site, 'pair.active', '192.0.2.7')))).not.toBe(triedPart('tests', before));
  });
});
