/** Whom Estepe tells, and by what. */

import { z } from 'zod';
import { severitySchema } from '../../contract/words.ts';
import { duration, flag, host, line, mailAddress, port, secretName, webAddress, word } from '../scalars.ts';
import { group } from './form.ts';

const least = (usual: 'info' | 'warning' | 'alert') =>
  word(
    'How grave a message must be to be sent; the end of what was sent is always sent.',
    severitySchema.options,
  ).prefault(usual);
const timeout = (usual: string) => duration('How long one attempt may take.', '1s', '2m').prefault(usual);

export const desktop = group(
  'A notice on the desktop of this machine; only where Estepe runs in the session of a person.',
  {
    least: least('warning'),
  },
);

export const email = group('E-mail, given to a mail server.', {
  host: host('The mail server.'),
  port: port('Its port. Default: 587 for starttls, 465 for tls, 25 for none.').optional(),
  security: word('starttls: encrypted after the greeting. tls: from the start. none: readable on the way.', [
    'starttls',
    'tls',
    'none',
  ]).prefault('starttls'),
  user: line('User name at the mail server.', 256).optional(),
  password: secretName('Secret that holds the password.').optional(),
  from: mailAddress('The sender.'),
  to: z
    .array(mailAddress('One recipient.'))
    .min(1)
    .max(16)
    .meta({ description: 'The recipients.', noun: 'a list', allowed: 'a list of 1 to 16 mail addresses' }),
  least: least('warning'),
  timeout: timeout('30s'),
});

export const webhook = group('A service of the site: told by HTTP POST, as JSON, signed.', {
  url: webAddress('Where it is told.'),
  secret: secretName('Secret that the signature is made with (HMAC-SHA256).'),
  least: least('info'),
  timeout: timeout('15s'),
});

export const notify = group(
  'Whom Estepe tells when something happens. Without this section nobody but by its screens.',
  {
    desktop: z
      .union([flag('On or off.'), desktop])
      .meta({
        description: 'A notice on the desktop of this machine.',
        noun: 'true, false or a group',
        allowed: 'true, false, or a group with the key least',
      })
      .prefault(false),
    email: email.optional(),
    webhook: webhook.optional(),
  },
);
