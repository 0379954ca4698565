/** The pair, and how the other node is watched. */
import { z } from 'zod';
import { failWhenSchema } from '../../contract/words.ts';
import { profiles } from '../profiles.ts';
import { duration, fqdn, host, identifier, line, port, reference, scriptArgv, whole, word } from '../scalars.ts';
import { group, list } from './form.ts';

export const pair = group('The two nodes of one PBX.', {
  name: line('What people call this pair. Default: the FQDN.', 60).optional(),
  fqdn: fqdn('The one full domain name that phones and browsers use for the pair.'),
  active: host('Address of the node that is the active one at the start.'),
  passive: host('Address of the node that is the passive one at the start.'),
  profile: word('The PBX product: gives default ports, tests and services.', profiles),
});

const timeout = () =>
  duration('How long to wait for an answer. Default: 4s, or 80 % of the interval where that is shorter.', '50ms', '5m');

export const tests = group('Which heartbeat tests run. Default: those of the profile.', {
  sip: group('SIP OPTIONS to the active node.', {
    transport: word('SIP transport.', ['udp', 'tcp', 'tls']).prefault('udp'),
    port: port('SIP port. Default by profile: 5060, with tls 5061.').optional(),
    timeout: timeout().optional(),
  }).optional(),
  web: group('HTTPS to the address of the active node, asked by the FQDN.', {
    port: port('HTTPS port. Default by profile: 5001 for 3CX, else 443.').optional(),
    path: z
      .string()
      .max(2000)
      .regex(/^\/[\x21-\x7e]*$/)
      .meta({
        description: 'What is asked for.',
        noun: 'a path',
        allowed: 'a path that starts with `/`, without blanks',
      })
      .prefault('/'),
    marker: line('Text that the page must hold. Default: any page is good.').optional(),
    warnDays: whole(
      'The test is degraded when the certificate ends in fewer days.',
      'a number of days',
      0,
      365,
    ).prefault(14),
    timeout: timeout().optional(),
  }).optional(),
  tunnel: group('TCP to the tunnel port: accepted and not closed at once.', {
    port: port('Tunnel port. Default: 5090.').optional(),
    timeout: timeout().optional(),
  }).optional(),
  commands: list(
    "The site's own tests: exit 0 alive, 1 dead, 2 and more: the test itself is at fault.",
    group('One command as a test.', {
      id: identifier('Name of this test on screens and in history.'),
      run: scriptArgv('The script and its arguments; no shell.'),
      timeout: timeout().optional(),
    }),
    16,
  ).prefault([]),
});

export const heartbeat = group('How the active node is watched.', {
  interval: duration('Time from one round of tests to the next.', '200ms', '1h', '5s').prefault('30s'),
  failWhen: word('Whether one failed test is a failed round, or only all together.', failWhenSchema.options).prefault(
    'all',
  ),
  confirm: group('How a failure is confirmed before it counts.', {
    times: whole(
      'Re-checks that must fail too, one after the other, after the first failed round.',
      'a number of rounds',
      1,
      20,
    ).prefault(3),
    every: duration(
      'Time between rounds while confirming. Default: 5s, or half the interval where that is shorter.',
      '50ms',
      '30m',
      '1s',
    ).optional(),
  }).prefault({}),
  tests: tests.optional(),
  references: list(
    'What is asked, outside the pair, to tell "is it me?": gateway, ping:HOST, tcp:HOST:PORT, dns:HOST[:PORT], sip:HOST[:PORT].',
    reference('One reference.'),
    16,
  ).prefault(['gateway']),
  referenceTimeout: duration(
    'How long a reference may take. Default: 2s, or 80 % of the interval where that is shorter.',
    '50ms',
    '1m',
  ).optional(),
});
