/** The settings in the reader's language: sections, fields, what each choice means. */
import { channelNames } from '../../src-main/contract/notify.ts';
import type { TrialKind } from '../../src-main/contract/settings.ts';
import { type Field, withoutPlaces } from '../../src-main/contract/settings-field.ts';
import type { SettingsSection } from '../../src-main/contract/settings-form.ts';
import type { FirstRunStep, SettingsNote } from '../../src-main/contract/settings-steps.ts';
import type { Standing } from '../../src-main/contract/view.ts';
import { leastWord } from './notify-words.ts';
import { m } from './paraglide/messages.js';

export const sectionWord: Record<SettingsSection, () => string> = {
  pbx: m.set_pbx,
  role: m.set_role,
  other: m.set_other,
  location: m.set_location,
  schedule: m.set_schedule,
  watch: m.set_watch,
  decide: m.set_decide,
  fence: m.set_fence,
  dns: m.set_dns,
  services: m.set_services,
  tell: m.set_tell,
  rehearsal: m.set_rehearsal,
};

export const stepWord: Record<FirstRunStep, () => string> = {
  ...sectionWord,
  write: m.set_write,
  pair: m.set_pair,
  drill: m.set_rehearsal,
};

export const sectionLead: Record<SettingsSection, () => string> = {
  pbx: m.set_pbx_lead,
  role: m.set_role_lead,
  other: m.set_other_lead,
  location: m.set_location_lead,
  schedule: m.set_schedule_lead,
  watch: m.set_watch_lead,
  decide: m.set_decide_lead,
  fence: m.set_fence_lead,
  dns: m.set_dns_lead,
  services: m.set_services_lead,
  tell: m.notify_lead,
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
  'promotion.fence': m.set_fence_need,
  'promotion.fence.need': m.set_fence_need,
  'promotion.fence.api': m.set_fence_api,
  'promotion.fence.api.clientId': m.set_client_id,
  'promotion.fence.api.secret': m.set_api_key,
  'promotion.fence.script': m.set_fence_script,
  'promotion.fence.silenceWithin': m.set_silence_within,
  'selfFence.after': m.set_self_fence,
  'promotion.dns.server': m.set_dns_server,
  'promotion.dns.port': m.set_port,
  'promotion.dns.zone': m.set_dns_zone,
  'promotion.dns.record': m.set_dns_name,
  'promotion.dns.ttl': m.set_ttl,
  'promotion.dns.token': m.set_dns_token,
  'promotion.dns.zoneId': m.set_zone_id,
  'promotion.dns.keyId': m.set_key_id,
  'promotion.dns.key.rfc2136': m.set_tsig,
  'promotion.dns.key.route53': m.set_secret_key,
  'promotion.dns.run': m.set_run,
  'promotion.dns.timeout': m.set_timeout,
  'promotion.dns.active': m.set_dns_active,
  'promotion.dns.passive': m.set_dns_passive,
  'promotion.dns.servers': m.set_dns_servers,
  'promotion.dns.within': m.set_dns_within,
  'promotion.dns.onFail': m.set_on_fail,
  'services.names': m.set_service_names,
  'services.start': m.set_service_start,
  'services.query': m.set_service_query,
  'services.stop': m.set_service_stop,
  'services.boot.on': m.set_boot_on,
  'services.boot.off': m.set_boot_off,
  'services.calls': m.set_calls,
  'services.letOn': m.set_let_on,
  'services.letOnWithin': m.set_let_on_within,
  'services.proveWithin': m.set_prove_within,
  'services.onFail': m.set_on_fail,
  'notify.desktop': m.set_desktop,
  'notify.desktop.least': m.set_least,
  'notify.email': m.set_email,
  'notify.email.host': m.set_mail_host,
  'notify.email.security': m.set_mail_security,
  'notify.email.port': m.set_port,
  'notify.email.user': m.set_user,
  'notify.email.password': m.set_password,
  'notify.email.from': m.set_mail_from,
  'notify.email.to': m.set_mail_to,
  'notify.email.least': m.set_least,
  'notify.webhook': m.set_webhook,
  'notify.webhook.url': m.set_webhook_url,
  'notify.webhook.secret': m.set_webhook_secret,
  'notify.webhook.least': m.set_least,
  'drill.schedule': m.set_drill_schedule,
  'drill.maxAge': m.set_drill_max_age,
};

/** Of one record among several: which one it is. */
const recordWord = (id: string): string => m.set_dns_record({ number: Number(/\[(\d+)\]/.exec(id)?.[1] ?? 0) + 1 });

/** Fields of one kind of entry have the same names in each of them. */
export const labelOf = ({ id, words }: Field): string => {
  const plain = words ?? withoutPlaces(id);
  return plain === 'promotion.dns.kind' ? recordWord(id) : (labels[plain]?.() ?? id);
};

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
  'promotion.scripts.after': m.set_script_hint,
  'promotion.fence.api.clientId': m.set_client_id_hint,
  'promotion.fence.script': m.set_script_hint,
  'promotion.fence.silenceWithin': m.set_duration_hint,
  'selfFence.after': m.set_self_fence_hint,
  'promotion.dns.record': m.set_dns_name_hint,
  'promotion.dns.key.rfc2136': m.set_tsig_hint,
  'promotion.dns.ttl': m.set_duration_hint,
  'promotion.dns.run': m.set_script_hint,
  'promotion.dns.active': m.set_dns_address_hint,
  'promotion.dns.servers': m.set_lines_hint,
  'services.names': m.set_service_names_hint,
  'services.start': m.set_service_start_hint,
  'services.calls': m.set_calls_hint,
  'notify.desktop': m.set_desktop_hint,
  'notify.email.to': m.set_lines_hint,
  'notify.webhook.url': m.set_webhook_url_hint,
  'drill.schedule': m.set_drill_schedule_hint,
};

export const hintOf = ({ id, words }: Field): string => hints[words ?? withoutPlaces(id)]?.() ?? '';

const fenceWords = { required: m.set_fence_required, 'best-effort': m.set_fence_best };
const onFailWords = { halt: m.set_on_fail_halt, continue: m.set_on_fail_continue, ask: m.set_on_fail_ask };

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
  'promotion.fence': fenceWords,
  'promotion.fence.need': fenceWords,
  'promotion.dns.kind': {
    none: m.set_dns_none,
    rfc2136: m.set_dns_rfc2136,
    dnscmd: m.set_dns_dnscmd,
    cloudflare: m.set_dns_cloudflare,
    route53: m.set_dns_route53,
    script: m.set_dns_script,
  },
  'promotion.dns.onFail': onFailWords,
  'services.letOn': { machine: m.set_let_on_machine, estepe: m.set_let_on_estepe },
  'services.onFail': onFailWords,
  'notify.desktop.least': leastWord,
  'notify.email.least': leastWord,
  'notify.webhook.least': leastWord,
  'notify.email.security': { starttls: m.set_mail_starttls, tls: m.set_mail_tls, none: m.set_mail_open },
};

export const optionWord = ({ id }: Field, option: string): string => options[withoutPlaces(id)]?.[option]?.() ?? option;

/** Whether a field says more of the one that it stands under. */
export const isUnder = ({ id }: Field): boolean =>
  /^(heartbeat\.tests\.\w+|notify\.\w+|promotion\.fence\.api|promotion\.dns)\.(?!kind$)/.test(withoutPlaces(id));

/** Whether another channel or record begins with it. */
export const isNextEntry = ({ id }: Field): boolean =>
  /^notify\.(email|webhook)$|^promotion\.dns\[[1-9]\d*\]\.kind$/.test(id);

export const noteWord: Record<Exclude<SettingsNote, 'no-link'>, (drillMaxAge: string) => string> = {
  'no-link-to-fence': m.set_note_fence,
  'nobody-told': m.set_note_told,
  'automatic-drill': (age) => m.set_note_drill({ age }),
};

export const trialWord: Record<TrialKind, () => string> = {
  location: m.set_try_location,
  tests: m.set_try_tests,
  rights: m.set_try_rights,
  desktop: m.notify_test,
  email: m.notify_test,
  webhook: m.notify_test,
};

export const isChannel = (kind: TrialKind): boolean => channelNames.some((channel) => channel === kind);

/** What a trial came to. A channel has sent its test or not; whether somebody reads it nobody knows here. */
export function triedWord(kind: TrialKind, how: 'good' | 'bad' | 'cancelled'): string {
  if (how === 'cancelled') return m.set_tried_cancelled();
  if (how === 'good') return isChannel(kind) ? m.notify_test_sent() : m.set_tried_good();
  return isChannel(kind) ? m.notify_test_failed() : m.set_tried_bad();
}

export const rowTone: Record<'ok' | 'warning' | 'problem' | 'skipped', Standing> = {
  ok: 'good',
  warning: 'attention',
  problem: 'alarm',
  skipped: 'off',
};
