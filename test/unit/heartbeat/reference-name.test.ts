import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHost, isIpv6, parseReference } from '../../../src-main/engine/reference-name.ts';

describe('the name of a reference', () => {
  it.each([
    ['gateway', { kind: 'gateway' }],
    ['ping:192.0.2.1', { kind: 'ping', host: '192.0.2.1' }],
    ['ping:2001:db8::1', { kind: 'ping', host: '2001:db8::1' }],
    ['ping:[2001:db8::1]', { kind: 'ping', host: '2001:db8::1' }],
    ['tcp:9.9.9.9:53', { kind: 'tcp', host: '9.9.9.9', port: 53 }],
    ['tcp:[::1]:53', { kind: 'tcp', host: '::1', port: 53 }],
    ['tcp:[fe80::1%eth0]:53', { kind: 'tcp', host: 'fe80::1%eth0', port: 53 }],
    ['dns:192.0.2.53', { kind: 'dns', host: '192.0.2.53', port: 53 }],
    ['dns:192.0.2.53:5353', { kind: 'dns', host: '192.0.2.53', port: 5353 }],
    ['dns:::1', { kind: 'dns', host: '::1', port: 53 }],
    ['sip:trunk.example.net', { kind: 'sip', host: 'trunk.example.net', port: 5060 }],
    ['sip:trunk.example.net:5080', { kind: 'sip', host: 'trunk.example.net', port: 5080 }],
  ])('%s', (name, expected) => {
    expect(parseReference(name, 2500)).toEqual({ id: name, timeoutMs: 2500, ...expected });
  });

  it.each([
    ['', 'no kind'],
    ['gateway:1', 'no kind'],
    ['http:example.com', 'no kind'],
    ['tcp', 'the host is missing'],
    ['tcp:', 'the host is missing'],
    ['tcp:host', 'the port is missing'],
    ['tcp:host:', 'not a port'],
    ['tcp:host:0', 'not a port'],
    ['tcp:host:65536', 'not a port'],
    ['tcp:host:8x', 'not a port'],
    ['tcp:::1', 'the port is missing'],
    ['tcp:300.1.1.1:53', 'not a host'],
    ['tcp:[host]:53', 'not a host'],
    ['tcp:[::1:53', 'neither a host'],
    ['ping:192.0.2.1:7', 'a ping has no port'],
    ['ping:-f', 'not a host'],
    ['ping:a b', 'not a host'],
    ['ping:a\nb', 'not a host'],
  ])('%j is refused: %s', (name, why) => {
    expect(() => parseReference(name, 1000)).toThrow(why);
    expect(() => parseReference(name, 1000)).toThrow('Allowed are "gateway"');
  });

  it('judges IPv6 addresses as the system does', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,24}$/)), (text) => {
        expect(isIpv6(text)).toBe(isIPv6(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('H3 any text is a reference or an error with a sentence', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((s) => `tcp:${s}`),
          fc.string().map((s) => `ping:${s}`),
        ),
        (s) => {
          try {
            const spec = parseReference(s, 1);
            if (spec.kind !== 'gateway') expect(isHost(spec.host)).toBe(true);
          } catch (error) {
            expect((error as Error).message).toContain('is not a reference');
          }
        },
      ),
    );
  });
});
