/** `estepe serve` and `estepe replay` as their user runs them: a process of its own on a data folder. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEmbeddedPbx } from '../../../src-main/lab/embedded-pbx.ts';
import { documentOf, estepe, type Started, startEstepe, temporaryFolder } from './estepe-process.ts';

vi.setConfig({ testTimeout: 120_000 });

const yaml = (more = '') => `role: passive
lab: true
pair: { name: lab, fqdn: pbx.lab.example, active: 127.0.9.1, passive: 127.0.9.2, profile: generic }
heartbeat:
  interval: 400ms
  confirm: { times: 2, every: 200ms }
  tests: { sip: { port: 45060 } }
  references: [ "tcp:127.0.0.1:9" ]
services: { start: [[ start-nothing ]] }
${more}`;

let folder: ReturnType<typeof temporaryFolder>;
let running: Started[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  running = [];
});
afterEach(async () => {
  for (const one of running) one.signal('SIGKILL');
  await Promise.all(running.map((one) => one.ended));
  folder.remove();
});

const config = () => join(folder.path, 'estepe.yaml');
function serve(...args: string[]): Started {
  const started = startEstepe(['serve', '--data', folder.path, ...args]);
  running.push(started);
  return started;
}

async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = performance.now() + 40_000;
  for (;;) {
    const seen = await look();
    if (seen) return seen as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`not within 40 s: ${what}`);
    await new Promise((next) => setTimeout(next, 50));
  }
}
const ready = (started: Started) => until('the engine to run', () => /Console: |"pid"/.test(started.out()));
const status = async () => documentOf(await estepe('status', '--json', '--data', folder.path));

describe('serve', () => {
  it('runs until SIGTERM: says where, watches, records, ends in order and takes its notice down', async () => {
    writeFileSync(config(), yaml());
    const engine = serve();
    await ready(engine);
    expect(engine.out()).toContain('Estepe watches 127.0.9.1 (pbx.lab.example)');
    const told = await until('an alert that the active was never seen', async () => {
      const { core } = (await status()) as { core: { rule: string; severity: string } };
      return core.rule === 'starting.never-seen' && core;
    });
    expect(told).toMatchObject({ phase: 'starting', verdict: 'down', severity: 'alert', seenHealthy: false });
    engine.signal('SIGTERM');
    const ended = await engine.ended;
    expect(ended).toMatchObject({ exit: 0, err: '' });
    expect(ended.out).toContain('Stopped by SIGTERM.');
    // on a pipe the key of the console is not printed
    expect(ended.out).not.toContain('#token=');
    expect(existsSync(join(folder.path, 'engine.json'))).toBe(false);
    expect(readFileSync(join(folder.path, 'logs', 'estepe.log'), 'utf8')).toContain('[starting.never-seen]');
    expect((await estepe('status', '--data', folder.path)).err).toContain('No engine runs on');

    const replayed = await estepe('replay', join(folder.path, 'logs', 'observations.jsonl'), '--json');
    expect(replayed.exit).toBe(0);
    const { steps } = documentOf(replayed) as { steps: { rule: string; phase: string; effects: string[] }[] };
    expect(steps.at(-1)).toMatchObject({ rule: 'starting.never-seen', phase: 'starting' });
    expect(steps.flatMap((step) => step.effects)).toEqual(['tell starting.never-seen']);
  });

  it('--json is one document, printed when it is ready', async () => {
    writeFileSync(config(), yaml());
    const engine = serve('--json');
    await ready(engine);
    const said = JSON.parse(engine.out()) as Record<string, unknown>;
    expect(said).toMatchObject({ dataFolder: folder.path, phase: 'starting' });
    const health = await fetch(`${String(said.console)}healthz`);
    expect(await health.json()).toMatchObject({ ok: true, phase: 'starting' });
    engine.signal('SIGINT');
    const ended = await engine.ended;
    expect(ended.exit).toBe(0);
    expect(JSON.parse(ended.out)).toEqual(said);
  });

  it('after kill -9 it is found where it was, with the key it had: an open page gets back in', async () => {
    writeFileSync(config(), yaml());
    const notice = () => JSON.parse(readFileSync(join(folder.path, 'engine.json'), 'utf8')) as Record<string, unknown>;
    const first = serve();
    await ready(first);
    const { endpoint, token } = notice();
    first.signal('SIGKILL');
    await first.ended;
    await ready(serve());
    expect(notice()).toMatchObject({ endpoint, token });
    const log = readFileSync(join(folder.path, 'logs', 'estepe.log'), 'utf8');
    expect(log).not.toContain(String(token));
  });

  it('frozen: a client says so and ends', async () => {
    writeFileSync(config(), yaml());
    const engine = serve();
    await ready(engine);
    engine.signal('SIGSTOP');
    const ended = await estepe('status', '--data', folder.path);
    expect(ended.exit).toBe(1);
    expect(ended.err).toContain('accepts the connection but has not answered for 15 s');
  });

  it('C4 a second engine on the same folder is refused in words, and the first goes on', async () => {
    writeFileSync(config(), yaml());
    const first = serve();
    await ready(first);
    const second = await serve().ended;
    expect(second.exit).toBe(1);
    expect(second.err).toMatch(/Another engine runs on .* \(process \d+, started .*, console http/);
    expect((await status()).core).toMatchObject({ phase: 'starting' });
  });

  it('no configuration: the console alone, said so; one that is written by hand begins the watch', async () => {
    const first = serve('--json');
    await until('its address', async () => (first.out() === '' ? null : true));
    expect(JSON.parse(first.out())).toMatchObject({ phase: 'first-run', dataFolder: folder.path });
    const told = await estepe('status', '--data', folder.path);
    expect(told.exit).toBe(1);
    expect(told.err).toContain('not set up here yet');
    expect(told.err).toContain(JSON.parse(first.out()).console);
    const second = await serve().ended;
    expect(second.err).toContain('Another engine runs on');
    writeFileSync(config(), yaml());
    await until('the watch', async () => (await status().catch(() => null))?.core);
    expect((await status()).core).toMatchObject({ phase: 'starting' });
  });

  it('a wrong configuration: exit 2, and the folder is free again', async () => {
    writeFileSync(config(), yaml().replace('interval: 400ms', 'interval: soon'));
    const wrong = await serve('--json').ended;
    expect(wrong.exit).toBe(2);
    const { error } = documentOf(wrong) as { error: { code: string; detail: { problems: unknown[] } } };
    expect(error.code).toBe('config');
    expect(error.detail.problems).toEqual([expect.objectContaining({ path: 'heartbeat.interval', line: 5 })]);
    writeFileSync(config(), yaml());
    await ready(serve());
  });

  it('a console port in use: which one and what to do, exit 1, and nothing runs', async () => {
    const taken = await listening();
    const { port } = taken.address() as { port: number };
    writeFileSync(config(), yaml(`console: { port: ${port} }\n`));
    const ended = await serve().ended;
    expect(ended.exit).toBe(1);
    expect(ended.err).toMatch(new RegExp(`port ${port} on 127.0.0.1 is taken.*\nEnd that program`, 's'));
    taken.close();
    await ready(serve());
  });

  it('G7 a wrong change is refused with its line and the old one goes on; the corrected one is used', async () => {
    writeFileSync(config(), yaml());
    await ready(serve());
    writeFileSync(config(), yaml('promotion: { mode: sometimes }\n'));
    const trouble = await until('the refusal', async () => {
      const { troubles } = (await status()) as { troubles: { key: string; sentence: string }[] };
      return troubles.find(({ key }) => key === 'config-refused');
    });
    expect(trouble.sentence).toContain('estepe.yaml:10:20 promotion.mode: `sometimes` is not');
    expect((await status()).pair).toMatchObject({ mode: 'confirm' });
    const shown = documentOf(await estepe('config', 'show', '--json', '--data', folder.path));
    expect(shown).toMatchObject({ ok: false, trouble: expect.stringContaining('promotion.mode') as string });
    writeFileSync(config(), yaml('promotion: { mode: manual }\n'));
    await until('the new one', async () => ((await status()) as { pair: { mode: string } }).pair.mode === 'manual');
    expect((await status()).troubles).toEqual([]);
  });
});

describe('a valid edit that is a slip', () => {
  it('G7 pair.active to a wrong address while the active lives: told, never taken over, in mode automatic too', async () => {
    const pbx = await startEmbeddedPbx({
      ...{ address: '127.0.9.1', fqdn: 'pbx.lab.example', sipPort: 0, webPort: 0, tunnelPort: 0 },
    });
    try {
      const text = yaml('promotion: { mode: automatic }\n').replace('45060', String(pbx.ports.sip));
      writeFileSync(config(), text);
      await ready(serve());
      const phase = async () => ((await status()) as { core: { phase: string } }).core.phase;
      await until('it to watch', async () => (await phase()) === 'watching');
      writeFileSync(config(), text.replace('active: 127.0.9.1', 'active: 127.0.9.77'));
      const told = await until('the alert', async () => {
        const now = (await status()) as { core: { rule: string; failedRounds: number; neededRounds: number } };
        return now.core.rule === 'starting.never-seen' && now.core.failedRounds > now.core.neededRounds + 2
          ? now
          : null;
      });
      expect(told).toMatchObject({ core: { phase: 'starting', severity: 'alert' }, runbook: null });
      writeFileSync(config(), text);
      await until('it to watch again', async () => (await phase()) === 'watching');
    } finally {
      await pbx.stop();
    }
  });

  it('role while running: it goes on as it was and says so; at the next start it is that', async () => {
    writeFileSync(config(), yaml());
    const first = serve();
    await ready(first);
    writeFileSync(config(), yaml().replace('role: passive', 'role: active'));
    const said = await until('the trouble', async () => {
      const now = (await status()) as { troubles: { key: string }[]; tests: { target: string }[] };
      return now.troubles.some(({ key }) => key === 'role-needs-restart') ? now : null;
    });
    expect(said.tests.map(({ target }) => target)).toEqual(['udp 127.0.9.1:45060']);
    first.signal('SIGTERM');
    await first.ended;
    await ready(serve());
    expect(await status()).toMatchObject({ core: { phase: 'serving' }, troubles: [] });
  });
});

describe('replay', () => {
  it('a file that is none: which line, exit 2', async () => {
    const file = join(folder.path, 'x.jsonl');
    writeFileSync(file, 'hello\n');
    const ended = await estepe('replay', file);
    expect(ended).toMatchObject({ exit: 2, out: '' });
    expect(ended.err).toContain('line 1');
    expect((await estepe('replay', join(folder.path, 'none'))).exit).toBe(2);
    expect((await estepe('replay')).exit).toBe(2);
  });
});

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
}
