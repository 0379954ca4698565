/** The settings as forms: every field leads to a place that the configuration knows, and what is typed there comes back. */
import { describe, expect, it } from 'vitest';
import { setInText, writtenIn } from '../../../src-main/config/edit.ts';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import { firstText } from '../../../src-main/config/first.ts';
import { keysAt } from '../../../src-main/config/json-schema.ts';
import { profiles } from '../../../src-main/config/profiles.ts';
import { checkText } from '../../../src-main/config/text.ts';
import type { ProblemView } from '../../../src-main/contract/settings.ts';
import type { Field, Written } from '../../../src-main/contract/settings-field.ts';
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
  problemsBeside,
  problemsOfField,
  saveState,
  sectionOf,
  stepAfter,
  stepBefore,
  triedPart,
} from '../../../src-main/contract/settings-steps.ts';
import { formFacts } from '../../../src-main/station/settings/usual.ts';
import { minimal, site } from '../config/texts.ts';

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
