/** What the machine refuses: ports, folders, disks, a damaged database. Each is a sentence and an exit code, and nothing is lost. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { type Ended, estepe, startEngine } from './engine-process.ts';
import { decisions, expectNothingLost, expectTakenOver, told } from './evidence.ts';
import { type Later, putUp } from './one-pbx.ts';
import { Site, yamlOf } from './site.ts';

function siteWith(later: Later, more: Record<string, unknown> = {}): Site {
  const site = new Site();
  later(() => site.remove());
  const pair = { active: '127.0.0.8', passive: '127.0.0.9', tests: { sip: { port: 5060 } } };
  site.configure(yamlOf({ ...pair, more }));
  return site;
}

/** Exit 1, this sentence and what to do, nothing on stdout; the same as a document with `--json`. */
async function refusesToStart(folder: string, code: string, sentence: RegExp, mounts?: string): Promise<void> {
  const options = mounts === undefined ? {} : { mounts };
  const [plain, json] = (await Promise.all([
    estepe(['serve', '--data', folder], options),
    estepe(['serve', '--json', '--data', folder], options),
  ])) as [Ended, Ended];
  expect(plain).toMatchObject({ exit: 1, out: '' });
  const [first = '', todo = ''] = plain.err.split('\n');
  expect(first).toMatch(sentence);
  expect(todo).toMatch(/^[A-Z].*\.$/);
  expect(json.exit).toBe(1);
  expect(JSON.parse(json.out)).toMatchObject({ error: { code, message: first } });
}

describeWithPeers('bad input at the start', ['mounts'], () => {
  it.concurrent('the port of the console is in use: said with the port; free again: it starts', async ({
    onTestFinished: later,
  }) => {
    const other = createServer();
    await new Promise<void>((ready) => other.listen(0, '127.0.0.1', ready));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const site = siteWith(later, { console: { port } });
    const ended = await estepe(['serve', '--data', site.folder]);
    expect(ended).toMatchObject({ exit: 1, out: '' });
    expect(ended.err).toContain(String(port));
    const json = await estepe(['serve', '--json', '--data', site.folder]);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'port' } });
    expect(site.has('engine.json')).toBe(false);
    await new Promise<void>((closed) => other.close(() => closed()));
    const engine = await startEngine(site);
    later(() => engine.stop());
    const shown = await engine.cli('status', '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ console: `http://127.0.0.1:${port}/` });
  });

  it.concurrent('the data folder is a file', async ({ onTestFinished: later }) => {
    const site = siteWith(later);
    await refusesToStart(
      site.path('estepe.yaml'),
      'data-folder',
      /^The data folder .*estepe\.yaml cannot be used: it is not a folder\.$/,
    );
  });

  it.concurrent('the data folder is mounted read-only', async ({ onTestFinished: later }) => {
    const site = siteWith(later);
    const mounts = `mount --bind ${site.folder} ${site.folder}\nmount -o remount,bind,ro ${site.folder}`;
    const names = readdirSync(site.folder);
    await refusesToStart(site.folder, 'data-folder', /^The data folder .* cannot be used: it is read-only\.$/, mounts);
    expect(readdirSync(site.folder)).toEqual(names);
  });

  it.concurrent('the disk of the data folder is full', async ({ onTestFinished: later }) => {
    const site = siteWith(later);
    const mounts = `mount -t tmpfs -o size=64k none ${site.folder}\nhead -c 1000000 /dev/zero >${site.path('fill')} 2>/dev/null || true`;
    await refusesToStart(site.folder, 'data-folder', /^The data folder .* cannot be used: the disk is full\.$/, mounts);
  });
});

describeWithPeers('bad input while it runs', ['kamailio', 'mounts'], () => {
  it.concurrent('the disk fills up before a takeover: halted before anything was done; room again: active, nothing lost', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, site, pbx } = await putUp(later, {}, (data) => ({
      mounts: `cp -a ${data} ${data}.kept\nmount -t tmpfs -o size=3m none ${data}\ncp -a ${data}.kept/. ${data}\nrm -r ${data}.kept`,
    }));
    const fill = `/proc/${engine.pid}/root${site.path('fill')}`;
    const { blocks, bsize } = statfsSync(dirname(fill));
    // else it would be the machine's own disk that is filled
    expect(blocks * bsize).toBe(3 * 1024 * 1024);
    const fd = openSync(fill, 'w');
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096, 1));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      closeSync(fd);
    }
    await active.kill();
    const { core, troubles } = await engine.phase('halted');
    expect(core.reason).toMatch(/it cannot be journaled \(.*the disk is full.*\); nothing was done/);
    expect(troubles.map(({ sentence }) => sentence).join(' ')).toContain('the disk is full');
    expect(pbx.pids()).toEqual([]);
    rmSync(fill);
    expect(await engine.promote({ reason: 'there is room again' })).toMatchObject({ accepted: true });
    const events = await expectTakenOver(engine, {
      rule: 'suspecting.down-automatic',
      reason: /3 of 3 rounds in a row failed/,
      told: ['halted.0', 'promoted'],
    });
    expect(decisions(events, 'promoting.halted')).toHaveLength(1);
    await engine.until('no trouble to be left', (snapshot) => snapshot.troubles.length === 0);
  });
});

describeWithPeers('a damaged database at the start', ['kamailio'], () => {
  const aside = (site: Site): string[] =>
    readdirSync(site.folder).filter((name) => /^estepe\.db\.damaged-\d{8}T\d{6}Z$/.test(name));

  it.concurrent('its history is damaged: set aside and said; that this node is active, and under which epoch, is saved', async ({
    onTestFinished: later,
  }) => {
    const { engine, active, site } = await putUp(later);
    await active.kill();
    await engine.phase('active');
    await engine.kill();
    const db = new Database(site.path('estepe.db'));
    db.pragma('wal_checkpoint(TRUNCATE)');
    const size = Number(db.pragma('page_size', { simple: true }));
    const root = Number(db.prepare(`SELECT rootpage FROM sqlite_master WHERE name = 'event'`).pluck().get());
    db.close();
    const file = openSync(site.path('estepe.db'), 'r+');
    writeSync(file, Buffer.alloc(size, 0xa5), 0, size, (root - 1) * size);
    closeSync(file);
    const damaged = readFileSync(site.path('estepe.db'));

    const second = await startEngine(site);
    later(() => second.stop());
    const { core, nodes, troubles } = await second.snapshot();
    expect(core.phase).toBe('active');
    expect(nodes.find(({ self }) => self)).toMatchObject({ role: 'active', epoch: 1 });
    const [trouble] = troubles;
    expect(trouble?.sentence).toContain('the standing (active, epoch 1)');
    const [name = '', ...more] = aside(site);
    expect(more).toEqual([]);
    expect(trouble?.sentence).toContain(name);
    expect(readFileSync(site.path(name))).toEqual(damaged);
    const events = await second.events();
    expectNothingLost(events);
    expect(events[0]).toMatchObject({ rule: 'history-set-aside', severity: 'alert' });
    expect(told(events)).toEqual([]);
  });

  it.concurrent('it is no database at all: set aside byte for byte, begun anew, and what is lost is said', async ({
    onTestFinished: later,
  }) => {
    const { engine, site } = await putUp(later);
    await engine.stop();
    const garbage = Buffer.from('no database\n'.repeat(1000));
    writeFileSync(site.path('estepe.db'), garbage);
    const second = await startEngine(site);
    later(() => second.stop());
    await second.phase('watching');
    const { nodes, troubles } = await second.snapshot();
    expect(nodes.find(({ self }) => self)).toMatchObject({ role: 'passive', epoch: 0 });
    expect(troubles.map(({ key }) => key)).toContain('standing-lost');
    const notice = troubles.find(({ key }) => key === 'history-set-aside');
    expect(notice?.sentence).toContain('the standing (role and epoch)');
    const [name = ''] = aside(site);
    expect(readFileSync(site.path(name))).toEqual(garbage);
    expect(statSync(site.path('estepe.db')).size).toBeGreaterThan(0);
  });
});
