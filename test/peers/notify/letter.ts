/** A letter as the channels are given it. */
import type { Letter } from '../../../src-main/notify/channel.ts';

export const text = 'The other node is down (sip: no answer within 4 s). Take over? "$(touch was-run)" `id` <b>&';

export const letterOf = (id = 'a1b2c3', body = text): Letter => ({
  ...{ id, test: false, sender: { pair: 'head-office', fqdn: 'pbx.example.com', address: '192.0.2.2' } },
  items: [{ id: 7, key: 'awaiting', severity: 'alert', text: body, at: Date.UTC(2026, 0, 31, 3, 4, 5) }],
});

/** Sends as a lane would, with nobody who ends it. */
export const whole = (): { signal: AbortSignal; reached: readonly string[] } => ({
  ...{ signal: new AbortController().signal, reached: [] },
});
