/** Notifications for screens and clients under test: channels in each state, what was sent, and a test that answers what the test says. */
import type { NotifyDesk } from '../../../src-main/contract/desk.ts';
import type { ChannelView, DeliveryView, NotifyTest, NotifyView } from '../../../src-main/contract/notify.ts';

export const notifyOff: NotifyView = { channels: [], changes: 0 };

const channel = (name: ChannelView['name'], target: string, more: Partial<ChannelView> = {}): ChannelView => ({
  ...{ name, target, least: 'warning', lastSentAt: null, lastFailure: null, failing: false },
  ...{ waiting: 0, nextAt: null, testing: false },
  ...more,
});

/** One that never sent, one that works, one that fails. */
export function someChannels(now: number): NotifyView {
  return {
    channels: [
      channel('desktop', 'this machine', { least: 'alert' }),
      channel('email', 'admin@example.com by smtp.example.com:587', {
        lastSentAt: now - 3600_000,
        lastFailure: { at: now - 2 * 24 * 3600_000, sentence: 'smtp.example.com:587: ECONNREFUSED', todo: '' },
      }),
      channel('webhook', 'https://hooks.example.com', {
        ...{ least: 'info', failing: true, waiting: 2, nextAt: now + 4 * 60_000 },
        lastFailure: {
          at: now - 60_000,
          sentence: 'https://hooks.example.com answered 502: Bad Gateway',
          todo: 'look at the service there',
        },
      }),
    ],
    changes: 3,
  };
}

export function someDeliveries(now: number): DeliveryView[] {
  const one = (id: number, more: Partial<DeliveryView>): DeliveryView => ({
    ...{ id, channel: 'email', key: 'isolated', severity: 'alert', text: 'This node seems cut off.', toldAt: now },
    ...{ state: 'sent', attempts: 1, triedAt: now, said: '250 queued as 4711' },
    ...more,
  });
  return [
    one(4, { channel: 'webhook', state: 'waiting', attempts: 3, toldAt: now - 300_000, said: 'answered 502' }),
    one(3, { key: 'recovered', severity: 'info', text: 'The other node answers again.', toldAt: now - 3600_000 }),
    one(2, { key: 'notify.test', severity: 'info', text: 'This is a test.', toldAt: now - 2 * 3600_000 }),
    one(1, {
      ...{ channel: 'desktop', state: 'given-up', attempts: 0, triedAt: null, toldAt: now - 3 * 3600_000 },
      ...{ severity: 'warning', said: 'given up after 0 attempts: the channel was taken out of estepe.yaml' },
    }),
  ];
}

export interface NotifyDouble extends NotifyDesk {
  /** what `list` answers from now on */
  show(deliveries: DeliveryView[]): void;
  /** what `test` answers from now on */
  answer: (channel: ChannelView['name'] | null) => Promise<NotifyTest>;
}

export function notifyDesk(asked: { call: string; ask: unknown }[]): NotifyDouble {
  let shown: DeliveryView[] = [];
  const double: NotifyDouble = {
    answer: async (channel) => ({
      results: [{ channel: channel ?? 'email', sent: true, said: '250 queued as 4712', todo: '', ms: 120 }],
    }),
    async test(ask) {
      asked.push({ call: 'notify.test', ask });
      return double.answer(ask.channel);
    },
    list: ({ limit }) => shown.slice(0, limit),
    show(deliveries) {
      shown = deliveries;
    },
  };
  return double;
}
