/** F4, G7: the configuration is old or new and never half, and a wrong one never runs. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src-main/config/load.ts';
import type { EventView } from '../../../src-main/contract/snapshot.ts';
import { newFolder, startPeer } from '../fixtures/peer-process.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';
import { estepe, startEngine } from './engine-process.ts';
import { expectNothingLost, told } from './evidence.ts';
import { type Later, putUp } from './one-pbx.ts';
import { Site, yamlOf } from './site.ts';

const writer = fileURLToPath(new URL('./config-writer.ts', import.meta.url));

/** Two valid texts of very different length, so that half of one is no other. */
function texts(later: Later) {
  const folder = newFolder('texts');
  later(() => rmSync(folder, { recursive: true, force: true }));
  const pair = { active: '127.0.0.8', passive: '127.0.0.9', tests: { sip: { port: 5060 } } };
  const old = yamlOf(pair);
  const fresh = `${'# a comment that makes it long\n'.repeat(400)}${yamlOf({ ...pair, heartbeat: { interval: '700ms' } })}`;
  const files = [join(folder, 'old.yaml'), join(folder, 'new.yaml')] as const;
  writeFileSync(files[0], old);
  writeFileSync(files[1], fresh);
  return { old, fresh, files };
}

const temporary = (site: Site): string[] =>
  readdirSync(site.folder).filter((name) => name.startsWith('.estepe.yaml.') && name.endsWith('.tmp'));

describe('F4 power lost while the configuration is written', () => {
  /** Dies at that point; answers the points it passed. */
  function writeOnce(site: Site, point: string, files: readonly [string, string]): Promise<string[]> {
    const child = spawn(process.execPath, [writer, site.folder, point, ...files], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    return new Promise((resolve) => child.once('close', () => resolve(out.split('\n').filter(Boolean))));
  }

  it('F4 killed at every call of a write: old or new, never half, and nothing is left behind', async ({
    onTestFinished: later,
  }) => {
    const { old, fresh, files } = texts(later);
    const newSite = (): Site => {
      const site = new Site();
      later(() => site.remove());
      site.configure(old);
      return site;
    };
    const whole = await writeOnce(newSite(), 'none', files);
    expect(whole.filter((point) => point.startsWith('before'))).toEqual([
      'before openSync 1',
      'before writeSync 1',
      ...(process.getuid?.() === 0 ? ['before fchownSync 1'] : []),
      'before fsyncSync 1',
      'before closeSync 1',
      'before renameSync 1',
      'before openSync 2',
      'before fsyncSync 2',
      'before closeSync 2',
    ]);
    const points = [...whole, 'half writeSync 1'];
    const published = whole.indexOf('after renameSync 1');
    const dieAt = async (point: string): Promise<void> => {
      const site = newSite();
      const passed = await writeOnce(site, point, files);
      expect(passed.at(-1)).toBe(point);
      const found = readFileSync(site.path('estepe.yaml'), 'utf8') === fresh ? 'new' : 'old';
      expect(`${point}: ${found}`).toBe(`${point}: ${whole.indexOf(point) >= published ? 'new' : 'old'}`);
      expect(readFileSync(site.path('estepe.yaml'), 'utf8')).toBe(found === 'new' ? fresh : old);
      expect(loadConfig(site.folder).config.heartbeat.interval).toBe(found === 'new' ? 700 : 500);
      expect(temporary(site)).toEqual([]);
    };
    const waiting = [...points];
    const worker = async (): Promise<void> => {
      for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) await dieAt(point);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  });
});

const configEvents = (events: readonly EventView[]): EventView[] => events.filter(({ kind }) => kind === 'config');

describeWithPeers('a configuration that changes under the engine', ['kamailio'], () => {
  it.concurrent('F4 written over and over and killed: the running engine never sees half a file', async ({
    onTestFinished: later,
  }) => {
    const { engine, site } = await putUp(later);
    const { text } = await engine.config();
    const folder = newFolder('forever');
    const other = `${'# another comment\n'.repeat(900)}${text.replace('interval: 500ms', 'interval: 600ms')}`;
    const files = [join(folder, 'a.yaml'), join(folder, 'b.yaml')] as const;
    later(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(files[0], text);
    writeFileSync(files[1], other);
    for (let n = 1; n <= 6; n += 1) {
      const peer = await startPeer({
        argv: [process.execPath, writer, site.folder, 'forever', ...files],
        folder: newFolder('writer'),
        ready: (started) => started.output().split('\n').length > 10 * n,
      });
      await peer.kill();
      await peer.stop();
      expect([text, other]).toContain(readFileSync(site.path('estepe.yaml'), 'utf8'));
    }
    const intervalMs = readFileSync(site.path('estepe.yaml'), 'utf8') === other ? 600 : 500;
    await engine.until('the last one to be used', ({ pair }) => pair.intervalMs === intervalMs);
    await engine.rounds(2);
    const events = await engine.events();
    expectNothingLost(events);
    expect(configEvents(events).filter(({ rule }) => rule === 'config.refused')).toEqual([]);
    const snapshot = await engine.snapshot();
    expect(snapshot.core.phase).toBe('watching');
    expect(snapshot.troubles).toEqual([]);
  });

  it.concurrent('G7 a wrong configuration: line and what is allowed are said, the old one goes on; corrected: used', async ({
    onTestFinished: later,
  }) => {
    const { engine, site } = await putUp(later);
    const { text } = await engine.config();
    const line = text.split('\n').findIndex((one) => one.includes('mode: automatic')) + 1;
    site.configure(text.replace('mode: automatic', 'mode: automatisch'));
    const { troubles, pair } = await engine.until('it to be refused', (s) => s.troubles.length > 0);
    expect(pair.mode).toBe('automatic');
    const said = `estepe.yaml:${line}:9 promotion.mode: \`automatisch\` is not known here; did you mean \`automatic\`? Allowed: automatic, confirm or manual.`;
    expect(troubles).toMatchObject([{ key: 'config-refused' }]);
    expect(troubles[0]?.sentence).toContain(said);
    await engine.rounds(2);
    const checked = await engine.cli('config', 'check');
    expect(checked.exit).toBe(2);
    expect(checked.err + checked.out).toContain(said);
    expect((await engine.config()).text).toBe(text);

    site.configure(text.replace('mode: automatic', 'mode: manual'));
    await engine.until('the corrected one to be used', (s) => s.pair.mode === 'manual');
    await engine.until('the trouble to be gone', (s) => s.troubles.length === 0);
    const events = await engine.events();
    expectNothingLost(events);
    expect(configEvents(events).map(({ rule, severity }) => `${rule} ${severity}`)).toEqual([
      'config.refused warning',
      'config.accepted info',
    ]);
    expect(configEvents(events)[0]?.reason).toContain(said);
    expect(told(events)).toEqual([]);
    expect((await engine.snapshot()).core.phase).toBe('watching');
  });

  it.concurrent('G7 a wrong configuration at the start: 2, every line is named, nothing is left running', async ({
    onTestFinished: later,
  }) => {
    const site = new Site();
    later(() => site.remove());
    const text = yamlOf({ active: '127.0.0.8', passive: '127.0.0.9', tests: { sip: { port: 5060 } } });
    site.configure(text.replace('port: 5060', 'port: 70000').replace('interval: 500ms', 'intervall: 500ms'));
    const ended = await estepe(['serve', '--data', site.folder]);
    expect(ended.exit).toBe(2);
    expect(ended.out).toBe('');
    expect(ended.err).toMatch(/^The configuration cannot be used:\n/);
    expect(ended.err).toMatch(/estepe\.yaml:10:3 heartbeat\.intervall: .*`intervall` .*interval/);
    expect(ended.err).toMatch(
      /estepe\.yaml:\d+:\d+ heartbeat\.tests\.sip\.port: `70000` .*Allowed: a whole number from 1 to 65535\./,
    );
    const json = await estepe(['serve', '--json', '--data', site.folder]);
    expect(json.exit).toBe(2);
    expect(JSON.parse(json.out)).toMatchObject({ error: { code: 'config' } });
    expect(site.has('engine.json')).toBe(false);

    site.configure(text);
    const engine = await startEngine(site);
    later(() => engine.stop());
    expect((await engine.snapshot()).core.phase).toBe('starting');
  });
});
