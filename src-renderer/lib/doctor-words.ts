/** The doctor's areas and states in the reader's language, and the look of each state. */
import type { DoctorArea, DoctorState } from '../../src-main/contract/doctor.ts';
import type { Standing } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';

export const areaWord: Record<DoctorArea, () => string> = {
  addresses: m.doctor_area_addresses,
  names: m.doctor_area_names,
  certificate: m.doctor_area_certificate,
  ports: m.doctor_area_ports,
  services: m.doctor_area_services,
  parity: m.doctor_area_parity,
  clock: m.doctor_area_clock,
  rights: m.doctor_area_rights,
  disk: m.doctor_area_disk,
  storage: m.doctor_area_storage,
  references: m.doctor_area_references,
  link: m.doctor_area_link,
  firewall: m.doctor_area_firewall,
};

export const stateWord: Record<DoctorState, () => string> = {
  problem: m.doctor_state_problem,
  warning: m.doctor_state_warning,
  ok: m.doctor_state_ok,
  skipped: m.doctor_state_skipped,
};

/** `Problems: 2` */
export const countWord: Record<DoctorState, (given: { count: number }) => string> = {
  problem: m.doctor_problems,
  warning: m.doctor_warnings,
  ok: m.doctor_well,
  skipped: m.doctor_unseen,
};

export const toneOf: Record<DoctorState, Standing> = {
  problem: 'alarm',
  warning: 'attention',
  ok: 'good',
  skipped: 'off',
};
