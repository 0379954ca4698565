/** D2, D3: archives that must be refused, made with tools that are not ours; each with its word. */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ArchiveError } from '../../../src-main/backup/archive/faults.ts';
import { Bench, python } from '../../unit/backup/workbench.ts';
import { describeWithPeers } from '../fixtures/require-peer.ts';

let bench: Bench;
let good: string;
beforeAll(async () => {
  bench = new Bench();
  bench.make('pbx', 'voice');
  writeFileSync(bench.at('pbx', 'sip.conf'), '[general]\nport=5060\n'.repeat(50));
  writeFileSync(bench.at('pbx', 'voice', 'hello.wav'), Buffer.alloc(20_000, 'tone'));
  good = (await bench.archive('good.zip', [bench.at('pbx')])).file;
});
afterAll(() => bench[Symbol.dispose]());

let made = 0;
const copy = (bytes: Buffer): string => {
  made += 1;
  const file = bench.at(`copy-${made}.zip`);
  writeFileSync(file, bytes);
  return file;
};

/** A line of Python that reads the good archive into `all` (name, info, bytes), then lets `change` work on it. */
function remade(change: string): string {
  made += 1;
  const file = bench.at(`remade-${made}.zip`);
  python(
    `
import json, sys, zipfile, stat, hashlib, warnings
warnings.simplefilter('ignore')
source = zipfile.ZipFile(sys.argv[1])
all = [(i, source.read(i)) for i in source.infolist()]
manifest = json.loads(all[0][1])
def add(name, data=b'x', mode=0o100644):
    info = zipfile.ZipInfo(name); info.external_attr = mode << 16; info.create_system = 3
    all.append((info, data))
def item(path, data=b'x', **more):
    manifest['items'].append({'kind': 'file', 'path': path, 'size': len(data), 'sha256': hashlib.sha256(data).hexdigest(),
      'mode': 420, 'uid': 0, 'gid': 0, 'mtime': 0, **more})
${change}
with zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED) as out:
    for info, data in all:
        if info.filename == 'estepe-manifest.json': data = json.dumps(manifest).encode()
        out.writestr(info, data, zipfile.ZIP_DEFLATED)
`,
    good,
    file,
  );
  return file;
}

describeWithPeers('D2 a damaged archive', ['python3'], () => {
  it('as it was made it is taken, and so is one that another tool packed anew', async () => {
    expect(await bench.refusal(good)).toBe('taken');
    expect(await bench.refusal(remade('pass'))).toBe('taken');
  });

  it('D2 truncated zip: at every kind of place', async () => {
    const { size } = statSync(good);
    for (const length of [size - 1, size - 22, size - 60, Math.floor(size / 2), 100, 10]) {
      const file = copy(readFileSync(good));
      truncateSync(file, length);
      expect([length, await bench.refusal(file)]).toEqual([length, 'damaged']);
    }
    expect(await bench.refusal(copy(Buffer.alloc(0)))).toBe('damaged');
  });

  it('D2 flipped byte in the packed data: refused, and said what to do', async () => {
    const bytes = readFileSync(good);
    const name = 'files/0-pbx/voice/hello.wav';
    const header = bytes.indexOf(name) - 30;
    // The first packed byte says how the block is coded; flipped further on, a bit may mean nothing.
    const at = header + 30 + name.length + bytes.readUInt16LE(header + 28);
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 0x06;
    const error = await bench.verify(copy(flipped)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ArchiveError);
    expect(['damaged', 'bomb']).toContain((error as ArchiveError).fault);
    expect((error as ArchiveError).todo).not.toBe('');
  });

  it('D2 a stored file of the same size with other bytes', async () => {
    const error = await bench
      .verify(remade("all = [(i, d.replace(b'5060', b'5061') if 'sip.conf' in i.filename else d) for i, d in all]"))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      fault: 'damaged',
      message: '0-pbx/sip.conf is not what it was: its hash is another one.',
    });
  });

  it.each([
    ['missing manifest', 'all = all[1:]'],
    ['manifest not first', 'all = all[1:] + all[:1]'],
    ['manifest that is no JSON', "manifest = 'no'"],
    ['file missing', "all = [a for a in all if 'sip.conf' not in a[0].filename]"],
    ['manifest without a hash', "[i.pop('sha256') for i in manifest['items'] if i['kind'] == 'file']"],
  ])('D2 %s', async (name, change) => {
    const want = name === 'manifest that is no JSON' ? 'unknown-format' : 'damaged';
    expect(await bench.refusal(remade(change))).toBe(want);
  });
});

describeWithPeers('D2 an unsafe archive', ['python3'], () => {
  const both = (path: string) => `add('files/${path}'); item('${path}')`;
  it.each([
    ['zip-slip name', "add('../../etc/cron.d/evil')"],
    ['zip-slip name that its manifest names too', both('0-pbx/../../evil')],
    ['absolute name', "add('/etc/cron.d/evil')"],
    ['drive letter', both('C:/evil')],
    ['backslash', both('0-pbx/..\\\\\\\\evil')],
    ['name that its manifest does not know', "add('files/0-pbx/stowaway')"],
    ['duplicate name', "add('files/0-pbx/sip.conf', dict((i.filename, d) for i, d in all)['files/0-pbx/sip.conf'])"],
    ['duplicate name in the manifest', "item('0-pbx/sip.conf')"],
    ['file below a file', both('0-pbx/sip.conf/below')],
    ['folder of nobody', both('9-other/file')],
    ['device file', "add('files/0-pbx/null', b'', 0o020666); item('0-pbx/null', b'')"],
    ['link that the manifest calls a file', "add('files/0-pbx/link', b'x', 0o120777); item('0-pbx/link')"],
  ])('D2 %s', async (_, change) => {
    expect(await bench.refusal(remade(change))).toBe('unsafe');
  });

  it.each(['../outside', '/etc/passwd', 'voice/../../../outside', '..\\\\\\\\outside'])(
    'D2 symlink inside that leads outside: %s',
    async (target) => {
      const link = `add('files/0-pbx/link', b'${target}', 0o120777); manifest['items'].append({'kind': 'link',
  'path': '0-pbx/link', 'target': '${target}', 'mode': 511, 'uid': 0, 'gid': 0, 'mtime': 0})`.replaceAll('\n', ' ');
      expect(await bench.refusal(remade(link))).toBe('unsafe');
    },
  );

  it('D2 a file that would be written through a link', async () => {
    const change = `add('files/0-pbx/link', b'voice', 0o120777); manifest['items'].append({'kind': 'link', 'path': '0-pbx/link', 'target': 'voice', 'mode': 511, 'uid': 0, 'gid': 0, 'mtime': 0}); ${both('0-pbx/link/evil')}`;
    expect(await bench.refusal(remade(change))).toBe('unsafe');
  });
});

describeWithPeers('D2 a bomb', ['python3'], () => {
  it('D2 unpacks to far more than its manifest says', async () => {
    const change = "add('files/0-pbx/zeros', b'\\\\0' * 50_000_000); item('0-pbx/zeros')";
    expect(await bench.refusal(remade(change.replaceAll('\\\\0', '\\0')))).toBe('bomb');
  });

  it('D2 its directory lies about the size: stops at once', async () => {
    const file = remade("add('files/0-pbx/zeros', bytes(5_000_000)); item('0-pbx/zeros')");
    const bytes = readFileSync(file);
    // The size in the central directory, where the last of its records names the file.
    const record = bytes.lastIndexOf('files/0-pbx/zeros') - 46;
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.from([1, 0, 0, 0]), 0, 4, record + 24);
    closeSync(fd);
    expect(bytes.readUInt32LE(record)).toBe(0x02014b50);
    expect(await bench.refusal(file)).toBe('bomb');
  });

  it('D2 entries that share their bytes', async () => {
    const file = remade(
      "add('files/0-pbx/one', b'x'); item('0-pbx/one'); add('files/0-pbx/two', b'x'); item('0-pbx/two')",
    );
    const bytes = readFileSync(file);
    const record = (name: string) => bytes.lastIndexOf(name) - 46;
    const fd = openSync(file, 'r+');
    writeSync(
      fd,
      bytes.subarray(record('files/0-pbx/one') + 42, record('files/0-pbx/one') + 46),
      0,
      4,
      record('files/0-pbx/two') + 42,
    );
    closeSync(fd);
    expect(await bench.refusal(file)).toBe('bomb');
  });

  it('D2 more than there is room for', async () => {
    expect(await bench.refusal(good, { maxBytes: 20_000 })).toBe('bomb');
    expect(await bench.refusal(good, { maxBytes: 21_000 })).toBe('taken');
  });
});

describeWithPeers('D3 a good archive that is not for this node', ['python3'], () => {
  it.each([
    ['other-pair', { pair: 'branch' }, 'It is of the pair head-office; this one is branch.'],
    ['other-fqdn', { fqdn: 'pbx.example.org' }, 'It is of pbx.example.com; this pair is pbx.example.org.'],
    [
      'newer-version',
      { pbxVersion: '18.0.9.3' },
      'It was made by version 18.0.9.20 of the PBX; here version 18.0.9.3 is installed.',
    ],
  ])('D3 %s', async (fault, other, message) => {
    await expect(bench.verify(good, other)).rejects.toMatchObject({ fault, message });
  });

  it('D3 an older or equal version, another spelling of the FQDN: taken', async () => {
    for (const other of [{ pbxVersion: '18.0.10' }, { pbxVersion: '18.0.9.20' }, { fqdn: 'PBX.example.com' }]) {
      expect(await bench.refusal(good, other)).toBe('taken');
    }
  });

  it('D3 nobody knows the version here: taken, and said', async () => {
    expect((await bench.verify(good, { pbxVersion: null })).proven.versionCompared).toBe(false);
  });

  it('D3 of a later Estepe, or no archive at all', async () => {
    expect(await bench.refusal(remade("manifest['format'] = 2"))).toBe('unknown-format');
    expect(await bench.refusal(copy(Buffer.from('just some text, long enough to be anything')))).toBe('unknown-format');
  });
});
