/** The doctor for screens and clients under test: a look begins, and ends when the test says so. */
import type { DoctorDesk } from '../../../src-main/contract/desk.ts';
import { countsOf, type DoctorCheck, type DoctorReport, type DoctorView } from '../../../src-main/contract/doctor.ts';

export interface DoctorDouble extends DoctorDesk {
  /** what is answered from now on */
  show(view: Partial<DoctorView>): void;
}

const one = (id: string, state: DoctorCheck['state'], sentence: string, evidence = '', todo = ''): DoctorCheck => ({
  ...{ id, state, sentence, evidence, todo },
  area: id.split('.')[0] as DoctorCheck['area'],
});

/** One of each state, as the doctor words them. */
export const someChecks: readonly DoctorCheck[] = [
  one(
    'addresses.own',
    'ok',
    "This node's own address 192.0.2.2 is one of this machine.",
    'this machine: 127.0.0.1, 192.0.2.2',
  ),
  one(
    'names.inside',
    'problem',
    'pbx.example.com points at the passive node (192.0.2.2) at the resolver of this machine, though 192.0.2.1 is the active one. Installing the PBX on the passive does that.',
    'the resolver of this machine: 192.0.2.2',
    'Restart the 3CX System service on the active node (192.0.2.1): it points its FQDN at itself again.',
  ),
  one(
    'certificate.active',
    'warning',
    'On the active node (192.0.2.1): certificate has 9 days left.',
    'CN=pbx.example.com',
    'See that it is renewed, on both nodes.',
  ),
  one(
    'certificate.passive',
    'skipped',
    'The certificate of the passive node was not seen: its web server is off, as it should be.',
  ),
  one('ports.active.sip', 'ok', 'sip (udp 192.0.2.1:5060) of the active node answers.', '200 OK'),
];

export const reportOf = (checks: readonly DoctorCheck[], at: number): DoctorReport => ({
  ...{ at, node: 'head-office@192.0.2.2', counts: countsOf(checks), checks: [...checks] },
});

export function doctorDesk(asked: { call: string; ask: unknown }[]): DoctorDouble {
  let view: DoctorView = { running: null, report: null };
  return {
    start() {
      asked.push({ call: 'doctor.start', ask: undefined });
      if (view.running !== null) return { begun: false };
      view = { ...view, running: { startedAt: Date.now(), done: 3, total: 15, waitsFor: ['storage', 'names'] } };
      return { begun: true };
    },
    view: () => view,
    show(change) {
      view = { ...view, ...change };
    },
  };
}
