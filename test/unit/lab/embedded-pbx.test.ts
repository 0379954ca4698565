/** The lab's PBX, asked over raw sockets: it must be a PBX that a heartbeat can believe, or a dead one. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import {
  type EmbeddedPbx,
  type EmbeddedPbxOptions,
  embeddedPbxScript,
  startEmbeddedPbx,
} from '../../../src-main/lab/embedded-pbx.ts';
import { makeCertificate } from '../../../src-main/lab/embedded-pbx-certificate.ts';

// Each PBX is a process of its own; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const fqdn = 'pbx.lab.example';
const address = '127.0.0.77';
const running: EmbeddedPbx[] = [];
const folder = mkdtempSync(join(tmpdir(), 'estepe-pbx-test-'));

afterEach(async () => {
  await Promise.all(running.splice(0).map((pbx) => pbx.stop()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(more: Partial<EmbeddedPbxOptions> = {}): Promise<EmbeddedPbx> {
  const pbx = await startEmbeddedPbx({ address, sipPort: 0, webPort: 0, tunnelPort: 0, fqdn, ...more });
  running.push(pbx);
  return pbx;
}

function sip(method: string, uri: string, more: { via?: string; extra?: string[]; to?: string } = {}): string {
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: ${more.via ?? 'SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK77;rport'}`,
    'Max-Forwards: 70',
    'From: <sip:estepe@127.0.0.1>;tag=a1',
    `To: ${more.to ?? `<${uri}>`}`,
    'Call-ID: c1@127.0.0.1',
    `CSeq: 7 ${method}`,
    'Contact: <sip:estepe@127.0.0.1>',
    ...(more.extra ?? []),
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

/** Sends one datagram; null when nothing came back in time. */
async function datagram(port: number, message: string, waitMs = 15_000): Promise<{ text: string; own: number } | null> {
  const socket = createSocket('udp4');
  try {
    socket.connect(port, address);
    await once(socket, 'connect');
    const own = socket.address().port;
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(waitMs) });
    socket.send(message);
    const [bytes] = (await answer) as [Buffer];
    return { text: bytes.toString(), own };
  } catch {
    return null;
  } finally {
    socket.close();
  }
}

/** Sends over one TCP connection and collects until `enough` says so. */
async function stream(
  port: number,
  parts: string[],
  enough: (got: string) => boolean,
  waitMs = 15_000,
): Promise<string> {
  const socket = connect({ port, host: address });
  let got = '';
  try {
    await once(socket, 'connect');
    for (const part of parts) socket.write(part);
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, waitMs);
      socket.on('data', (chunk) => {
        got += chunk.toString();
        if (!enough(got)) return;
        clearTimeout(late);
        resolve();
      });
      socket.once('close', () => resolve());
    });
    return got;
  } finally {
    socket.destroy();
  }
}

function get(pbx: EmbeddedPbx, path: string, ca: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: address,
      port: pbx.ports.web,
      path,
      servername: fqdn,
      headers: { host: fqdn },
      ca,
      agent: false,
    });
    asked.once('error', reject);
    asked.once('response', (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    asked.end();
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: address });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

describe('SIP', () => {
  it('answers OPTIONS over UDP with the asker’s Via, rport filled in, and a tag on To', async () => {
    const pbx = await start();
    const answer = await datagram(pbx.ports.sip, sip('OPTIONS', `sip:${fqdn}`));
    const lines = answer?.text.split('\r\n') ?? [];
    expect(lines[0]).toBe('SIP/2.0 200 OK');
    expect(lines).toContain(`Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK77;received=127.0.0.1;rport=${answer?.own}`);
    expect(lines).toContain('From: <sip:estepe@127.0.0.1>;tag=a1');
    expect(lines.find((line) => line.startsWith('To: '))).toMatch(/^To: <sip:pbx\.lab\.example>;tag=\w+$/);
    expect(lines).toContain('Call-ID: c1@127.0.0.1');
    expect(lines).toContain('CSeq: 7 OPTIONS');
    expect(lines).toContain(`Contact: <sip:${address}:${pbx.ports.sip}>`);
    expect(lines.some((line) => line.startsWith('Allow: OPTIONS'))).toBe(true);
    expect(lines).toContain('Server: Estepe-Lab-PBX');
    expect(answer?.text.endsWith('\r\n\r\n')).toBe(true);
  });

  it('keeps every Via in order and marks the first one only; compact names and folded lines are read', async () => {
    const pbx = await start();
    const message = sip('OPTIONS', `sip:${address}`, {
      extra: ['v: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx,\r\n SIP/2.0/TCP 10.0.0.8'],
    });
    const vias = (await datagram(pbx.ports.sip, message))?.text
      .split('\r\n')
      .filter((line) => line.startsWith('Via: '));
    expect(vias?.slice(1)).toEqual(['Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx', 'Via: SIP/2.0/TCP 10.0.0.8']);
  });

  it.each([
    ['INVITE', `sip:100@${fqdn}`, 405],
    ['REGISTER', `sip:${fqdn}`, 405],
    ['CANCEL', `sip:100@${fqdn}`, 481],
    ['OPTIONS', `sip:100@${fqdn}`, 200],
    ['OPTIONS', `sip:999@${fqdn}`, 404],
    ['OPTIONS', 'sip:other.example', 404],
  ])('%s %s is answered %i', async (method, uri, status) => {
    const pbx = await start();
    expect((await datagram(pbx.ports.sip, sip(method, uri)))?.text.split(' ')[1]).toBe(String(status));
  });

  it('refuses what it does not understand: Require 420, SIP/3.0 505, no Call-ID 400', async () => {
    const pbx = await start();
    const good = sip('OPTIONS', `sip:${fqdn}`);
    const ask = async (message: string) => (await datagram(pbx.ports.sip, message))?.text.split(' ')[1];
    expect(await ask(sip('OPTIONS', `sip:${fqdn}`, { extra: ['Require: 100rel'] }))).toBe('420');
    expect(await ask(good.replace('SIP/2.0\r\n', 'SIP/3.0\r\n'))).toBe('505');
    expect(await ask(good.replace(/Call-ID.*\r\n/, ''))).toBe('400');
  });

  it('never answers an ACK, a response or garbage, and lives on', async () => {
    const pbx = await start();
    const none = await Promise.all([
      datagram(pbx.ports.sip, sip('ACK', `sip:${fqdn}`), 300),
      datagram(pbx.ports.sip, 'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x\r\n\r\n', 300),
      datagram(pbx.ports.sip, '\u0000\u0001garbage', 300),
    ]);
    expect(none).toEqual([null, null, null]);
    expect(await datagram(pbx.ports.sip, sip('OPTIONS', `sip:${fqdn}`))).not.toBeNull();
  });

  it('answers over TCP: a message in pieces, two in one, and a keep-alive', async () => {
    const pbx = await start();
    const one = sip('OPTIONS', `sip:${fqdn}`, { via: 'SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKt' });
    const twice = (got: string) => got.split('SIP/2.0 200 OK').length === 3 && got.endsWith('\r\n\r\n');
    const got = await stream(pbx.ports.sip, ['\r\n\r\n', one.slice(0, 40), one.slice(40) + one], twice);
    expect(got.startsWith('\r\nSIP/2.0 200 OK')).toBe(true);
    expect(twice(got)).toBe(true);
    expect(got).toContain(`Contact: <sip:${address}:${pbx.ports.sip};transport=tcp>`);
  });
});

describe('web and tunnel', () => {
  it('serves HTTPS under the FQDN with a chain that the given authority proves', async () => {
    const pbx = await start();
    const page = await get(pbx, '/', pbx.certificate.ca);
    expect(page.status).toBe(200);
    expect(page.body).toContain(fqdn);
    expect((await get(pbx, '/nowhere', pbx.certificate.ca)).status).toBe(404);
    const stranger = await makeCertificate(fqdn);
    await expect(get(pbx, '/', stranger.ca)).rejects.toThrow(/certificate/);
  });

  it('A5 expired certificate: one can be given that ended yesterday', async () => {
    const pbx = await start({ certificate: await makeCertificate(fqdn, -1) });
    await expect(get(pbx, '/', pbx.certificate.ca)).rejects.toThrow(/expired/);
  });

  it('accepts on the tunnel port and does not close', async () => {
    const pbx = await start();
    const socket = connect({ port: pbx.ports.tunnel, host: address });
    await once(socket, 'connect');
    let closed = false;
    socket.once('close', () => {
      closed = true;
    });
    socket.write('hello');
    // The web server's answer comes later than a close of the tunnel would.
    await get(pbx, '/', pbx.certificate.ca);
    expect(closed).toBe(false);
    socket.destroy();
  });
});

describe('life and death', () => {
  it('A1 killed: every port refuses; restarted: the same ports and certificate answer', async () => {
    const pbx = await start();
    const before = pbx.pid;
    await pbx.kill();
    expect(pbx.running).toBe(false);
    expect(await Promise.all([pbx.ports.sip, pbx.ports.web, pbx.ports.tunnel].map(accepts))).toEqual([
      false,
      false,
      false,
    ]);
    const ports = { ...pbx.ports };
    await pbx.restart();
    expect(pbx.pid).not.toBe(before);
    expect(pbx.ports).toEqual(ports);
    expect((await get(pbx, '/', pbx.certificate.ca)).status).toBe(200);
  });

  it.skipIf(process.platform === 'win32')(
    'A3 hung: accepts and never answers; thawed it answers again; a frozen one can be stopped',
    async () => {
      const pbx = await start();
      pbx.freeze();
      expect(await accepts(pbx.ports.sip)).toBe(true);
      expect(await datagram(pbx.ports.sip, sip('OPTIONS', `sip:${fqdn}`), 400)).toBeNull();
      pbx.thaw();
      expect(await datagram(pbx.ports.sip, sip('OPTIONS', `sip:${fqdn}`))).not.toBeNull();
      pbx.freeze();
      await pbx.stop();
      expect(pbx.running).toBe(false);
    },
  );

  it('says in words which port is taken', async () => {
    const server = createServer().listen(0, address);
    await once(server, 'listening');
    const taken = (server.address() as { port: number }).port;
    await expect(start({ webPort: taken })).rejects.toMatchObject({
      code: 'port',
      message: expect.stringContaining(`web (TCP) on ${address} port ${taken}`),
    });
    server.close();
  });

  it('dies with its parent', async () => {
    const script = join(folder, 'parent.ts');
    const source = new URL('../../../src-main/lab/embedded-pbx.ts', import.meta.url);
    const options = JSON.stringify({ address, sipPort: 0, webPort: 0, tunnelPort: 0, fqdn });
    writeFileSync(
      script,
      `const { startEmbeddedPbx } = await import(${JSON.stringify(source.href)});
console.log((await startEmbeddedPbx(${options})).ports.tunnel);`,
    );
    const parent: ChildProcess = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
    const port = Number(line.toString());
    expect(await accepts(port)).toBe(true);
    parent.kill('SIGKILL');
    await until('the PBX is gone', async () => !(await accepts(port)));
  });
});

describe.skipIf(process.platform === 'win32')('as a script (the lab’s start-services)', () => {
  const pidfile = join(folder, 'pbx.pid');
  const call = (...argv: string[]): string =>
    execFileSync(process.execPath, [embeddedPbxScript(), ...argv], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  it('goes to the background when it answers, says so again when repeated, and is stopped by its pidfile', async () => {
    const certificate = await makeCertificate(fqdn);
    const pem = join(folder, 'pbx.pem');
    writeFileSync(pem, certificate.key + certificate.cert);
    const free = await start();
    const { sip: port } = free.ports;
    await free.stop();
    const argv = [
      '--address',
      address,
      '--fqdn',
      fqdn,
      '--sip',
      `${port}`,
      '--cert-file',
      pem,
      '--daemon-pidfile',
      pidfile,
    ];
    try {
      expect(call(...argv, '--owner-pid', `${process.pid}`)).toContain(`answers on ${address}`);
      expect(await datagram(port, sip('OPTIONS', `sip:${fqdn}`))).not.toBeNull();
      const pid = readFileSync(pidfile, 'utf8');
      expect(call(...argv)).toContain('runs already');
      expect(readFileSync(pidfile, 'utf8')).toBe(pid);
    } finally {
      call('--stop', '--daemon-pidfile', pidfile);
    }
    expect(await accepts(port)).toBe(false);
    expect(existsSync(pidfile)).toBe(false);
    expect(call('--stop', '--daemon-pidfile', pidfile)).toContain('does not run');
  });

  it('ends when its owner is gone', async () => {
    const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    call('--address', address, '--daemon-pidfile', pidfile, '--owner-pid', `${owner.pid}`);
    owner.kill('SIGKILL');
    await until('the PBX is gone', () => !existsSync(pidfile));
  });

  it('exits 2 for wrong use and 1 for a taken port', async () => {
    expect(() => call('--sip', 'x')).toThrow(expect.objectContaining({ status: 2 }));
    expect(() => call('--nonsense')).toThrow(expect.objectContaining({ status: 2 }));
    const pbx = await start();
    expect(() => call('--address', address, '--sip', `${pbx.ports.sip}`, '--daemon-pidfile', pidfile)).toThrow(
      expect.objectContaining({ status: 1, stderr: expect.stringContaining('cannot open SIP') }),
    );
  });
});
