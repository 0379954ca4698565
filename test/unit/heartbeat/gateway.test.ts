import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatewayIn, gatewayIn6, gatewayInRoutePrint } from '../../../src-main/heartbeat/gateway.ts';

const columns = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const route = (destination: string, gateway: string, flags: string, metric: number, mask: string): string =>
  `eth0\t${destination}\t${gateway}\t${flags}\t0\t0\t${metric}\t${mask}\t0\t0\t0`;
const v4 = (...lines: string[]): string => [columns, ...lines, ''].join('\n');

describe('the gateway in /proc/net/route', () => {
  const lan = route('000200C0', '00000000', '0001', 0, '00FFFFFF');

  it.each<[string, string[], string | null]>([
    ['the default route’s', [route('00000000', '010200C0', '0003', 100, '00000000'), lan], '192.0.2.1'],
    [
      'the one of the lowest metric',
      [route('00000000', '010200C0', '0003', 200, '00000000'), route('00000000', 'FE0200C0', '0003', 50, '00000000')],
      '192.0.2.254',
    ],
    [
      'the first of equals',
      [route('00000000', '010200C0', '0003', 0, '00000000'), route('00000000', 'FE0200C0', '0003', 0, '00000000')],
      '192.0.2.1',
    ],
    ['none of a route that is down', [route('00000000', '010200C0', '0002', 0, '00000000')], null],
    ['none of a default route without gateway', [route('00000000', '00000000', '0001', 0, '00000000')], null],
    ['none of 0.0.0.0/1, as tunnels set it', [route('00000000', '010200C0', '0003', 0, '00000080')], null],
    ['none of a route to a net', [route('000200C0', '010200C0', '0003', 0, '00FFFFFF')], null],
    ['none where there is no route', [], null],
  ])('%s', (_, lines, address) => {
    expect(gatewayIn(v4(...lines))).toBe(address);
  });
});

const v6 = (to: string, length: string, next: string, metric: string, flags: string, device = 'eth0'): string =>
  `${to} ${length} ${'0'.repeat(32)} 00 ${next} ${metric} 00000001 00000000 ${flags} ${device}`;
const any = '0'.repeat(32);
const linkLocal = 'fe800000000000000000000000000001';
const global = '20010db8000000000000000000000001';

describe('the gateway in /proc/net/ipv6_route', () => {
  it.each<[string, string[], string | null]>([
    [
      'a link-local one with its interface',
      [v6(any, '00', linkLocal, '00000400', '00000003')],
      'fe80:0:0:0:0:0:0:1%eth0',
    ],
    ['a global one', [v6(any, '00', global, '00000400', '00000003')], '2001:db8:0:0:0:0:0:1'],
    [
      'the lowest metric, which is hexadecimal',
      [v6(any, '00', global, '00000100', '00000003'), v6(any, '00', linkLocal, '000000ff', '00000003', 'eth1')],
      'fe80:0:0:0:0:0:0:1%eth1',
    ],
    ['none of the loopback’s reject route', [v6(any, '00', any, 'ffffffff', '00200200', 'lo')], null],
    ['none of a longer prefix', [v6(any, '01', global, '00000400', '00000003')], null],
    ['none in an empty file', [], null],
  ])('%s', (_, lines, address) => {
    expect(gatewayIn6([...lines, ''].join('\n'))).toBe(address);
  });
});

describe('the gateway in `route print -4 0.0.0.0`', () => {
  const german = [
    '===========================================================================',
    'Schnittstellenliste',
    ' 12...00 0c 29 aa bb cc ......Intel(R) 82574L Gigabit Network Connection',
    '===========================================================================',
    '',
    'IPv4-Routentabelle',
    'Aktive Routen:',
    '     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik',
    '          0.0.0.0          0.0.0.0        192.0.2.1      192.0.2.20     25',
    '          0.0.0.0          0.0.0.0      192.0.2.254      192.0.2.20      5',
    '          0.0.0.0        128.0.0.0         10.8.0.1       10.8.0.2      1',
    'Ständige Routen:',
    '  Keine',
    '',
  ];

  it('is the one of the lowest metric, in any language and with either end of line', () => {
    expect(gatewayInRoutePrint(german.join('\n'))).toBe('192.0.2.254');
    expect(gatewayInRoutePrint(german.join('\r\n'))).toBe('192.0.2.254');
  });

  it('is none where the default route is on the link or there is none', () => {
    expect(gatewayInRoutePrint('  0.0.0.0  0.0.0.0  On-link  192.0.2.20  25')).toBeNull();
    expect(gatewayInRoutePrint('')).toBeNull();
    expect(gatewayInRoutePrint(german.filter((line) => !/192\.0\.2\./.test(line)).join('\n'))).toBeNull();
  });
});

it('whatever these texts say, the answer is an address or none', () => {
  const pieces = fc.constantFrom(
    '0',
    '00000000',
    '0003',
    'eth0',
    '\t',
    ' ',
    '\n',
    '0.0.0.0',
    '192.0.2.1',
    any,
    linkLocal,
    'ffff',
    '-1',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 300 }),
        fc.array(pieces, { maxLength: 80 }).map((all) => all.join(' ')),
      ),
      (text) => {
        for (const address of [gatewayIn(text), gatewayIn6(text), gatewayInRoutePrint(text)]) {
          if (address !== null) expect(address).toMatch(/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]+(%.*)?)$/);
        }
      },
    ),
    { seed: 8, numRuns: 1_000 },
  );
});
