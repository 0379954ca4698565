/** How the FQDN is pointed to the new active node. */
import { z } from 'zod';
import { duration, fqdn, host, line, port, scriptArgv, secretName } from '../scalars.ts';
import { commandTimeout, group } from './form.ts';

const record = {
  zone: fqdn('The zone that holds the record.'),
  record: line('The name inside the zone, without the zone.', 253),
};
const ttl = (description = 'Time to live of the record.') => duration(description, '1s', '1d').prefault('60s');

export const dns = z
  .discriminatedUnion('kind', [
    group('Dynamic update with TSIG (RFC 2136).', {
      kind: z.literal('rfc2136'),
      server: host('The primary server of the zone.'),
      port: port('Its DNS port.').prefault(53),
      ...record,
      ttl: ttl(),
      key: secretName('Name of the TSIG key, kept as a secret of that name.'),
    }),
    group("Microsoft's DNS server, by dnscmd.", {
      kind: z.literal('dnscmd'),
      server: host('The DNS server.'),
      ...record,
      ttl: ttl(),
    }),
    group('Cloudflare.', {
      kind: z.literal('cloudflare'),
      ...record,
      // Cloudflare refuses less for records that are not proxied.
      ttl: duration('Time to live of the record.', '60s', '1d').prefault('60s'),
      token: secretName('Secret that holds the API token.'),
    }),
    group('Amazon Route 53.', {
      kind: z.literal('route53'),
      zoneId: line('Id of the hosted zone.', 64),
      ...record,
      ttl: ttl(),
      keyId: line('Access key id.', 128),
      key: secretName('Secret that holds the secret access key.'),
    }),
    group("A script of the site's own.", {
      kind: z.literal('script'),
      run: scriptArgv('The script and its arguments; no shell.'),
      timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
    }),
  ])
  .meta({ description: 'How the FQDN is pointed to the new active node.' });
