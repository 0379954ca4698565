/** A notice on the desktop: the real child process, over a `notify-send` of the test's own on PATH, or none. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Desktop } from '../../../src-main/notify/desktop.ts';
import { RealProc } from '../../../src-main/runbook/real-proc.ts';
import { desktopPrograms, startDesktopSession } from '../fixtures/desktop-session.ts';
import { newFolder } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { until } from '../fixtures/until.ts';
import { letterOf, text, whole } from './letter.ts';

let folder: string;
beforeEach(() => {
  folder = newFolder('desktop');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @param body of a notify-send in place of the machine's; null: there is none */
function desktop(body: string | null): Desktop {
  if (body !== null) {
    writeFileSync(join(folder, 'notify-send'), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, 'notify-send'), 0o755);
  }
  for (const name of ['sh', 'sleep', 'touch', 'id']) {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec /bin/${name} "$@"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const proc = new RealProc({ environment: { PATH: folder, HOME: folder }, graceMs: 200 });
  return new Desktop({
    ...{ proc, folder, platform: 'linux', random: { hex: () => 'abcd1234' } },
    environment: { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere', SOME_SECRET: 'not for others' },
  });
}

it('hands title and text over as they are, and nothing of the engine but the way to the desktop', async () => {
  const end = await desktop(`printf '%s\\0' "$@" > ${folder}/said; /usr/bin/env > ${folder}/env`).send(
    letterOf(),
    whole(),
  );
  expect(end).toEqual({ how: 'sent', said: 'the desktop took it' });
  const [title, body] = readFileSync(join(folder, 'said'), 'utf8').split('\0');
  expect(title).toBe('[Estepe head-office] ALERT: The other node is down (sip: no answer within 4 s).');
  // read as markup by the desktop, and by no shell on the way
  expect(body).toBe(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;'));
  expect(existsSync(join(folder, 'was-run'))).toBe(false);
  const env = readFileSync(join(folder, 'env'), 'utf8');
  expect(env).toContain('unix:path=/nowhere');
  expect(env).not.toContain('not for others');
});

it('a machine without notify-send says so in words, and what to do', async () => {
  expect(await desktop(null).send(letterOf(), whole())).toEqual({
    ...{ how: 'failed', fault: 'person', said: 'notify-send is not installed on this machine' },
    todo: 'install it (Debian: libnotify-bin), or take `notify.desktop` out',
  });
});

it('where no desktop can be reached, its own words are told, and never the message again', async () => {
  const end = await desktop('echo "Cannot autolaunch D-Bus without X11 \\$DISPLAY" >&2; exit 1').send(
    letterOf(),
    whole(),
  );
  expect(end).toMatchObject({
    ...{ how: 'failed', fault: 'person' },
    said: 'the desktop did not take it: Cannot autolaunch D-Bus without X11 $DISPLAY',
    todo: expect.stringContaining('in the session of a person'),
  });
});

it('one that hangs is ended with all it started, when it is not waited for any more', async () => {
  const control = new AbortController();
  const sending = desktop(`echo $$ > ${folder}/pid; exec sleep 600`).send(letterOf(), {
    signal: control.signal,
  });
  const pid = await until(
    'it hangs',
    () => existsSync(join(folder, 'pid')) && Number(readFileSync(join(folder, 'pid'), 'utf8')),
  );
  control.abort();
  expect(await sending).toMatchObject({ how: 'failed', fault: 'passing' });
  await until('it is gone', () => !existsSync(`/proc/${pid}/exe`));
});

it('another program that ends well in place of ours is no notice', async () => {
  const proc = {
    run: async () => ({ end: { how: 'exit', code: 0 } as const, ms: 1, output: 'It runs already.' }),
    endLeftovers: async () => 0,
  };
  const random = { hex: () => 'abcd1234' };
  const channel = new Desktop({ proc, folder, platform: 'win32', random, environment: {} });
  expect(await channel.send(letterOf(), whole())).toMatchObject({
    how: 'failed',
    said: expect.stringContaining('It runs already.'),
  });
});

describeWithPeers('on a real desktop', desktopPrograms, () => {
  it('the notice is shown as it was written; once the desktop is gone, that is said', async () => {
    const session = await startDesktopSession();
    const channel = new Desktop({
      ...{ proc: new RealProc(), folder, platform: 'linux', random: { hex: () => 'abcd1234' } },
      environment: session.environment,
    });
    try {
      expect(await channel.send(letterOf(), whole())).toEqual({ how: 'sent', said: 'the desktop took it' });
      const [notice] = await until('dunst has it', () => {
        const all = session.notices();
        return all.length > 0 && all;
      });
      expect(notice?.summary).toBe('[Estepe head-office] ALERT: The other node is down (sip: no answer within 4 s).');
      // a desktop that reads markup shows the letters that were written
      const shown = notice?.body
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&amp;', '&');
      expect(shown).toBe(text);
    } finally {
      await session.stop();
    }
    expect(await channel.send(letterOf(), whole())).toMatchObject({ how: 'failed', fault: 'person' });
  });
});
