/**
 * Reads the one-word form of a reference as written in estepe.yaml (`gateway`, `tcp:9.9.9.9:53`). Pure: knows nothing of
 * sockets or name look-ups, so that the configuration can use it as well as the heartbeat.
 */
import type { DnsServer, ReferenceSpec } from './ports.ts';

const allowed =
  'Allowed are "gateway", "ping:HOST", "tcp:HOST:PORT", "dns:HOST" or "dns:HOST:PORT", "sip:HOST" or "sip:HOST:PORT"; ' +
  'an IPv6 address stands in brackets, e.g. "tcp:[2001:db8::1]:53"';

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const hostName = new RegExp(`^${label}(?:\\.${label})*\\.?$`);

/** Whether this is an IPv6 address in text form (RFC 4291 §2.2), with a zone allowed (RFC 6874). Pure, no net module. */
export function isIpv6(text: string): boolean {
  const [address = '', zone, ...more] = text.split('%');
  if (more.length > 0 || (zone !== undefined && !/^[A-Za-z0-9_.-]{1,32}$/.test(zone))) return false;
  const halves = address.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const all = groups.flat();
  const last = all.at(-1);
  let count = all.length;
  if (last?.includes('.')) {
    // an embedded IPv4 address stands for two groups, and only at the very end
    if (!ipv4.test(last) || address.endsWith('::')) return false;
    all.pop();
    count += 1;
  }
  if (!all.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count <= 7 : count === 8;
}

/** Whether this is a dotted IPv4 address. */
export function isIpv4(text: string): boolean {
  return ipv4.test(text);
}

/** Whether this can be a host: IPv4, IPv6 (without brackets) or a host name of letters, digits, `-`, `_`. */
export function isHost(text: string): boolean {
  if (text.length > 253) return false;
  if (text.includes(':')) return isIpv6(text);
  // four numbers that are no address ("300.1.1.1") would otherwise pass as a name
  if (/^[0-9.]+$/.test(text)) return isIpv4(text);
  return hostName.test(text);
}

function wrong(name: string, why: string): Error {
  return new Error(`"${name}" is not a reference: ${why}. ${allowed}.`);
}

/** Splits `HOST[:PORT]`, `[V6][:PORT]` and, where no port can follow, a bare IPv6 address. */
function hostAndPort(name: string, rest: string): { host: string; port: number | null } {
  const match = /^\[([^\]]*)\](?::(.*))?$/s.exec(rest) ?? /^([^:[\]]*)(?::([^:]*))?$/s.exec(rest);
  if (match === null) {
    if (isIpv6(rest)) return { host: rest, port: null };
    throw wrong(name, `"${rest}" is neither a host nor a host with a port`);
  }
  const host = match[1] ?? '';
  if (!isHost(host) || (rest.startsWith('[') && !host.includes(':'))) {
    throw wrong(name, host === '' ? 'the host is missing' : `"${host}" is not a host`);
  }
  const digits = match[2];
  if (digits === undefined) return { host, port: null };
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port < 1 || port > 65_535) {
    throw wrong(name, `"${digits}" is not a port (1 to 65535)`);
  }
  return { host, port };
}

/**
 * What a reference's name means.
 * @param name as written in the configuration; it becomes the reference's id
 * @param timeoutMs how long its answer may take, milliseconds
 * @throws Error with a sentence that says what is wrong and what is allowed
 */
export function parseReference(name: string, timeoutMs: number): ReferenceSpec {
  const base = { id: name, timeoutMs };
  if (name === 'gateway') return { ...base, kind: 'gateway' };
  const colon = name.indexOf(':');
  const kind = colon < 0 ? name : name.slice(0, colon);
  if (kind !== 'ping' && kind !== 'tcp' && kind !== 'dns' && kind !== 'sip') {
    throw wrong(name, `"${kind}" is no kind of reference`);
  }
  const { host, port } = hostAndPort(name, colon < 0 ? '' : name.slice(colon + 1));
  switch (kind) {
    case 'ping':
      if (port !== null) throw wrong(name, 'a ping has no port');
      return { ...base, kind, host };
    case 'tcp':
      if (port === null) throw wrong(name, 'the port is missing');
      return { ...base, kind, host, port };
    case 'dns':
      return { ...base, kind, host, port: port ?? 53 };
    case 'sip':
      return { ...base, kind, host, port: port ?? 5060 };
  }
}

/** A name server as written in the configuration, on port 53 where none is said; null where it is none. */
export function parseServer(text: string): DnsServer | null {
  try {
    const { host, port } = hostAndPort(text, text);
    return { host, port: port ?? 53 };
  } catch {
    return null;
  }
}
