/** Channels and deliveries (contract/notify.ts) in the reader's language, and the look of each. */
import type { ChannelName, ChannelView, DeliveryState } from '../../src-main/contract/notify.ts';
import type { Standing } from '../../src-main/contract/view.ts';
import type { Severity } from '../../src-main/contract/words.ts';
import { m } from './paraglide/messages.js';

export const channelWord: Record<ChannelName, () => string> = {
  desktop: m.notify_desktop,
  email: m.notify_email,
  webhook: m.notify_webhook,
};

export const leastWord: Record<Severity, () => string> = {
  info: m.notify_least_info,
  warning: m.notify_least_warning,
  alert: m.notify_least_alert,
};

export const deliveryWord: Record<DeliveryState, () => string> = {
  waiting: m.notify_state_waiting,
  sent: m.notify_state_sent,
  'given-up': m.notify_state_given_up,
};

export const deliveryTone: Record<DeliveryState, Standing> = { waiting: 'busy', sent: 'good', 'given-up': 'alarm' };

/** `new`: nothing was ever sent through it, so nobody knows. */
export function channelStanding({ failing, lastSentAt }: ChannelView): 'failing' | 'works' | 'new' {
  if (failing) return 'failing';
  return lastSentAt === null ? 'new' : 'works';
}

export const channelTone: Record<ReturnType<typeof channelStanding>, Standing> = {
  failing: 'alarm',
  works: 'good',
  new: 'off',
};
