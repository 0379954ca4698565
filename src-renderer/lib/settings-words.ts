/** The settings in the reader's language: sections, fields, what each choice means. */
import type { TrialKind } from '../../src-main/contract/settings.ts';
import type { Field, SettingsSection } from '../../src-main/contract/settings-form.ts';
import type { FirstRunStep } from '../../src-main/contract/settings-steps.ts';
import type { Standing } from '../../src-main/contract/view.ts';
import { m } from './paraglide/messages.js';

export const sectionWord: Record<SettingsSection, () => string> = {
  pbx: m.set_pbx,
  role: m.set_role,
  other: m.set_other,
  location: m.set_location,
  schedule: m.set_schedule,
  watch: m.set_watch,
  decide: m.set_decide,
  rehearsal: m.set_rehearsal,
};

export const stepWord: Record<FirstRunStep, () => string> = { ...sectionWord, write: m.set_write };

export const sectionLead: Record<SettingsSection, () => string> = {
  pbx: m.set_pbx_lead,
  role: m.set_role_lead,
  other: m.set_other_lead,
  location: m.set_location_lead,
  schedule: m.set_schedule_lead,
  watch: m.set_watch_lead,
  decide: m.set_decide_lead,
  rehearsal: m.set_rehearsal_lead,
};

const labels: Record<string, () => string> = {
  'pair.profile': m.set_profile,
  role: m.set_role_field,
  'pair.fqdn': m.set_fqdn,
  'pair.active': m.set_active,
  'pair.passive': m.set_passive,
  'pair.name': m.set_name,
  peer: m.set_peer,
  'backup.location.kind': m.set_location_kind,
  'backup.location.folder': m.set_folder,
  'backup.location.host': m.set_host,
  'backup.location.share': m.set_share,
  'backup.location.port': m.set_port,
  'backup.location.user': m.set_user,
  'backup.location.domain': m.set_domain,
  'backup.location.password': m.set_password,
  'backup.location.key': m.set_key,
  'backup.location.hostKey': m.set_host_key,
  'backup.location.bucket': m.set_bucket,
  'backup.location.region': m.set_region,
  'backup.location.endpoint': m.set_endpoint,
  'backup.location.keyId': m.set_key_id,
  'backup.source.folders': m.set_source_folders,
  'backup.source.files': m.set_source_files,
  'backup.source.job': m.set_source_job,
  'backup.source.folder': m.set_source_folder,
  'backup.source.from': m.set_source_from,
  'backup.source.password': m.set_source_password,
  'backup.encrypt.passphrase': m.set_passphrase,
  'backup.schedule': m.set_backup_schedule,
  'backup.timeZone': m.set_time_zone,
  'backup.keep': m.set_keep,
  restore: m.set_restore,
  'restore.schedule': m.set_restore_schedule,
  'restore.maxOffset': m.set_max_offset,
  'restore.whenNewer': m.set_when_newer,
  'heartbeat.tests.sip': m.set_test_sip,
  'heartbeat.tests.sip.transport': m.set_transport,
  'heartbeat.tests.sip.port': m.set_sip_port,
  'heartbeat.tests.web': m.set_test_web,
  'heartbeat.tests.web.port': m.set_web_port,
  'heartbeat.tests.web.path': m.set_web_path,
  'heartbeat.tests.web.marker': m.set_web_marker,
  'heartbeat.tests.tunnel': m.set_test_tunnel,
  'heartbeat.tests.tunnel.port': m.set_tunnel_port,
  'heartbeat.interval': m.set_interval,
  'heartbeat.failWhen': m.set_fail_when,
  'heartbeat.confirm.times': m.set_confirm_times,
  'heartbeat.confirm.every': m.set_confirm_every,
  'heartbeat.references': m.set_references,
  'promotion.mode': m.set_mode,
  'promotion.countdown': m.set_countdown,
  'promotion.onSilence': m.set_on_silence,
  'promotion.cooldown': m.set_cooldown,
  'promotion.claim': m.set_claim,
  'promotion.scripts.before': m.set_script_before,
  'promotion.scripts.after': m.set_script_after,
  'promotion.observeOnly': m.set_observe_only,
  'drill.schedule': m.set_drill_schedule,
  'drill.maxAge': m.set_drill_max_age,
};

export const labelOf = ({ id }: Field): string => labels[id]?.() ?? id;

const hints: Record<string, () => string> = {
  'pair.fqdn': m.set_fqdn_hint,
  'pair.name': m.set_name_hint,
  peer: m.set_peer_hint,
  'backup.location.hostKey': m.set_host_key_hint,
  'backup.source.folders': m.set_lines_hint,
  'backup.source.files': m.set_lines_hint,
  'backup.encrypt.passphrase': m.set_passphrase_hint,
  'backup.schedule': m.set_cron_hint,
  'restore.maxOffset': m.set_max_offset_hint,
  'heartbeat.interval': m.set_duration_hint,
  'heartbeat.references': m.set_references_hint,
  'promotion.countdown': m.set_duration_hint,
  'promotion.cooldown': m.set_cooldown_hint,
  'promotion.scripts.before': m.set_script_hint,
  'promotion.observeOnly': m.set_observe_only_hint,
  'drill.schedule': m.set_drill_schedule_hint,
};

export const hintOf = ({ id }: Field): string => hints[id]?.() ?? '';

const options: Record<string, Record<string, () => string>> = {
  'pair.profile': {
    '3cx-windows': m.set_3cx_windows,
    '3cx-linux': m.set_3cx_linux,
    freepbx: m.set_freepbx,
    generic: m.set_generic,
  },
  role: { active: m.set_role_active, passive: m.set_role_passive },
  'backup.location.kind': {
    none: m.set_kind_none,
    local: m.set_kind_local,
    smb: m.set_kind_smb,
    sftp: m.set_kind_sftp,
    ftps: m.set_kind_ftps,
    google: m.set_kind_google,
    s3: m.set_kind_s3,
  },
  'backup.source.from': { command: m.set_from_command, folder: m.set_from_folder },
  'heartbeat.tests.sip.transport': { udp: () => 'UDP', tcp: () => 'TCP', tls: () => 'TLS' },
  'heartbeat.failWhen': { all: m.set_fail_all, any: m.set_fail_any },
  'promotion.mode': { automatic: m.set_mode_automatic, confirm: m.set_mode_confirm, manual: m.set_mode_manual },
  'promotion.onSilence': { promote: m.set_silence_promote, hold: m.set_silence_hold },
  'promotion.claim': { required: m.set_claim_required, 'best-effort': m.set_claim_best },
};

export const optionWord = ({ id }: Field, option: string): string => options[id]?.[option]?.() ?? option;

/** What can be tried in a section. */
export const trialIn: Partial<Record<SettingsSection, TrialKind>> = {
  location: 'location',
  other: 'tests',
  decide: 'rights',
};

export const trialWord: Record<TrialKind, () => string> = {
  location: m.set_try_location,
  tests: m.set_try_tests,
  rights: m.set_try_rights,
};

export const rowTone: Record<'ok' | 'warning' | 'problem' | 'skipped', Standing> = {
  ok: 'good',
  warning: 'attention',
  problem: 'alarm',
  skipped: 'off',
};
