/** The two machines, clocks, addresses, certificates, ports and services, in tables. */
import { describe, expect, it } from 'vitest';
import type { Beat, TestSpec } from '../../../../src-main/engine/ports.ts';
import type { CertificateFault, CertificateView } from '../../../../src-main/heartbeat/certificate.ts';
import type { ServiceState } from '../../../../src-main/runbook/service-states.ts';
import { judgeAddresses } from '../../../../src-main/station/doctor/addresses.ts';
import { judgeCertificates } from '../../../../src-main/station/doctor/certificates.ts';
import { judgeClock, judgeParity } from '../../../../src-main/station/doctor/parity.ts';
import {
  judgeActivePorts,
  judgePassivePorts,
  judgeQueries,
  judgeServices,
} from '../../../../src-main/station/doctor/ports.ts';
import { ends, facts, onActive, stateOf, unsaid } from './rig.ts';

describe('an identical pair', () => {
  it.each([
    ['the same', {}, 'pbx', 'ok'],
    ['the passive is older', { pbxVersion: '20.0.1.0' }, 'pbx', 'problem'],
    ['the passive is newer', { pbxVersion: '18.0.8.1' }, 'pbx', 'warning'],
    ['nobody can tell', { pbxVersion: null }, 'pbx', 'skipped'],
    ['another system', { os: { name: 'win32', release: '10' } }, 'os', 'problem'],
    ['another release', { os: { name: 'linux', release: '5.10' } }, 'os', 'warning'],
    ['another architecture', { arch: 'arm64' }, 'arch', 'warning'],
    ['another product', { profile: 'freepbx' }, 'profile', 'problem'],
    ['the same ports at its own address', { ports: ['https 192.0.2.1:5001', 'udp 192.0.2.1:5060'] }, 'ports', 'ok'],
    ['another port', { ports: ['udp 192.0.2.1:5062', 'https 192.0.2.1:5001'] }, 'ports', 'problem'],
    ['another service', { services: ['nginx', 'x'] }, 'services', 'warning'],
    ['another Estepe', { estepeVersion: '0.2.0' }, 'estepe', 'warning'],
  ] as const)('%s', (_name, change, id, state) => {
    const other = { ...facts, ports: ['udp 192.0.2.1:5060', 'https 192.0.2.1:5001'], ...change };
    const said = judgeParity(facts, { ...other, ports: [...other.ports], services: [...other.services] }, ends);
    expect(stateOf(said, `parity.${id}`)).toBe(state);
    expect(unsaid(said)).toEqual([]);
  });

  it('the other way round on the active node', () => {
    const said = judgeParity({ ...facts, pbxVersion: '20.0.1.0' }, facts, onActive);
    expect(stateOf(said, 'parity.pbx')).toBe('problem');
  });

  it('nothing is compared that was not told', () => {
    expect(judgeParity(facts, 'The two nodes are not paired.', ends)).toMatchObject([
      { state: 'skipped', evidence: 'The two nodes are not paired.' },
    ]);
  });
});

describe('clocks', () => {
  const t = 1_000_000;
  it.each([
    ['equal', t, t, t + 20, 'ok'],
    ['within the time of the question', t + 4_000, t, t + 5_000, 'ok'],
    ['1.9 s ahead', t + 1_900, t, t, 'ok'],
    ['3 s ahead', t + 3_020, t, t + 20, 'warning'],
    ['3 s behind', t - 3_000, t, t + 20, 'warning'],
    ['a minute and more ahead', t + 61_020, t, t + 20, 'problem'],
    ['an hour behind', t - 3_600_000, t, t + 20, 'problem'],
  ] as const)('%s', (_name, wall, asked, heard, state) =>
    expect(judgeClock({ ...facts, wall }, asked, heard).state).toBe(state),
  );
  it('what was not told is not judged', () => expect(judgeClock('unpaired', t, t).state).toBe('skipped'));
});

describe('addresses', () => {
  const at = (active: string[] | null, passive: string[] | null, here: string[]) => {
    const said = judgeAddresses({ active, passive, here }, ends);
    return [stateOf(said, 'addresses.own'), stateOf(said, 'addresses.pair')];
  };
  it.each([
    ['here and different', ['192.0.2.1'], ['192.0.2.2'], ['127.0.0.1', '192.0.2.2'], ['ok', 'ok']],
    ['a private one that is not here', ['10.0.0.1'], ['10.0.0.2'], ['10.0.0.7'], ['problem', 'ok']],
    ['a public one behind a router', ['192.0.2.1'], ['192.0.2.2'], ['10.0.0.7'], ['warning', 'ok']],
    ['loopback', ['127.9.0.1'], ['127.9.0.2'], ['127.0.0.1'], ['ok', 'ok']],
    ['both the same', ['192.0.2.2'], ['192.0.2.2'], ['192.0.2.2'], ['ok', 'problem']],
    ['own leads nowhere', ['192.0.2.1'], null, ['192.0.2.2'], ['problem', 'warning']],
  ] as const)('%s', (_name, active, passive, here, states) =>
    expect(at(active && [...active], passive && [...passive], [...here])).toEqual(states),
  );
});

describe('certificates', () => {
  const view = (fingerprint: string, ...faults: CertificateFault[]): CertificateView => ({
    ...{ subject: 'CN=pbx.example.com', issuer: 'CN=ca', validTo: 'x', fingerprint, daysLeft: 40 },
    faults: faults.map((kind) => ({ kind, sentence: kind })),
  });
  const met = (certificate: CertificateView | null) => ({ certificate, evidence: 'e', off: certificate === null });
  it('a passive web server that answers without a certificate is not said to be off', () => {
    const said = judgeCertificates(met(view('A')), { ...met(null), off: false }, ends);
    expect(said[1]).toMatchObject({ state: 'skipped', sentence: 'The certificate of the passive node was not seen.' });
  });

  it.each([
    ['good, the passive off', view('A'), null, ['ok', 'skipped', undefined]],
    ['the same on both', view('A'), view('A'), ['ok', 'ok', 'ok']],
    ['different ones', view('A'), view('B'), ['ok', 'ok', 'warning']],
    ['ends soon', view('A', 'expires-soon'), null, ['warning', 'skipped', undefined]],
    ['expired', view('A', 'expired'), null, ['problem', 'skipped', undefined]],
    ['for another name on the passive', view('A'), view('B', 'wrong-name'), ['ok', 'problem', 'warning']],
    ['untrusted', view('A', 'untrusted'), null, ['warning', 'skipped', undefined]],
    ['not seen', null, null, ['warning', 'skipped', undefined]],
  ] as const)('%s', (_name, active, passive, states) => {
    const said = judgeCertificates(met(active), met(passive), ends);
    expect(['active', 'passive', 'same'].map((id) => stateOf(said, `certificate.${id}`))).toEqual(states);
    expect(unsaid(said)).toEqual([]);
  });
});

const sip: TestSpec = { id: 'sip', kind: 'sip', transport: 'udp', port: 5060, timeoutMs: 1000 };
const met = (outcome: Beat['outcome'], more: Partial<Beat> = {}) => [
  { test: sip, target: 'udp 192.0.2.1:5060', beat: { test: 'sip', outcome, ms: 1, evidence: 'e', ...more } },
];

describe('ports', () => {
  it.each([
    ['alive', {}, 'ok', 'problem'],
    ['degraded', {}, 'warning', 'problem'],
    ['foreign', {}, 'problem', 'problem'],
    ['dead', {}, 'problem', 'ok'],
    ['dead', { there: true }, 'problem', 'problem'],
    ['unknown', {}, 'warning', 'warning'],
  ] as const)('%s %o', (outcome, more, active, passive) => {
    expect(judgeActivePorts(met(outcome, more), ends)[0]?.state).toBe(active);
    expect(judgePassivePorts(met(outcome, more), ends)[0]?.state).toBe(passive);
    expect(
      unsaid([...judgeActivePorts(met(outcome, more), ends), ...judgePassivePorts(met(outcome, more), ends)]),
    ).toEqual([]);
  });
  it('without a test nothing tells whether the active lives', () =>
    expect(judgeActivePorts([], ends)[0]?.state).toBe('problem'));
});

describe('services', () => {
  const service = (state: ServiceState['state'], boot: ServiceState['boot']): ServiceState => ({
    name: 'nginx',
    state,
    boot,
  });
  const at = (one: ServiceState | null, on: typeof ends, missing: string[] = []) => {
    const said = judgeServices({ services: one === null ? [] : [one], missing, faults: [] }, on);
    return ['running', 'boot', 'missing'].map((id) => stateOf(said, `services.${id}`));
  };
  it.each([
    ['off on the passive', service('stopped', 'manual'), ends, [], ['ok', 'ok', undefined]],
    ['runs on the passive', service('running', 'manual'), ends, [], ['problem', 'ok', undefined]],
    ['would start on the passive', service('stopped', 'delayed'), ends, [], ['ok', 'problem', undefined]],
    ['runs on the active', service('running', 'automatic'), onActive, [], ['ok', 'ok', undefined]],
    ['nobody can tell on the passive', service('unknown', 'manual'), ends, [], ['warning', 'ok', undefined]],
    ['nobody can tell on the active', service('unknown', 'automatic'), onActive, [], ['warning', 'ok', undefined]],
    ['off on the active', service('stopped', 'manual'), onActive, [], ['warning', 'warning', undefined]],
    ['one is not there', service('stopped', 'manual'), ends, ['x'], ['ok', 'ok', 'warning']],
    ['none is there', null, ends, ['x'], [undefined, undefined, 'problem']],
  ] as const)('%s', (_name, one, on, missing, states) => expect(at(one, on, [...missing])).toEqual(states));

  it.each([
    [[0], 'problem', 'ok'],
    [[3], 'ok', 'warning'],
    [[0, 3], 'problem', 'warning'],
    [[null], 'warning', 'warning'],
    [[], 'skipped', 'skipped'],
  ] as const)('by commands: exits %o', (codes, passive, active) => {
    const exits = codes.map((code) => ({ command: 'q', code, said: 'x' }));
    expect(judgeQueries(exits, ends)[0]?.state).toBe(passive);
    expect(judgeQueries(exits, onActive)[0]?.state).toBe(active);
  });
});
