/** Whom this engine tells: the channels as estepe.yaml names them, and the notifier over them. Wires; decides nothing. */
import type { Config } from '../config/schema.ts';
import { ownTarget } from '../config/schema.ts';
import type { Severity } from '../contract/words.ts';
import type { Clock, Proc, Random } from '../engine/ports.ts';
import type { Deliveries } from '../history/deliveries.ts';
import type { Channel, Sender } from '../notify/channel.ts';
import { Desktop } from '../notify/desktop.ts';
import { Email } from '../notify/email.ts';
import { Notifier } from '../notify/notifier.ts';
import { Webhook } from '../notify/webhook.ts';

export interface Telling {
  clock: Clock;
  proc: Proc;
  random: Random;
  deliveries: Deliveries;
  config: () => Config;
  /** where processes are started */
  cwd: string;
  version: string;
  /** authorities (PEM) in place of the built-in ones; for the lab's own */
  trust?: string | undefined;
  /** the secret of that name, never to be shown from then on; throws with a sentence */
  secretOf: (name: string) => string;
  clean: (text: string) => string;
  note: (severity: Severity, rule: string, sentence: string) => void;
  onChange: () => void;
  onFault: (error: unknown) => void;
}

/** What channels are made with. */
export type ChannelMeans = Pick<Telling, 'clock' | 'proc' | 'random' | 'cwd' | 'version' | 'trust' | 'secretOf'>;

/** The channels of a configuration. Secrets are read when something is sent, so that one that is mended is used at once. */
export function channelsOf(means: ChannelMeans, config: Config): { channel: Channel; least: Severity }[] {
  const { clock, proc, random, cwd: folder, version, secretOf, trust } = means;
  const { desktop, email, webhook } = config.notify;
  const ca = trust === undefined ? {} : { ca: trust };
  const channels: { channel: Channel; least: Severity }[] = [];
  if (desktop !== null) {
    const { platform, env: environment } = process;
    channels.push({ channel: new Desktop({ proc, random, folder, platform, environment }), least: desktop.least });
  }
  if (email !== null) {
    const { host, port, security, user, password, from, to, timeout, least } = email;
    const secret = password === undefined ? null : () => secretOf(password);
    const channel = new Email({
      ...{ host, port, security, user: user ?? null, password: secret, from, to, timeoutMs: timeout, ...ca },
    });
    channels.push({ channel, least });
  }
  if (webhook !== null) {
    const { url, secret, timeout, least } = webhook;
    const channel = new Webhook({
      ...{ url, secret: () => secretOf(secret), timeoutMs: timeout, version, wall: () => clock.wall(), ...ca },
    });
    channels.push({ channel, least });
  }
  return channels;
}

/** Who writes, as a letter says it. */
export function senderOf(config: Config): Sender {
  const { pair } = config;
  return { pair: pair.name, fqdn: pair.fqdn, address: ownTarget(config).address };
}

export function wireTelling(telling: Telling): Notifier {
  const { clock, random, deliveries, config, clean, note, onChange, onFault } = telling;
  return new Notifier({
    ...{ clock, clean, note, onChange, onFault },
    journal: deliveries,
    life: random.hex(8),
    sender: () => senderOf(config()),
    channels: () => channelsOf(telling, config()),
  });
}
