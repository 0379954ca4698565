/** From estepe.yaml to what the engine is given, and what it is told that it will not get. */
import { describe, expect, it } from 'vitest';
import { checkText } from '../../../src-main/config/text.ts';
import { blindSpots, boundMissed, siteOf, targetText } from '../../../src-main/station/site.ts';
import { minimal, site } from '../config/texts.ts';

function configOf(text: string) {
  const checked = checkText(text);
  if (!checked.ok) throw new Error(checked.problems.map(({ wrong }) => wrong).join('; '));
  return checked.config;
}
const folder = { scripts: '/data/scripts' };

describe('site', () => {
  it('the passive watches the active and proves itself on its own address', () => {
    const { watched, plan, node, role } = siteOf(configOf(site), folder, 'win32');
    expect({ role, node }).toEqual({ role: 'passive', node: 'head-office@192.0.2.2' });
    expect(watched.target).toEqual({ address: '192.0.2.1', fqdn: 'pbx.example.com' });
    expect(plan).toMatchObject({ oldAddress: '192.0.2.1', newAddress: '192.0.2.2', scriptsFolder: '/data/scripts' });
    expect(plan.proof).toMatchObject({ target: { address: '192.0.2.2' }, withinMs: 60_000 });
    expect(plan.proof.tests).toEqual(watched.tests);
    expect(plan.before).toEqual({ argv: ['stop-old-active.cmd'], timeoutMs: 60_000, retries: 2, onFail: 'halt' });
    expect(plan.after).toMatchObject({ argv: ['tell-provider.cmd'], onFail: 'continue' });
    expect(plan.services.start[0]?.join(' ')).toContain('Start-Service');
  });

  it('the node in the other role watches the other way', () => {
    const { watched, plan } = siteOf(configOf(minimal.replace('role: passive', 'role: active')), folder, 'linux');
    expect(watched.target.address).toBe('192.0.2.2');
    expect(plan).toMatchObject({ oldAddress: '192.0.2.2', newAddress: '192.0.2.1', before: null, after: null });
  });

  it('a record leads from the other node to this one, whichever this is', () => {
    const { dns } = siteOf(configOf(site), folder, 'linux').plan;
    const way = { kind: 'rfc2136', server: { host: '192.0.2.53', port: 53 }, key: 'estepe' };
    const record = { name: 'pbx.example.com', zone: 'example.com', ttlS: 60, servers: [], withinMs: 60_000, way };
    expect(dns).toEqual([{ record, from: '192.0.2.1', to: '192.0.2.2', onFail: 'ask' }]);
    const other = siteOf(configOf(site.replace('role: passive', 'role: active')), folder, 'linux').plan;
    expect(other.dns).toMatchObject([{ from: '192.0.2.2', to: '192.0.2.1' }]);
    expect(siteOf(configOf(minimal), folder, 'linux').plan.dns).toEqual([]);
  });

  it('writes targets as people read them', () => {
    const { tests } = siteOf(configOf(site), folder, 'linux').watched;
    expect(tests.map((test) => targetText(test, '192.0.2.1'))).toEqual([
      'udp 192.0.2.1:5060',
      'https 192.0.2.1:5001',
      'tcp 192.0.2.1:5090',
    ]);
    expect(targetText({ id: 'sip', kind: 'sip', transport: 'tls', port: 5061, timeoutMs: 1 }, '2001:db8::1')).toBe(
      'tls [2001:db8::1]:5061',
    );
  });
});

describe('what is configured and does not do', () => {
  const keys = (troubles: { key: string }[]) => troubles.map(({ key }) => key);

  it('schedules that miss the bound every day', () => {
    const now = Date.UTC(2026, 10, 24);
    const by = (more: string, schedule = '0 1 * * *') =>
      boundMissed(configOf(site.replace('maxOffset: 24h', more).replace('0 1 * * *', schedule)), now);
    const [trouble] = by('maxOffset: 24h, whenNewer: false');
    expect(trouble?.sentence).toContain('up to 1 d 2 h old, and `restore.maxOffset` is 24 h');
    expect(trouble?.todo).toContain('whenNewer: true');
    expect(by('maxOffset: 26h, whenNewer: false')).toEqual([]);
    // the defaults keep what they promise
    expect(by('maxOffset: 24h')).toEqual([]);
    const [rare] = by('maxOffset: 24h', '0 1 * * 1,3');
    expect(rare?.sentence).toContain('up to 5 d');
    expect(rare?.todo).not.toContain('whenNewer');
    expect(boundMissed(configOf(minimal), now)).toEqual([]);
  });

  it('blind spots of a valid file are said too', () => {
    // the profile `generic` knows no services
    expect(keys(blindSpots(configOf(minimal)))).toEqual(['no-services']);
    expect(blindSpots(configOf(minimal.replace('role: passive', 'role: active')))).toEqual([]);
    expect(blindSpots(configOf(site))).toEqual([]);
  });
});
