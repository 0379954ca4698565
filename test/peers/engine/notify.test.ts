/** People are told by a real engine: a takeover once by webhook and e-mail, over a kill -9 at least once, and never with a secret. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';
import { expect, it } from 'vitest';
import { signatureOf } from '../../../src-main/notify/webhook.ts';
import { makeCertificates } from '../fixtures/certificates.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { startEngine } from './engine-process.ts';
import { type Later, putUp, type StageWish } from './one-pbx.ts';

const planted = { hook: 'planted-webhook-secret', smtp: 'planted-smtp-password' };

interface Post {
  id: string;
  keys: string[];
  genuine: boolean;
}

/** Takes what is posted and answers `status`; `hold` keeps the answers back. */
async function receiver(later: Later) {
  const posts: Post[] = [];
  const held: ServerResponse[] = [];
  const state = { hold: false, status: 204 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => {
      body += piece.toString();
    });
    request.on('end', () => {
      const { headers } = request;
      const own = signatureOf(planted.hook, String(headers['estepe-timestamp']), body);
      const { messages } = JSON.parse(body) as { messages: { key: string }[] };
      posts.push({
        ...{ id: String(headers['estepe-delivery']), keys: messages.map(({ key }) => key) },
        genuine: headers['estepe-signature'] === own,
      });
      if (state.hold) held.push(response);
      else response.writeHead(state.status).end();
    });
  });
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go));
  later(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { posts, state, url: `http://127.0.0.1:${port}/hook`, keys: () => posts.flatMap(({ keys }) => keys) };
}

async function mailbox(later: Later, pem: { key: string; cert: string }) {
  const mails: string[] = [];
  const smtp = new SMTPServer({
    ...{ key: readFileSync(pem.key), cert: readFileSync(pem.cert), closeTimeout: 100, disableReverseLookup: true },
    onAuth: ({ username, password }, _session, done) =>
      username === 'pbx' && password === planted.smtp
        ? done(null, { user: username })
        : done(Object.assign(new Error(`wrong: ${password}`), { responseCode: 535 })),
    onData: (stream, _session, done) => {
      let data = '';
      stream.on('data', (piece: Buffer) => {
        data += piece.toString();
      });
      stream.on('end', () => {
        mails.push(data);
        done(null, 'queued');
      });
    },
  });
  await new Promise<void>((go) => smtp.listen(0, '127.0.0.1', go));
  later(() => new Promise<void>((go) => smtp.close(() => go())));
  return { mails, port: (smtp.server.address() as AddressInfo).port };
}

/** Every file of the data folder but the secrets themselves. */
function textsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('secrets'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

describeWithPeers('people are told', ['kamailio', 'openssl'], () => {
  async function stage(later: Later, notify: object, wish: StageWish = {}, env: Record<string, string> = {}) {
    const put = await putUp(later, { ...wish, more: { notify } }, { env });
    // read when something is sent
    for (const [name, secret] of Object.entries(planted)) put.site.secret(name, secret);
    return put;
  }

  it('a takeover is told once by each channel, tests go through, and no secret is found anywhere', async ({
    onTestFinished: later,
  }) => {
    const hook = await receiver(later);
    const certificates = makeCertificates();
    later(() => certificates.remove());
    const box = await mailbox(later, certificates.good);
    const notify = {
      email: {
        ...{ host: '127.0.0.1', port: box.port, user: 'pbx', password: 'smtp', least: 'alert' },
        ...{ from: 'estepe@example.com', to: ['admin@example.com'] },
      },
      webhook: { url: hook.url, secret: 'hook' },
    };
    const env = { NODE_EXTRA_CA_CERTS: join(certificates.folder, 'ca.pem') };
    const { engine, active, site } = await stage(later, notify, {}, env);
    await active.kill();
    await engine.phase('active');
    await until('both are told', () => hook.keys().includes('promoted') && box.mails.length > 0);
    const list = await engine.cli('notify', 'list', '--json');
    const { channels, deliveries } = JSON.parse(list.out) as { channels: object[]; deliveries: { key: string }[] };
    expect(channels).toMatchObject([
      { name: 'email', failing: false, waiting: 0, lastSentAt: expect.any(Number) as number },
      { name: 'webhook', failing: false, waiting: 0 },
    ]);
    expect(deliveries.filter(({ key }) => key === 'promoted')).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(hook.posts.every(({ genuine }) => genuine)).toBe(true);
    expect(hook.keys().filter((key) => key === 'promoted')).toHaveLength(1);
    expect(box.mails.filter((mail) => /Subject: .*ALERT: This node is active now/.test(mail))).toHaveLength(1);

    const tested = await engine.cli('notify', 'test', '--json');
    expect(tested.exit).toBe(0);
    expect(JSON.parse(tested.out)).toMatchObject({ results: [{ channel: 'email', sent: true }, { sent: true }] });
    expect(hook.keys().at(-1)).toBe('notify.test');

    // mended while it runs: a wrong password is said without being repeated, and the right one is used at once
    site.secret('smtp', 'planted-wrong-password');
    const refused = await engine.cli('notify', 'test', 'email');
    expect(refused.exit).toBe(1);
    expect(refused.out).toContain('535 wrong: [secret]');
    site.secret('smtp', planted.smtp);
    expect((await engine.cli('notify', 'test', 'email')).exit).toBe(0);

    const shown = JSON.stringify([await engine.snapshot(), await engine.events(), list, tested, refused]);
    await engine.stop();
    for (const secret of [...Object.values(planted), 'planted-wrong-password'])
      expect(`${shown}${textsOf(site.folder)}`).not.toContain(secret);
  });

  it('F1 kill -9 while the other end has it and has not answered: sent again, under the same id, and told as sent', async ({
    onTestFinished: later,
  }) => {
    const hook = await receiver(later);
    hook.state.hold = true;
    const { engine, active, site } = await stage(later, { webhook: { url: hook.url, secret: 'hook' } });
    await active.kill();
    await until('it is posted', () => hook.posts.length > 0);
    const [first] = hook.posts;
    await engine.kill();
    const posted = hook.posts.length;
    hook.state.hold = false;
    const second = await startEngine(site);
    later(() => second.stop());
    await until('it is posted again', () => hook.posts.slice(posted).some(({ id }) => id === first?.id));
    await second.until('nothing waits', ({ notify }) => notify.channels.every(({ waiting }) => waiting === 0));
    const { deliveries } = JSON.parse((await second.cli('notify', 'list', '--json')).out) as { deliveries: object[] };
    expect(deliveries.at(-1)).toMatchObject({
      state: 'sent',
      attempts: 2,
      said: expect.stringContaining('204') as string,
    });
  });

  it('a channel that hangs holds nothing: the takeover goes on, and the trouble is shown', async ({
    onTestFinished: later,
  }) => {
    const hook = await receiver(later);
    hook.state.hold = true;
    const { engine, active } = await stage(later, { webhook: { url: hook.url, secret: 'hook', timeout: '1s' } });
    await active.kill();
    await engine.phase('active');
    // ended by its time; at the next attempt the other end refuses, which needs a person
    await engine.until('it has failed', ({ notify }) => notify.channels.every(({ failing }) => failing));
    hook.state.hold = false;
    hook.state.status = 401;
    await engine.until('the trouble is shown', ({ troubles }) => troubles.some(({ key }) => key === 'notify.webhook'));
    hook.state.status = 204;
    expect((await engine.cli('notify', 'test', 'webhook')).exit).toBe(0);
    await engine.until('what waited follows, and the trouble is over', ({ notify, troubles }) => {
      const over = !troubles.some(({ key }) => key === 'notify.webhook');
      return over && notify.channels.every(({ waiting }) => waiting === 0);
    });
    expect(hook.keys().filter((key) => key === 'promoted').length).toBeGreaterThanOrEqual(1);
  });
});
