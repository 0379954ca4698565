/**
 * The shipped fence scripts of Linux as Estepe runs them: SSH against a real server, the plug against a small server of our own,
 * ipmitool and govc by doubles that keep the state and refuse what the real ones would.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RealFiles } from '../../../src-main/runbook/real-files.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { runScript } from '../../../src-main/runbook/script.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { startSshd } from '../fixtures/sshd.ts';

type Later = (clean: () => void | Promise<void>) => void;
const samples = fileURLToPath(new URL('../../../build/scripts/linux', import.meta.url));
const password = 'board-s3cret';

function place(later: Later) {
  const folder = newFolder('fence-scripts');
  later(() => rmSync(folder, { recursive: true, force: true }));
  const scripts = join(folder, 'scripts');
  cpSync(samples, scripts, { recursive: true });
  chmodSync(scripts, 0o700);
  const put = (name: string, text: string, mode = 0o600): string => {
    mkdirSync(join(folder, 'bin'), { recursive: true });
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
    return join(folder, name);
  };
  const run = async (script: string, { dryRun = false, address = '127.0.0.1' } = {}) => {
    const path = process.env.PATH;
    process.env.PATH = `${join(folder, 'bin')}:${path}`;
    try {
      const end = await runScript(
        { proc: new RealProc(), files: new RealFiles(scripts), scriptsFolder: scripts },
        { run: script, timeoutMs: 40_000, retries: 1 },
        {
          ...{ epoch: 3, step: 'fence', attempt: 1, reason: 'dead', dryRun, runToken: `fence-${Math.random()}` },
          ...{ fqdn: 'pbx.example.com', oldAddress: address, newAddress: '127.0.0.2' },
        },
      );
      expect(end.output).not.toContain(password);
      const code = end.end.how === 'exit' ? end.end.code : -1;
      return { code, said: end.output.trim().split('\n').at(-1) ?? '' };
    } finally {
      process.env.PATH = path;
    }
  };
  return { folder, put, run };
}

describeWithPeers('fence scripts', ['ssh', 'sshd', 'ssh-keyscan', 'curl', 'mounts'], () => {
  it('fence-ssh: looks, stops, looks again; again is no harm; another host key is not spoken to', async ({
    onTestFinished: later,
  }) => {
    const sshd = await startSshd();
    later(() => sshd.stop());
    const { put, run } = place(later);
    const key = put('key', sshd.key);
    const known = put(
      'known',
      execFileSync('ssh-keyscan', ['-p', `${sshd.port}`, '127.0.0.1'], { encoding: 'utf8', stdio: 'pipe' }),
    );
    const running = join(sshd.home, 'running');
    const settings = (knownHosts: string): void => {
      const stop = "STOP='rm -f running'\nIS_STOPPED='! test -e running'\n";
      put('scripts/fence-ssh.conf', `KEY=${key}\nKNOWN_HOSTS=${knownHosts}\nLOGIN=pbx\nPORT=${sshd.port}\n${stop}`);
    };
    settings(known);
    writeFileSync(running, '');
    expect(await run('fence-ssh.sh', { dryRun: true })).toMatchObject({
      code: 0,
      said: expect.stringContaining('would stop'),
    });
    expect(existsSync(running)).toBe(true);
    expect(await run('fence-ssh.sh')).toEqual({ code: 0, said: 'the PBX on 127.0.0.1 is stopped' });
    expect(existsSync(running)).toBe(false);
    expect(await run('fence-ssh.sh')).toEqual({ code: 0, said: 'the PBX on 127.0.0.1 is stopped already' });
    settings(put('nobody', ''));
    expect((await run('fence-ssh.sh')).code).toBe(1);
    expect((await run('fence-ssh.sh', { dryRun: true })).code).toBe(1);
  });

  it.each([
    ['shelly', '/rpc/Switch.Set?id=0&on=false', (on: boolean) => ({ id: 0, output: on, apower: 41.2 })],
    ['shelly-gen1', '/relay/0?turn=off', (on: boolean) => ({ ison: on, has_timer: false })],
    ['tasmota', '/cm?cmnd=Power%20Off', (on: boolean) => ({ POWER: on ? 'ON' : 'OFF' })],
  ] as const)(
    'fence-smart-plug %s: cuts the power, by a login that is in no command line',
    async (kind, cut, state) => {
      const clean: (() => void | Promise<void>)[] = [];
      const { put, run } = place((one) => void clean.push(one));
      const plug = { on: true, deaf: false, asked: [] as string[] };
      const login = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
      const server = createServer((request, response) => {
        if (request.headers.authorization !== login) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="plug"' }).end();
          return;
        }
        plug.asked.push(request.url ?? '');
        if (request.url === cut && !plug.deaf) plug.on = false;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(state(plug.on)));
      });
      await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
      try {
        const file = put('login', `user = "admin:${password}"\n`);
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        put('scripts/fence-smart-plug.conf', `KIND=${kind}\nPLUG=${url}\nLOGIN_FILE=${file}\n`);
        expect(await run('fence-smart-plug.sh', { dryRun: true })).toEqual({
          code: 0,
          said: 'would cut the power: the plug is on',
        });
        expect(plug.asked).not.toContain(cut);
        plug.deaf = true;
        expect(await run('fence-smart-plug.sh')).toEqual({ code: 1, said: 'the plug is still on' });
        plug.deaf = false;
        expect(await run('fence-smart-plug.sh')).toEqual({ code: 0, said: 'the power is cut' });
        plug.asked = [];
        expect(await run('fence-smart-plug.sh')).toEqual({ code: 0, said: 'the power is cut already' });
        expect(plug.asked).not.toContain(cut);
        put('login', 'user = "admin:another"\n');
        expect((await run('fence-smart-plug.sh')).code).toBe(1);
      } finally {
        server.closeAllConnections();
        server.close();
        for (const one of clean) await one();
      }
    },
  );

  it('fence-ipmi: off and seen to be off; the password by file only', async ({ onTestFinished: later }) => {
    const { folder, put, run } = place(later);
    const file = put('board', password);
    put('power', 'on');
    put(
      'bin/ipmitool',
      `#!/bin/sh
echo "$*" >>${folder}/argv
[ "$*" = "-I lanplus -H 192.0.2.101 -U estepe -f ${file} -N 3 -R 2 chassis power \${15}" ] || exit 9
[ -e ${folder}/unreachable ] && { echo "Error: Unable to establish IPMI v2 / RMCP+ session" >&2; exit 1; }
case \${15} in status) echo "Chassis Power is $(cat ${folder}/power)";; off) echo "Chassis Power Control: Down/Off"; printf off >${folder}/power;; esac
`,
      0o755,
    );
    put('scripts/fence-ipmi.conf', `BOARD=192.0.2.101\nBOARD_USER=estepe\nBOARD_PASSWORD_FILE=${file}\n`);
    expect(await run('fence-ipmi.sh', { dryRun: true })).toMatchObject({
      code: 0,
      said: expect.stringContaining('would switch'),
    });
    expect(readFileSync(join(folder, 'power'), 'utf8')).toBe('on');
    expect(await run('fence-ipmi.sh')).toEqual({ code: 0, said: 'the old active is switched off' });
    expect(await run('fence-ipmi.sh')).toEqual({ code: 0, said: 'the old active is switched off already' });
    expect(readFileSync(join(folder, 'argv'), 'utf8')).not.toContain(password);
    put('unreachable', '');
    expect((await run('fence-ipmi.sh')).code).toBe(1);
  });

  it('fence-vmware: off and seen to be off; the password by the environment only', async ({
    onTestFinished: later,
  }) => {
    const { folder, put, run } = place(later);
    put('power', 'poweredOn');
    put(
      'bin/govc',
      `#!/bin/sh
echo "$*" >>${folder}/argv
[ "$GOVC_URL $GOVC_USERNAME $GOVC_PASSWORD" = "https://vcenter.example.com estepe ${password}" ] || exit 9
case "$*" in
  "find / -type m -name pbx-a") [ -e ${folder}/unknown ] || echo /dc/vm/pbx-a;;
  "object.collect -s /dc/vm/pbx-a runtime.powerState") cat ${folder}/power;;
  "vm.power -off -force pbx-a") printf poweredOff >${folder}/power;;
  *) exit 9;;
esac
`,
      0o755,
    );
    put(
      'scripts/fence-vmware.conf',
      `GOVC_URL=https://vcenter.example.com\nGOVC_USERNAME=estepe\nGOVC_PASSWORD=${password}\nVM=pbx-a\n`,
    );
    expect(await run('fence-vmware.sh', { dryRun: true })).toMatchObject({
      code: 0,
      said: 'would switch pbx-a off: it is poweredOn',
    });
    expect(await run('fence-vmware.sh')).toEqual({ code: 0, said: 'pbx-a is switched off' });
    expect(await run('fence-vmware.sh')).toEqual({ code: 0, said: 'pbx-a is switched off already' });
    expect(readFileSync(join(folder, 'argv'), 'utf8')).not.toContain(password);
    put('unknown', '');
    expect((await run('fence-vmware.sh')).code).toBeGreaterThan(0);
  });

  it('settings that are missing, incomplete, or read by others: final, and said', async ({ onTestFinished: later }) => {
    const { put, run } = place(later);
    expect(await run('fence-ipmi.sh')).toMatchObject({
      code: 2,
      said: expect.stringContaining('fence-ipmi.conf is missing'),
    });
    put('scripts/fence-ipmi.conf', 'BOARD=192.0.2.101\n');
    expect(await run('fence-ipmi.sh')).toMatchObject({
      code: 2,
      said: expect.stringContaining('BOARD_USER is missing'),
    });
    put('scripts/fence-ipmi.conf', 'BOARD=192.0.2.101\n', 0o644);
    expect(await run('fence-ipmi.sh')).toMatchObject({
      code: 2,
      said: expect.stringContaining('can be read by others'),
    });
  });
});
