/**
 * The commented estepe.yaml that `estepe config example` prints. A test holds it against the schema.
 */
export const EXAMPLE_YAML = `# Estepe: the warm spare for a small site's PBX.
# This file belongs to this node; the other node has one of its own with the other role.
# Durations: 500ms, 30s, 5m, 24h, 7d. A change applies when the file is saved; a wrong one is refused and said.
# Check it with: estepe config check

role: passive                    # active | passive: what this node is at the start

pair:
  name: head-office
  fqdn: pbx.example.com          # the one name that phones use
  active: 192.0.2.1              # the nodes' own addresses
  passive: 192.0.2.2
  profile: 3cx-windows           # 3cx-windows | 3cx-linux | freepbx | generic

heartbeat:
  interval: 30s
  failWhen: all                  # any: one failed test is enough. all: only all of them together
  confirm:
    times: 3                     # re-checks that must fail too, after the first failed round
    every: 5s                    # time between them
  tests:                         # only what stands here is tested; without this section the profile's tests
    sip: { transport: udp, port: 5060, timeout: 4s }   # udp | tcp | tls
    web: { port: 5001, path: /, warnDays: 14 }
    tunnel: { port: 5090 }
    # commands:                  # the site's own tests, from the scripts folder: exit 0 alive, 1 dead
    #   - { id: trunk, run: [check-trunk.sh, --fast], timeout: 4s }
  references:                    # outside the pair: "is it me?"
    - gateway                    # or ping:HOST, tcp:HOST:PORT, dns:HOST[:PORT], sip:HOST[:PORT]
    - tcp:9.9.9.9:53

# How the PBX is started here. Without this section: the services of the profile.
# services:
#   start: [[systemctl, start, asterisk]]
#   query: [[systemctl, is-active, asterisk]]
#   stop: [[systemctl, stop, asterisk]]
#   calls: [asterisk, -rx, core show channels count]   # prints how many calls are active; for switchover --when-idle
#   proveWithin: 60s             # the PBX must answer its own tests here by then
#   letOn: machine               # or estepe: after a boot only once nobody else has taken over; then it needs Estepe to start

# selfFence:                     # an active that reaches neither location nor other node for so long stops its own PBX
#   after: 10m

promotion:
  mode: confirm                  # automatic | confirm | manual
  countdown: 5m                  # confirm: nobody answers -> onSilence
  onSilence: promote             # promote | hold
  cooldown: 60m                  # none by itself for so long after a promotion
  observeOnly: false             # true: decide and write down, but never act
  # claim: required              # of its epoch in the location: required | best-effort, or { need, etcd }
  # fence:                       # the old active must be silent first. Short: fence: required
  #   need: best-effort          # required: no promotion without proof. best-effort: goes on and tells the risk
  #   api: { clientId: estepe, secret: pbx-api }   # 3CX v20: stops its services; secret: name of a secret
  #   script: fence-ipmi.sh      # cuts it off; samples come with Estepe
  #   silenceWithin: 30s
  # scripts:                     # from the scripts folder: exit 0 done, 1 try again, 2 and more: failed
  #   before: stop-old-active.cmd
  #   after: { run: [tell-provider.cmd, --by, mail], retries: 5, onFail: continue }   # halt | continue | ask
  #   timeout: 60s
  # dns:                         # once the PBX answers here; one record, or a list of them: inside and outside
  #   - { kind: rfc2136, server: 192.0.2.53, zone: example.com, record: pbx, ttl: 60s, key: estepe }   # key: name of a secret
  #   - { kind: cloudflare, zone: example.com, record: pbx, token: cloudflare, active: 203.0.113.1, passive: 203.0.113.2 }
  #   # dnscmd: server, zone, record. route53: zoneId, zone, record, keyId, key. script: run: [switch-dns.sh]
  #   # each: servers (asked too, besides those of the zone), within: 60s, onFail: ask

# backup:
#   location: { kind: sftp, host: nas.example.com, user: pbx, password: nas, folder: 3CX_PBX_Backups }
#   schedule: "0 1 * * *"        # the active node makes one every day at 01:00
#   jitter: 0s                   # put each one off by up to so long
#   keep: 7
#   bandwidth: 2000              # kB a second on the line at most
#   source:                      # 3CX: its own backup command, or what its own schedule stored
#     from: command              # command | folder
#     options: [ALL]             # or CH, LIC, FQDN, PROMPTS, FW, REC, VM
#     password: pbx-backup       # name of a secret
#   # source:                    # generic: what is named here
#   #   folders: [/etc/asterisk, /var/lib/pbx]
#   #   before: [[pg_dump, --file=/var/lib/pbx/dump.sql, pbx]]
#   encrypt: { passphrase: backup-passphrase }   # or { recipient: age1…, identity: name of a secret }

# restore:
#   schedule: "0 3 * * *"
#   whenNewer: true              # also as soon as a newer backup is seen, looked for every so long:
#   poll: 5m
#   maxOffset: 24h               # older data is not promoted by itself
#   # generic: the new files are ready, then before, swap, after
#   # after: [[psql, --file=/var/lib/pbx/dump.sql, pbx]]

# drill:                         # everything of a promotion short of going live, in a sandbox
#   schedule: "0 4 1 * *"        # by itself on the passive, the first of the month at 04:00; or off
#   maxAge: 90d                  # mode automatic: an older one is a trouble; it holds no takeover back

# notify:                        # whom Estepe tells, once for each incident, and when it is over; without it only its screens
#   desktop: true                # a notice on this machine; or { least: alert }
#   email:
#     host: smtp.example.com
#     security: starttls         # starttls (587) | tls (465) | none (25)
#     user: estepe@example.com
#     password: smtp             # name of a secret
#     from: estepe@example.com
#     to: [admin@example.com]
#     least: warning             # info | warning | alert: less grave messages are not sent
#   webhook: { url: "https://hooks.example.com/estepe", secret: webhook, least: info }   # JSON, signed with that secret

# The link to the engine on the other node. Both need it; paired once with \`estepe pair open\` and \`estepe pair join\`.
# peer:
#   listen: 192.0.2.2:7443       # this node's own address
#   address: 192.0.2.1:7443      # where the other node listens

# console:
#   port: 8460                   # the page for a browser on this machine; 0 takes a free one
`;
