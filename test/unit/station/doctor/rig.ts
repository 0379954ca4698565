/** A pair as the doctor's judges see it. */
import type { DoctorCheck } from '../../../../src-main/contract/doctor.ts';
import type { ParityFacts } from '../../../../src-main/contract/parity.ts';
import type { Ends } from '../../../../src-main/station/doctor/check.ts';

export const ends: Ends = {
  ...{ fqdn: 'pbx.example.com', profile: '3cx-linux', self: 'passive' },
  ...{ active: '192.0.2.1', passive: '192.0.2.2' },
};

export const onActive: Ends = { ...ends, self: 'active' };

export const facts: ParityFacts = {
  ...{ os: { name: 'linux', release: '6.1.0' }, arch: 'x64', hostname: 'spare', profile: '3cx-linux' },
  ...{ pbxVersion: '18.0.9.20', webCertificate: null, ports: ['udp 192.0.2.2:5060', 'https 192.0.2.2:5001'] },
  ...{ services: ['nginx'], estepeVersion: '0.1.0', wall: 1_000_000, freeBytes: 5e9 },
};

export const stateOf = (checks: readonly DoctorCheck[], id: string): string | undefined =>
  checks.find((one) => one.id === id)?.state;

/** Whoever reads it must find what to do wherever it is not well. */
export const unsaid = (checks: readonly DoctorCheck[]): DoctorCheck[] =>
  checks.filter(({ state, sentence, todo }) => sentence === '' || (state === 'problem' && todo === ''));
