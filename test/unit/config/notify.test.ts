/** `notify`: what is taken, what is filled in, and what is refused, in sentences that never repeat a secret. */
import { expect, it } from 'vitest';
import { problemLine } from '../../../src-main/config/problems.ts';
import { checkText } from '../../../src-main/config/text.ts';
import { minimal } from './texts.ts';

const notifyOf = (section: string) => {
  const checked = checkText(`${minimal}${section}`);
  return checked.ok ? checked.config.notify : checked.problems.map((problem) => problemLine('estepe.yaml', problem));
};
const mail = 'host: smtp.example.com, from: estepe@example.com, to: [admin@example.com]';

it.each([
  ['', { desktop: null, email: null, webhook: null }],
  ['notify: { desktop: true }\n', { desktop: { least: 'warning' } }],
  ['notify: { desktop: false }\n', { desktop: null }],
  ['notify: { desktop: { least: alert } }\n', { desktop: { least: 'alert' } }],
  [
    `notify: { email: { ${mail} } }\n`,
    { email: { port: 587, security: 'starttls', to: ['admin@example.com'], least: 'warning', timeout: 30_000 } },
  ],
  [
    `notify: { email: { ${mail}, security: tls, user: u, password: smtp } }\n`,
    { email: { port: 465, password: 'smtp' } },
  ],
  [`notify: { email: { ${mail}, security: none } }\n`, { email: { port: 25 } }],
  [`notify: { email: { ${mail}, port: 2525 } }\n`, { email: { port: 2525 } }],
  [
    'notify: { webhook: { url: "https://hooks.example.com/a/b", secret: hook } }\n',
    { webhook: { least: 'info', timeout: 15_000, secret: 'hook' } },
  ],
])('%j is taken', (section, notify) => {
  expect(notifyOf(section)).toMatchObject(notify);
});

it.each([
  ['desktop: loud', 'notify.desktop'],
  ['email: { host: smtp.example.com, to: [admin@example.com] }', 'notify.email.from'],
  [`email: { ${mail.replace('[admin@example.com]', '[]')} }`, 'Allowed: a list of 1 to 16'],
  [
    `email: { ${mail.replace('admin@example.com', 'Admin <admin@example.com>')} }`,
    'is not a mail address. Allowed: one bare address',
  ],
  [`email: { ${mail}, security: ssl }`, 'Allowed: starttls, tls or none'],
  [`email: { ${mail}, user: estepe }`, '`user` is given without `password`'],
  [`email: { ${mail}, password: smtp }`, '`password` is given without `user`'],
  [`email: { ${mail}, user: u, password: smtp, security: none }`, 'the password would be readable on the way'],
  ['webhook: { url: "https://hooks.example.com" }', 'notify.webhook.secret'],
  ['webhook: { url: "ftp://hooks.example.com", secret: hook }', 'is not an address of a service'],
  ['telegram: true', 'notify.telegram'],
])('%s is refused in a sentence', (key, said) => {
  expect(notifyOf(`notify: { ${key} }\n`)).toEqual([expect.stringContaining(said)]);
});

it('H4 a password that stands where its name belongs is not repeated', () => {
  const said = notifyOf(`notify: { email: { ${mail}, user: u, password: "hunter 2!" } }\n`);
  expect(said).toEqual([expect.stringContaining('the name of a file in the secrets folder')]);
  expect(JSON.stringify(said)).not.toContain('hunter');
});
