/**
 * What each PBX product needs where the configuration is silent: ports, which tests, which services.
 * Facts only; must not know how a service is started.
 */

export const profiles = ['3cx-windows', '3cx-linux', 'freepbx', 'generic'] as const;
export type ProfileName = (typeof profiles)[number];

export interface Profile {
  ports: { sip: number; sipTls: number; web: number; tunnel: number };
  /** tests that run when the configuration names none */
  tests: readonly ('sip' | 'web' | 'tunnel')[];
  services: {
    /** names or patterns of the machine's services */
    names: readonly string[];
    start: readonly (readonly string[])[];
    query: readonly (readonly string[])[];
    stop: readonly (readonly string[])[];
    /** prints how many calls are active; null: this product has no command for it */
    calls: readonly string[] | null;
  };
}

const none = { names: [], start: [], query: [], stop: [], calls: null } as const;
// 3CX v18/v20: SIP 5060/5061, web 5001, tunnel 5090.
const ports3cx = { sip: 5060, sipTls: 5061, web: 5001, tunnel: 5090 } as const;

export const profileFacts: Readonly<Record<ProfileName, Profile>> = {
  // On Windows the services' display names differ between versions: listed and matched at run time.
  '3cx-windows': { ports: ports3cx, tests: ['sip', 'web', 'tunnel'], services: { ...none, names: ['3CX*'] } },
  '3cx-linux': {
    ports: ports3cx,
    tests: ['sip', 'web', 'tunnel'],
    services: {
      ...none,
      names: [
        'nginx',
        '3CXEventNotificationManager',
        '3CXCfgServ01',
        '3CXMediaServer',
        '3CXPhoneSystemMC01',
        '3CXPhoneSystem01',
        '3CXIVR01',
        '3CXQueueManager01',
        '3CXCallFlow01',
        '3CXSystemService01',
        '3CXAudioProvider01',
        '3CXGatewayService',
      ],
    },
  },
  freepbx: {
    ports: { sip: 5060, sipTls: 5061, web: 443, tunnel: 5090 },
    tests: ['sip', 'web'],
    services: {
      names: [],
      start: [['fwconsole', 'start']],
      query: [['asterisk', '-rx', 'core show uptime']],
      stop: [['fwconsole', 'stop']],
      calls: ['asterisk', '-rx', 'core show channels count'],
    },
  },
  // Of an unknown PBX only SIP is sure.
  generic: { ports: { sip: 5060, sipTls: 5061, web: 443, tunnel: 5090 }, tests: ['sip'], services: none },
};
