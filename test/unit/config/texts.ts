/** Configurations that tests start from. */

/** The least that is enough. */
export const minimal = `role: passive
pair: { fqdn: pbx.example.com, active: 192.0.2.1, passive: 192.0.2.2, profile: generic }
`;

/** Every section, as a site would write it. */
export const site = `role: passive
pair: { name: head-office, fqdn: pbx.example.com, active: 192.0.2.1, passive: 192.0.2.2, profile: 3cx-windows }
heartbeat:
  interval: 30s
  failWhen: all
  confirm: { times: 3, every: 5s }
  tests: { sip: { transport: udp, port: 5060 }, web: { port: 5001 }, tunnel: { port: 5090 } }
  references: [ gateway, "tcp:9.9.9.9:53" ]
backup:
  location: { kind: sftp, host: nas.example.com, port: 22, user: pbx, folder: 3CX_PBX_Backups }
  schedule: "0 1 * * *"
  keep: 7
restore: { schedule: "0 3 * * *", maxOffset: 24h }
promotion:
  mode: confirm            # automatic | confirm | manual
  countdown: 5m            # confirm: nobody answers -> onSilence
  onSilence: promote       # promote | hold
  cooldown: 60m
  scripts: { before: stop-old-active.cmd, after: tell-provider.cmd, timeout: 60s }
  dns: { kind: rfc2136, server: 192.0.2.53, zone: example.com, record: pbx, ttl: 60s, key: estepe }
`;

/** The same with every form of the page filled in, in the ways in which sites write them. */
export const everything = `${site.replace(/ {2}dns: .*\n/, '')}  fence:                   # first silent, then here
    need: required
    api: { clientId: estepe, secret: pbx-api }
    script: [fence-ipmi.sh, --port, "2"]
    silenceWithin: 20s
  dns:
    # inside
    - kind: rfc2136
      server: 192.0.2.53
      zone: example.com
      record: pbx
      key: estepe          # name of a secret
    # outside
    - { kind: cloudflare, zone: example.com, record: pbx, token: cf, active: 203.0.113.1, passive: 203.0.113.2 }
services:
  names: [ "3CX Phone*", nginx ]   # in this order
  calls: [ count-calls.cmd, "C:\\\\Program Files\\\\PBX" ]
  letOn: estepe
selfFence: { after: 10m }
notify:
  desktop: { least: alert }
  email: { host: smtp.example.com, user: pbx, password: smtp, from: estepe@example.com, to: [admin@example.com] }
  webhook: { url: "https://hooks.example.com/estepe", secret: webhook }   # signed
`;
