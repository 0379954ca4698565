/** How the FQDN is pointed to the new active node. */
import { z } from 'zod';
import { onFailSchema } from '../../contract/words.ts';
import {
  duration,
  fqdn,
  host,
  ipAddress,
  line,
  nameServer,
  port,
  recordName,
  scriptArgv,
  secretName,
  webAddress,
  word,
} from '../scalars.ts';
import { commandTimeout, group, list } from './form.ts';

const zone = fqdn('The zone that holds the record.');
const record = {
  zone,
  record: recordName('The name inside the zone, without the zone; `@` for the zone itself.'),
};
const ttl = (description = 'Time to live of the record.') => duration(description, '1s', '1d').prefault('60s');

/** What every way has: the addresses in this zone, and who is asked afterwards. */
const shared = {
  active: ipAddress('Address of `pair.active` in this zone, where the zone shows another one (outside).').optional(),
  passive: ipAddress('Address of `pair.passive` in this zone, where the zone shows another one (outside).').optional(),
  servers: list(
    'Authoritative servers that are asked too, besides those that the zone names.',
    nameServer('HOST or HOST:PORT.'),
    16,
  ).prefault([]),
  within: duration('How long the authoritative servers may take to answer the new address.', '1s', '1h').prefault(
    '60s',
  ),
  // The PBX is alive here already: a person is to know that calls do not reach it, and may go on without.
  onFail: word('What a record that is not switched does to the promotion.', onFailSchema.options).prefault('ask'),
};

const way = z
  .discriminatedUnion('kind', [
    group('Dynamic update with TSIG (RFC 2136).', {
      kind: z.literal('rfc2136'),
      server: host('The primary server of the zone.'),
      port: port('Its DNS port.').prefault(53),
      ...record,
      ttl: ttl(),
      key: secretName('Secret that holds the TSIG key: NAME:hmac-sha256:BASE64, or what tsig-keygen prints.'),
      ...shared,
    }),
    group("Microsoft's DNS server, by dnscmd.", {
      kind: z.literal('dnscmd'),
      server: host('The DNS server.'),
      ...record,
      ttl: ttl(),
      ...shared,
    }),
    group('Cloudflare.', {
      kind: z.literal('cloudflare'),
      ...record,
      // Cloudflare refuses less for records that are not proxied.
      ttl: duration('Time to live of the record.', '60s', '1d').prefault('60s'),
      token: secretName('Secret that holds the API token.'),
      endpoint: webAddress("Address of a private way to Cloudflare's interface, or of what speaks like it.").optional(),
      ...shared,
    }),
    group('Amazon Route 53.', {
      kind: z.literal('route53'),
      zoneId: line('Id of the hosted zone.', 64),
      ...record,
      ttl: ttl(),
      keyId: line('Access key id.', 128),
      key: secretName('Secret that holds the secret access key.'),
      endpoint: webAddress("Address of a private way to Route 53's interface, or of what speaks like it.").optional(),
      ...shared,
    }),
    group("A script of the site's own.", {
      kind: z.literal('script'),
      run: scriptArgv('The script and its arguments; no shell.'),
      timeout: commandTimeout('How long one attempt may take.').prefault('60s'),
      ttl: ttl('Time to live that the script gives the record; a longer one found there is told.'),
      ...shared,
    }),
  ])
  .meta({ description: 'How one record is changed.' });

/** More zones than inside and outside, at several providers, no small site has. */
const maxRecords = 8;

export const dns = z
  .union([way, list('Several records: inside and outside, or several names.', way, maxRecords)])
  .meta({
    description: 'How the FQDN is pointed to the new active node: one record, or a list of them.',
    noun: 'a record',
    allowed: `a group with kind: rfc2136, dnscmd, cloudflare, route53 or script; or a list of at most ${maxRecords} of them`,
  });
