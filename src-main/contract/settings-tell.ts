/** Who is told, as a form: channels that are on or off, each with where it leads. Pure. */
import { channelNames } from './notify.ts';
import type { ChangeAsked } from './settings.ts';
import { type Facts, type Field, has, maker, set, takenOut, valueAt, type Written } from './settings-field.ts';
import { severitySchema } from './words.ts';

const mailPorts: Readonly<Record<string, string>> = { starttls: '587', tls: '465', none: '25' };

/** Whether a channel is written; that it can be used is another question. */
export function isChannelOn(channel: (typeof channelNames)[number], written: Written): boolean {
  const value = valueAt(written, ['notify', channel]);
  return value !== undefined && value !== false;
}

export function tellFields(written: Written, facts: Facts): Field[] {
  const field = maker(facts);
  const least = (channel: string, usual: string): Field => ({
    ...field(`notify.${channel}.least`, 'select', severitySchema.options),
    usual,
  });
  const security = String(valueAt(written, ['notify', 'email', 'security']) ?? 'starttls');
  const below = {
    desktop: [least('desktop', 'warning')],
    email: [
      field('notify.email.host'),
      field('notify.email.security', 'select', ['starttls', 'tls', 'none']),
      { ...field('notify.email.port', 'number'), usual: mailPorts[security] ?? '' },
      field('notify.email.user'),
      field('notify.email.password', 'secret'),
      field('notify.email.from'),
      field('notify.email.to', 'lines'),
      least('email', 'warning'),
    ],
    webhook: [field('notify.webhook.url'), field('notify.webhook.secret', 'secret'), least('webhook', 'info')],
  };
  return channelNames.flatMap((channel) => [
    field(`notify.${channel}`, 'present'),
    ...(isChannelOn(channel, written) ? below[channel] : []),
  ]);
}

/** The desktop is on by a word or as a group; null: no change that is special. */
export function tellChanges(field: Field, typed: string | boolean, written: Written): ChangeAsked[] | null {
  if (field.id === 'notify.desktop') {
    return [typed === true ? set(field.path, true) : takenOut(field.path, written)];
  }
  const isWord = field.id === 'notify.desktop.least' && !has(written, ...field.path);
  return isWord ? [set(['notify', 'desktop'], { least: String(typed) })] : null;
}
