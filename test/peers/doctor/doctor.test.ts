/** `estepe doctor` on a real site: SIP and web servers, a name server that takes updates, a folder as the location. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { DoctorCheck, DoctorReport } from '../../../src-main/contract/doctor.ts';
import { documentOf, estepe } from '../../unit/cli/estepe-process.ts';
import { makeCertificates } from '../fixtures/certificates.ts';
import { freePort } from '../fixtures/free-port.ts';
import { startKamailio } from '../fixtures/kamailio.ts';
import { keyLine, newKey, newNetwork, startNamed } from '../fixtures/named.ts';
import { startNginx } from '../fixtures/nginx.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

describeWithPeers('the doctor on a real site', ['kamailio', 'nginx', 'named', 'nsupdate', 'netns'], () => {
  it('names the FQDN that points at the passive, with the repair; well again once it is repaired', async ({
    onTestFinished: later,
  }) => {
    const at = newNetwork();
    const [active, passive] = [at(11), at(12)];
    const key = newKey('estepe');
    const named = await startNamed({
      ...{ address: at(1), port: 53, keys: [key] },
      zones: [
        {
          ...{ name: 'example.com', servers: { ns1: at(1) }, updates: 'allow-update { key estepe; };' },
          records: [`pbx 3600 A ${passive}`],
        },
      ],
    });
    later(() => named.stop());
    const certificates = makeCertificates();
    later(() => certificates.remove());
    const [sip, web, tunnel] = [await freePort(active), await freePort(active), await freePort(active)];
    const kamailio = await startKamailio({ address: active, udpPort: sip });
    later(() => kamailio.stop());
    const nginx = await startNginx({ address: active, port: web, certificate: certificates.soon });
    later(() => nginx.stop());
    // left on by accident: the passive's web server, with another certificate
    const other = await startNginx({ address: passive, port: web, certificate: certificates.good });
    later(() => other.stop());
    const data = mkdtempSync(join(tmpdir(), 'estepe-doctor-'));
    later(() => rmSync(data, { recursive: true, force: true }));
    const location = join(data, 'backups');
    for (const folder of [location, join(data, 'secrets')]) mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(data, 'secrets', 'dns-key'), `${keyLine(key)}\n`, { mode: 0o600 });
    writeFileSync(
      join(data, 'estepe.yaml'),
      stringify({
        role: 'passive',
        pair: { name: 'head-office', fqdn: 'pbx.example.com', active, passive, profile: 'generic' },
        heartbeat: {
          tests: { sip: { port: sip }, web: { port: web }, tunnel: { port: tunnel, timeout: '1s' } },
          references: [`dns:${at(1)}`],
        },
        services: { start: [['true']], query: [['false']] },
        backup: { location: { kind: 'local', folder: location }, source: { folders: ['/srv/pbx'] } },
        promotion: {
          scripts: { before: 'stop-old-active.sh' },
          dns: { kind: 'rfc2136', server: at(1), zone: 'example.com', record: 'pbx', key: 'dns-key' },
        },
      }),
    );
    const look = async (): Promise<{ exit: number | null; of: (id: string) => DoctorCheck; report: DoctorReport }> => {
      const ended = await estepe('doctor', '--data', data, '--json');
      const report = documentOf(ended) as unknown as DoctorReport;
      const of = (id: string): DoctorCheck => {
        const found = report.checks.find((one) => one.id === id);
        if (found === undefined) throw new Error(`no check ${id} in ${JSON.stringify(report, null, 1)}${ended.err}`);
        return found;
      };
      return { exit: ended.exit, of, report };
    };

    const before = await look();
    expect(before.exit, JSON.stringify(before.report)).toBe(1);
    const record = before.of('names.record.pbx.example.com.1.1');
    expect(record).toMatchObject({ state: 'problem', area: 'names' });
    expect(record.sentence).toContain(`points at the passive node (${passive})`);
    expect(record.todo).toContain(`update add pbx.example.com 60 A ${active}`);
    expect(before.of(`names.outside.dns:${at(1)}`).state).toBe('problem');
    expect(before.of('names.ttl.pbx.example.com.1')).toMatchObject({ state: 'warning' });
    expect(before.of('ports.active.sip').state).toBe('ok');
    expect(before.of('ports.active.tunnel').state).toBe('problem');
    expect(before.of('ports.passive.sip').state).toBe('ok');
    expect(before.of('ports.passive.web')).toMatchObject({ state: 'problem' });
    expect(before.of('certificate.active').sentence).toContain('5 days left');
    expect(before.of('certificate.same').state).toBe('warning');
    expect(before.of('services.running').state).toBe('ok');
    expect(before.of('storage.location').state).toBe('ok');
    expect(before.of('storage.newest').state).toBe('problem');
    expect(before.of('rights.script:stop-old-active.sh').state).toBe('problem');
    expect(before.of('parity.pbx').state).toBe('skipped');
    expect(JSON.stringify(before.report)).not.toContain(key.secret);
    // the trial of the location left nothing, and no record was changed
    expect(readdirSync(location)).toEqual([]);
    expect(named.dig('pbx.example.com')).toEqual([passive]);

    await other.stop();
    named.update(key, 'update delete pbx.example.com A', `update add pbx.example.com 60 A ${active}`);
    const after = await look();
    expect(after.of('names.record.pbx.example.com.1.1').state).toBe('ok');
    expect(after.of(`names.outside.dns:${at(1)}`).state).toBe('ok');
    expect(after.of('names.ttl.pbx.example.com.1').state).toBe('ok');
    expect(after.of('ports.passive.web').state).toBe('ok');
    expect(after.of('certificate.passive').state).toBe('skipped');
    expect(after.of('rights.dns.pbx.example.com.1').state).toBe('ok');
  });
});
