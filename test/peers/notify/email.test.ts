/** E-mail against a real SMTP server: STARTTLS, TLS, login, and every way in which it can refuse or hang. */
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { RealClock } from '../../../src-main/heartbeat/real-clock.ts';
import { attempt } from '../../../src-main/notify/attempt.ts';
import { Email } from '../../../src-main/notify/email.ts';
import { type Certificates, makeCertificates } from '../fixtures/certificates.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { letterOf, text, whole } from './letter.ts';

const password = 's3cret of the test';
interface Mail {
  from: string;
  to: string[];
  data: string;
  secure: boolean;
  user: string;
}

/** Whether a connection to that port stands, and nobody has begun to close it; the server itself may not look. */
const connectedTo = (port: number): boolean => {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(([, , remote = '', state]) => remote.endsWith(`:${hex}`) && state === '01');
};

const refusing = (code: number, words: string): Error => Object.assign(new Error(words), { responseCode: code });

describeWithPeers('e-mail', ['openssl'], () => {
  let certificates: Certificates;
  const mails: Mail[] = [];
  const running: SMTPServer[] = [];
  const tried: string[] = [];
  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates.remove());
  afterEach(async () => {
    mails.length = 0;
    tried.length = 0;
    for (const one of running.splice(0)) await new Promise<void>((go) => one.close(() => go()));
  });

  async function server(more: SMTPServerOptions = {}): Promise<SMTPServer> {
    const { key, cert } = certificates.good;
    const smtp = new SMTPServer({
      ...{ key: readFileSync(key), cert: readFileSync(cert), closeTimeout: 100, disableReverseLookup: true },
      onAuth: ({ username, password: written }, _session, done) => {
        const given = written ?? '';
        tried.push(given);
        if (username === 'pbx' && given === password) return done(null, { user: username });
        done(refusing(535, `authentication failed for ${given}`));
      },
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith('nobody')) return done(refusing(550, 'no such user here'));
        if (address.startsWith('grey')) return done(refusing(451, 'greylisted, come back'));
        done();
      },
      onData: (stream, session, done) => {
        let data = '';
        stream.on('data', (piece: Buffer) => {
          data += piece.toString();
        });
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          const from = mailFrom === false ? '' : mailFrom.address;
          mails.push({
            from,
            to: rcptTo.map(({ address }) => address),
            data,
            secure: session.secure,
            user: String(session.user),
          });
          done(null, 'queued as 4711');
        });
      },
      ...more,
    });
    smtp.on('error', () => {});
    running.push(smtp);
    await new Promise<void>((go) => smtp.listen(0, '127.0.0.1', go));
    return smtp;
  }

  const portOf = (smtp: SMTPServer): number => (smtp.server.address() as AddressInfo).port;
  const email = (smtp: SMTPServer, more: Partial<ConstructorParameters<typeof Email>[0]> = {}) =>
    new Email({
      ...{ host: '127.0.0.1', port: portOf(smtp), security: 'starttls', user: 'pbx', password: () => password },
      ...{ from: 'estepe@example.com', to: ['admin@example.com', 'second@example.com'], timeoutMs: 10_000 },
      ca: certificates.ca,
      ...more,
    });

  it.each(['starttls', 'tls'] as const)('over %s, logged in: sent once the server has said so', async (security) => {
    const smtp = await server({ secure: security === 'tls' });
    const end = await email(smtp, { security }).send(letterOf(), whole());
    expect(end).toEqual({ how: 'sent', said: `127.0.0.1:${portOf(smtp)} took it: 250 queued as 4711` });
    const [mail] = mails;
    expect(mail).toMatchObject({
      ...{ from: 'estepe@example.com', to: ['admin@example.com', 'second@example.com'], secure: true, user: 'pbx' },
    });
    expect(mail?.data).toContain('Message-ID: <a1b2c3@example.com>');
    expect(mail?.data).toContain('Auto-Submitted: auto-generated');
    expect(mail?.data).toMatch(/Subject: \[Estepe head-office\] ALERT: The other node is down/);
    // quoted-printable: soft line breaks taken out
    expect(mail?.data.replaceAll('=\r\n', '')).toContain(text.slice(0, 60));
  });

  it('without a user, unencrypted where it is so written: no password goes anywhere', async () => {
    const smtp = await server({ authOptional: true, disabledCommands: ['STARTTLS'] });
    const end = await email(smtp, { security: 'none', user: null, password: null }).send(letterOf(), whole());
    expect(end.how).toBe('sent');
    expect(tried).toEqual([]);
  });

  it('a server that offers no STARTTLS is not given the password', async () => {
    const smtp = await server({ disabledCommands: ['STARTTLS'] });
    const end = await email(smtp).send(letterOf(), whole());
    expect(end).toMatchObject({
      how: 'failed',
      fault: 'person',
      todo: expect.stringContaining('notify.email.security'),
    });
    expect([tried, mails]).toEqual([[], []]);
  });

  it('a certificate of nobody is not trusted, and not given the password', async () => {
    const { key, cert } = certificates.selfSigned;
    const smtp = await server({ key: readFileSync(key), cert: readFileSync(cert) });
    expect(await email(smtp).send(letterOf(), whole())).toMatchObject({ how: 'failed', fault: 'person' });
    const secure = await server({ secure: true, key: readFileSync(key), cert: readFileSync(cert) });
    expect(await email(secure, { security: 'tls' }).send(letterOf(), whole())).toMatchObject({
      how: 'failed',
      fault: 'person',
    });
    expect(tried).toEqual([]);
  });

  it('a wrong password needs a person', async () => {
    const smtp = await server();
    const end = await email(smtp, { password: () => 'wrong' }).send(letterOf(), whole());
    expect(end).toMatchObject({ how: 'failed', fault: 'person', todo: expect.stringContaining('notify.email.user') });
    expect(end.said).toContain('answered 535 authentication failed');
    expect(mails).toEqual([]);
    const missing = await email(smtp, {
      password: () => {
        throw new Error('The secret smtp does not exist.');
      },
    }).send(letterOf(), whole());
    expect(missing).toMatchObject({ how: 'failed', fault: 'person', said: 'The secret smtp does not exist.' });
  });

  it('one recipient refused: the others have it, it is not called sent, and they get it no second time', async () => {
    const smtp = await server();
    const to = ['admin@example.com', 'nobody@example.com'];
    const first = await email(smtp, { to }).send(letterOf(), whole());
    expect(first).toMatchObject({ how: 'failed', fault: 'person', reached: ['admin@example.com'] });
    expect(first.said).toContain(
      'took it for admin@example.com, and refused nobody@example.com: 550 no such user here',
    );
    const second = await email(smtp, { to }).send(letterOf(), { ...whole(), reached: ['admin@example.com'] });
    expect(second).toMatchObject({ how: 'failed', fault: 'person', said: expect.stringContaining('550 no such user') });
    expect(mails.map((mail) => mail.to)).toEqual([['admin@example.com']]);
    const mended = await email(smtp, { to: ['admin@example.com'] }).send(letterOf(), {
      ...whole(),
      reached: to.slice(0, 1),
    });
    expect(mended.how).toBe('sent');
    expect(mails).toHaveLength(1);
  });

  it('all recipients refused; for now, and for good', async () => {
    const smtp = await server();
    expect(await email(smtp, { to: ['grey@example.com'] }).send(letterOf(), whole())).toMatchObject({
      ...{ how: 'failed', fault: 'passing', said: expect.stringContaining('451 greylisted') },
    });
    expect(await email(smtp, { to: ['nobody@example.com'] }).send(letterOf(), whole())).toMatchObject({
      ...{ how: 'failed', fault: 'person', said: expect.stringContaining('550 no such user here') },
    });
    expect(mails).toEqual([]);
  });

  it.each([
    [452, 'out of room', 'passing'],
    [554, 'this is spam', 'person'],
  ] as const)('%d after the data is no delivery', async (code, words, fault) => {
    const smtp = await server({
      onData: (stream, _session, done) => {
        stream.resume();
        stream.on('end', () => done(refusing(code, words)));
      },
    });
    const end = await email(smtp).send(letterOf(), whole());
    expect(end).toMatchObject({ how: 'failed', fault, said: expect.stringContaining(`${code} ${words}`) });
  });

  it('a server that hangs after the data, or never greets: by its time, unsent, and the connection is closed', async () => {
    const clock = new RealClock();
    for (const hang of [
      { onData: (stream: { resume(): void }) => void stream.resume() },
      { onConnect: () => {} },
    ] satisfies SMTPServerOptions[]) {
      const smtp = await server(hang);
      const sending = attempt(email(smtp), letterOf(), {
        ...{ clock, timeoutMs: 1_000, outer: new AbortController().signal, reached: [] },
      });
      await until('it is connected', () => connectedTo(portOf(smtp)));
      expect(await sending).toMatchObject({ how: 'failed', fault: 'passing', said: 'it did not end within 1 s' });
      await until('it is closed from here', () => !connectedTo(portOf(smtp)));
    }
    clock.close();
  });

  it('a server that drops the connection, and none at all', async () => {
    const smtp = await server({ onConnect: (_session, done) => done(refusing(421, 'too busy')) });
    expect(await email(smtp).send(letterOf(), whole())).toMatchObject({ how: 'failed', fault: 'passing' });
    const cut = await server({
      onData: (stream) => {
        stream.resume();
        stream.on('end', () => {
          for (const one of cut.connections) (one as unknown as { _socket: { destroy(): void } })._socket.destroy();
        });
      },
    });
    expect(await email(cut).send(letterOf(), whole())).toMatchObject({ how: 'failed', fault: 'passing' });
    const away = await email(smtp, { port: 1 }).send(letterOf(), whole());
    expect(away).toMatchObject({ how: 'failed', fault: 'passing', said: expect.stringContaining('ECONNREFUSED') });
  });
});
