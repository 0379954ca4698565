/** The command line's frame: exit codes, purity of --json, what it says when it is used wrongly. No engine runs here. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EXAMPLE_YAML } from '../../../src-main/config/example.ts';
import { documentOf, entry, estepe, startEstepe, temporaryFolder } from './estepe-process.ts';

// Each call is a process of its own; a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

const folder = temporaryFolder();
afterAll(() => folder.remove());

const broken = join(folder.path, 'broken.yaml');
writeFileSync(broken, EXAMPLE_YAML.replace('  interval: 30s', '  intervall: 30s'));
const line = EXAMPLE_YAML.split('\n').indexOf('  interval: 30s') + 1;

describe('wrong usage exits 2', () => {
  it.each([
    [['stauts'], /Unknown command 'stauts'\.\nDid you mean status\?/],
    [['status', '--jsno'], /Unknown option '--jsno'/],
    [
      ['promote', '--override', 'referenzes=x'],
      /There is no guard `referenzes`\.\nGuards are seen-healthy, standing-known, proven-down/,
    ],
    [['promote', '--override', 'references'], /not overridden without a reason/],
    [['maintenance', 'on'], /'--for <duration>' not specified/],
    [['maintenance', 'on', '--for', '30'], /`30` is not a duration.*\nAllowed: .*from 1m to 7d/],
    [['maintenance', 'on', '--for', '8d'], /`8d` is not a duration/],
    [['maintenance'], /A word is missing/],
    [['history', '--limit', '0'], /`0` is not a number of rows/],
    [['history', '--severity', 'bad'], /There is no severity `bad`\.\nAllowed: info, warning, alert/],
    [['history', '--kind', 'beats'], /There is no kind of event `beats`\.\nAllowed: decision, beat, order, runbook/],
    [['history', '--since', 'monday'], /`monday` is not a duration\.\nAllowed: /],
    [['history', '--text', 'x'.repeat(201)], /The text has 201 characters\.\nAllowed: 200/],
    [['history', '--beats', 'sip', '--kind', 'order'], /`--kind` is for events\./],
    [['status', 'extra'], /Too many arguments/],
  ])('estepe %j', async (args, said) => {
    const ended = await estepe(...args, '--data', folder.path);
    expect(ended.err).toMatch(said);
    expect(ended.out).toBe('');
    expect(ended.exit).toBe(2);
  });

  it('is one document with --json', async () => {
    const ended = await estepe('stauts', '--json');
    expect(documentOf(ended)).toEqual({
      error: {
        code: 'usage',
        message: "Unknown command 'stauts'.",
        todo: expect.stringContaining('Did you mean status?'),
        detail: {},
      },
    });
    expect(ended.err).toBe('');
    expect(ended.exit).toBe(2);
  });

  it.each([
    ['--help', { help: expect.stringContaining('Usage: estepe') as string }],
    ['--version', { version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string }],
  ])('%s with --json is one document', async (word, document) => {
    const ended = await estepe(word, '--json');
    expect(ended).toMatchObject({ exit: 0, err: '' });
    expect(documentOf(ended)).toEqual(document);
  });

  it('without any word it shows what there is', async () => {
    const ended = await estepe();
    expect(ended.out).toContain('Usage: estepe');
    expect(ended.exit).toBe(2);
  });
});

describe('without an engine', () => {
  it.each([[['status']], [['cancel']], [['history']], [['promote']], [['maintenance', 'off']]])(
    'estepe %j says so and what to do',
    async (args) => {
      const ended = await estepe(...args, '--data', folder.path);
      expect(ended.err).toBe(
        `No engine runs on ${folder.path}.\nStart it with \`estepe serve\`, or name the right folder with --data.\n`,
      );
      expect(ended.exit).toBe(1);
      const document = documentOf(await estepe(...args, '--data', folder.path, '--json'));
      expect(document).toMatchObject({ error: { code: 'no-engine', detail: { dataFolder: folder.path } } });
    },
  );

  it('finds the data folder by ESTEPE_DATA', async () => {
    const ended = await startEstepe(['status'], { ESTEPE_DATA: folder.path }).ended;
    expect(ended.err).toContain(`No engine runs on ${folder.path}.`);
  });
});

describe('config', () => {
  it('G7 a wrong configuration: an unknown key is told with its line and what is allowed', async () => {
    const ended = await estepe('config', 'check', broken);
    expect(ended.err).toContain(`broken.yaml:${line}:`);
    expect(ended.err).toMatch(/intervall.*\binterval\b/);
    expect(ended.exit).toBe(2);
  });

  it('tells the same as data: path, line, what is wrong, what is allowed', async () => {
    const ended = await estepe('config', 'check', broken, '--json');
    const { error } = documentOf(ended) as { error: { code: string; detail: { problems: unknown[] } } };
    expect(error.code).toBe('config');
    expect(error.detail.problems[0]).toMatchObject({
      line,
      wrong: expect.stringContaining('intervall'),
      allowed: expect.any(String),
    });
    expect(ended.exit).toBe(2);
  });

  it('a missing file is a configuration that cannot be used', async () => {
    const ended = await estepe('config', 'check', '--data', join(folder.path, 'nowhere'));
    expect(ended.err).toContain('does not exist');
    expect(ended.exit).toBe(2);
  });

  it('the printed example is valid, and is shown as it stands', async () => {
    const example = await estepe('config', 'example');
    writeFileSync(join(folder.path, 'estepe.yaml'), example.out);
    const checked = await estepe('config', 'check', '--data', folder.path);
    expect(checked.exit).toBe(0);
    expect(checked.out).toContain('can be used');
    expect((await estepe('config', 'show', '--data', folder.path)).out).toBe(example.out);
  });

  it('prints the JSON schema, with and without --json', async () => {
    const [plain, json] = await Promise.all([estepe('config', 'schema'), estepe('config', 'schema', '--json')]);
    expect(documentOf(plain)).toMatchObject({ title: 'estepe.yaml', type: 'object' });
    expect(json.out).toBe(plain.out);
  });
});

describe('the entry', () => {
  it('leaves quietly when its reader does', () => {
    const shown = execFileSync('/bin/sh', ['-c', `"${process.execPath}" "${entry}" config schema | head -n 1`], {
      encoding: 'utf8',
    });
    expect(shown).toBe('{\n');
  });

  it('says in words that this Node is too old, before anything native is loaded', async () => {
    // The same process with the version numbers of Node 20.
    const old = `data:text/javascript,${encodeURIComponent(
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0', napi: '9' } })",
    )}`;
    const ended = await startEstepe(['status'], { NODE_OPTIONS: `--import=${old}` }).ended;
    expect(ended.err).toMatch(
      /^This Node \(20\.19\.0, Node-API 9\) is too old for Estepe\.\nRun it with Node 22\.14 or newer/,
    );
    expect(ended.exit).toBe(1);
  });
});
