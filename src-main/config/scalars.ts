/**
 * The kinds of single values that estepe.yaml is made of: durations, ports, addresses, names, schedules, scripts.
 * Each carries, as metadata, the noun and the allowed forms that error sentences are made of. Must not know the
 * sections they stand in.
 */
import { isIP } from 'node:net';
import { Cron } from 'croner';
import { z } from 'zod';
import { isHost, parseReference, parseServer } from '../engine/reference-name.ts';
import { durationForms, durationPattern, type Ms, parseDuration } from './duration.ts';

/** What problem sentences need to know of a value: "`x` is not <noun>; allowed: <allowed>". */
export interface Wording {
  noun: string;
  allowed: string;
  /** the value may be a secret written in the wrong place: never shown again */
  hide?: boolean;
}

const inWords = (description: string, wording: Wording) => ({ description, ...wording });

/**
 * A duration, parsed to milliseconds. `min` and `max` are durations too and both allowed. `minSaid` is the bound that
 * people are told where a laboratory may go below it.
 */
export function duration(description: string, min: string, max: string, minSaid = min) {
  const allowed = `a duration such as ${durationForms}, from ${minSaid} to ${max}`;
  const least = parseDuration(min) ?? 0;
  const most = parseDuration(max) ?? 0;
  return z
    .string()
    .regex(durationPattern)
    .transform((text, context): Ms => {
      const ms = parseDuration(text) ?? (0 as Ms);
      if (ms < least || ms > most) {
        const wrong = `\`${text}\` is too ${ms < least ? 'short' : 'long'}`;
        context.addIssue({ code: 'custom', message: wrong, params: { allowed: `from ${minSaid} to ${max}` } });
      }
      return ms;
    })
    .meta(inWords(description, { noun: 'a duration', allowed }));
}

/** A whole number within bounds, both allowed. */
export function whole(description: string, noun: string, min: number, max: number) {
  return z
    .int()
    .min(min)
    .max(max)
    .meta(inWords(description, { noun, allowed: `a whole number from ${min} to ${max}` }));
}

/** A TCP or UDP port. */
export const port = (description: string) => whole(description, 'a port', 1, 65_535);

export const flag = (description: string) =>
  z.boolean().meta(inWords(description, { noun: 'true or false', allowed: 'true or false' }));

/** One of a few words. */
export function word<const W extends string>(description: string, words: readonly W[]) {
  const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return z.enum(words).meta(inWords(description, { noun: 'known here', allowed: list }));
}

/** Free text of one line. */
export const line = (description: string, max = 200) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    // no pattern: editors' validators do not agree on \P{…}
    .refine((text) => !/\p{Cc}/u.test(text))
    .meta(inWords(description, { noun: 'one line of text', allowed: `one line of text, 1 to ${max} characters` }));

/** Where a service answers by HTTP, as in `https://s3.example.net`. What stands before an `@` would be a secret in the wrong place. */
export const webAddress = (description: string) =>
  z
    .string()
    .max(300)
    .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#@]*)?$/)
    .refine((text) => URL.canParse(text))
    .meta(
      inWords(description, {
        noun: 'an address of a service',
        allowed: 'https://HOST, https://HOST:PORT, or http:// where nobody listens on the way',
      }),
    );

/** An address or host name, as in `192.0.2.1`, `2001:db8::1`, `pbx.example.com`. */
export const host = (description: string) =>
  z
    .string()
    .refine(isHost)
    .meta(
      inWords(description, {
        noun: 'an address',
        allowed: 'an IPv4 address, an IPv6 address without brackets, or a host name',
      }),
    );

/** `HOST`, `HOST:PORT` or `[IPV6]:PORT`, taken apart; null for anything else. An IPv6 address without a port may stand bare. */
export function splitHostPort(text: string): { host: string; port: number | null } | null {
  const [, inBrackets, bare, given] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [null, null, text];
  const host = inBrackets ?? bare ?? '';
  const number = given === undefined ? null : Number(given);
  if (!isHost(host) || (inBrackets != null && !host.includes(':'))) return null;
  return number === 0 || (number ?? 0) > 65_535 ? null : { host, port: number };
}

/** Where a service of ours listens or is reached: an address, and a port where it is not the usual one. */
export const hostPort = (description: string) =>
  z
    .string()
    .refine((text) => splitHostPort(text) !== null)
    .meta(
      inWords(description, {
        noun: 'an address with a port',
        allowed: 'ADDRESS, ADDRESS:PORT or [IPv6]:PORT, such as 192.0.2.2:7443',
      }),
    );

/** Where mail is sent to or from, bare: `admin@example.com`. */
export const mailAddress = (description: string) =>
  z
    .string()
    .max(254)
    .regex(/^[^\s<>()[\]\\,;:@"]{1,64}@[^\s<>()[\]\\,;:@"]+$/)
    .refine((text) => isHost(text.slice(text.indexOf('@') + 1)))
    .meta(inWords(description, { noun: 'a mail address', allowed: 'one bare address, such as admin@example.com' }));

/** A full domain name; an IP address would make TLS and the DNS switch pointless. */
export const fqdn = (description: string) =>
  z
    .string()
    .refine((text) => isIP(text) === 0 && isHost(text) && text.replace(/\.$/, '').includes('.'))
    .meta(
      inWords(description, {
        noun: 'a full domain name',
        allowed: 'a name with at least one point, such as pbx.example.com; no IP address',
      }),
    );

/** A numeric address, as a DNS record holds it. */
export const ipAddress = (description: string) =>
  z
    .string()
    .refine((text) => isIP(text) !== 0 && !text.includes('%'))
    .meta(inWords(description, { noun: 'an IP address', allowed: 'an IPv4 or IPv6 address in numbers' }));

/** The name of a record inside its zone: `pbx`, `sip.voice`, `@`. */
export const recordName = (description: string) =>
  z
    .string()
    .refine((text) => text === '@' || (isHost(text) && isIP(text) === 0 && !text.endsWith('.')))
    .meta(
      inWords(description, {
        noun: 'the name of a record',
        allowed: 'a name inside the zone, such as pbx, or `@` for the zone itself',
      }),
    );

/** A name server: `192.0.2.53`, `ns1.example.com:5353`, `[2001:db8::53]:53`. */
export const nameServer = (description: string) =>
  z
    .string()
    .refine((text) => parseServer(text) !== null)
    .meta(
      inWords(description, {
        noun: 'a name server',
        allowed: 'HOST or HOST:PORT; an IPv6 address with a port stands in brackets',
      }),
    );

const isLoopback = (text: string) => text === '::1' || (isIP(text) === 4 && text.startsWith('127.'));

/** An address that only this machine reaches. */
export const loopback = (description: string) =>
  z
    .string()
    .refine(isLoopback)
    .meta(
      inWords(description, {
        noun: 'a loopback address',
        allowed: 'an address of this machine alone: 127.0.0.1 (any 127.x.x.x) or ::1',
      }),
    );

/** What a reference may be; engine/reference-name.ts knows the forms. */
export const reference = (description: string) =>
  z
    .string()
    .refine((text) => {
      try {
        parseReference(text, 1000);
        return true;
      } catch {
        return false;
      }
    })
    .meta(
      inWords(description, {
        noun: 'a reference',
        allowed: 'gateway, ping:HOST, tcp:HOST:PORT, dns:HOST[:PORT] or sip:HOST[:PORT]',
      }),
    );

/** The name of a file in the secrets folder. The value is never shown: somebody may have written the secret itself. */
export const secretNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const secretName = (description: string) =>
  z
    .string()
    .regex(secretNamePattern)
    .meta(
      inWords(description, {
        noun: 'the name of a secret',
        allowed: 'the name of a file in the secrets folder (letters, digits, `.`, `_`, `-`); never the secret itself',
        hide: true,
      }),
    );

/** An identifier for screens and history. */
export const identifier = (description: string) =>
  z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
    .meta(
      inWords(description, {
        noun: 'an id',
        allowed: '1 to 32 of a-z, 0-9 and `-`, starting with a letter or digit',
      }),
    );

const cronField = '(?:\\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/[0-9]+)?';
const cronPattern = new RegExp(`^${Array(5).fill(`${cronField}(?:,${cronField})*`).join(' +')}$`);

function isCron(text: string): boolean {
  try {
    new Cron(text, { paused: true });
    return true;
  } catch {
    return false;
  }
}

/** A schedule, or none: `off`. */
export const scheduleOrOff = (description: string) =>
  z
    .string()
    .regex(new RegExp(`${cronPattern.source}|^off$`))
    .refine((text) => text === 'off' || !cronPattern.test(text) || isCron(text))
    .meta(
      inWords(description, {
        noun: 'a schedule',
        allowed: 'five fields in quotes: minute hour day month weekday, such as "0 4 1 * *"; or off',
      }),
    );

/** A schedule in cron's five fields. */
export const schedule = (description: string) =>
  z
    .string()
    .regex(cronPattern)
    // The pattern is for editors; what runs by it has the last word.
    .refine((text) => !cronPattern.test(text) || isCron(text))
    .meta(
      inWords(description, {
        noun: 'a schedule',
        allowed: 'five fields in quotes: minute hour day month weekday, such as "0 1 * * *"',
      }),
    );

/** A time zone of the IANA database. */
export const timeZone = (description: string) =>
  z
    .string()
    .refine((text) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: text });
        return true;
      } catch {
        return false;
      }
    })
    .meta(
      inWords(description, { noun: 'a time zone', allowed: 'a name such as America/Sao_Paulo, Europe/Lisbon or UTC' }),
    );

const absolute = /^(?:[/\\]|[A-Za-z]:)/;
const climbing = /(?:^|[/\\])\.\.(?:[/\\]|$)/;

/** A folder or file of this machine, said from the top: `/var/lib/pbx`, `C:\\PBX`, `\\\\nas\\share\\pbx`. */
export const absolutePath = (description: string) =>
  z
    .string()
    .max(1000)
    .regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)[^\0]*$/)
    .refine((text) => !climbing.test(text))
    .meta(
      inWords(description, {
        noun: 'an absolute path',
        allowed: 'a path from the top, such as /var/lib/pbx or C:\\PBX; no `..`',
      }),
    );

const argument = z
  .string()
  .max(4096)
  .regex(/^[^\0]*$/)
  .meta({
    description: 'one argument, passed as it stands',
    noun: 'an argument',
    allowed: 'text; put numbers in quotes',
  });

/** A file below the scripts folder, said relatively. Whether it exists and may run is looked at when it runs. */
const scriptFile = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !absolute.test(text) && !climbing.test(text) && !text.includes('\0'))
  .meta({
    description: 'a file in the scripts folder',
    noun: 'a file in the scripts folder',
    allowed: 'a file name below the scripts folder: no absolute path, no `..`',
  });

const program = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => !climbing.test(text) && !text.includes('\0'))
  .meta({
    description: 'what is run: a file in the scripts folder, an absolute path, or a program on PATH',
    noun: 'a program',
    allowed: 'a file in the scripts folder, an absolute path or a program on PATH; no `..`',
  });

const argvOf = <T extends typeof scriptFile | typeof program>(first: T, description: string, allowed: string) =>
  z.tuple([first], argument).meta(inWords(description, { noun: 'a command', allowed }));

/** A script and its arguments: `[check.sh, --fast]`. */
export const scriptArgv = (description: string) =>
  argvOf(
    scriptFile,
    description,
    'a list: the file in the scripts folder, then its arguments, such as [check.sh, --fast]',
  );

/** A command of the system: `[systemctl, start, nginx]`. */
export const commandArgv = (description: string) =>
  argvOf(program, description, 'a list: the program, then its arguments, such as [systemctl, start, nginx]');

/** A script by its bare name. With a blank it would be a command line, which nobody here would split. */
export const scriptName = (description: string) =>
  scriptFile
    .refine((text) => !/\s/.test(text))
    .meta(
      inWords(description, {
        noun: 'the name of a script',
        allowed: 'a file in the scripts folder; with arguments as a list: [name, argument]',
      }),
    );
