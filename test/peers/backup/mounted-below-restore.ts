/**
 * A restore over a folder below which something is mounted: the recordings on a disk of their own. argv[2]: it is mounted from the
 * beginning (`before`), while the services are stopped (`meanwhile`), or below the old folder when all is swapped in (`late`). Says
 * what came of it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { recoverFolders, restoreFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { Bench, expected } from '../../unit/backup/workbench.ts';

const [when] = process.argv.slice(2);
const bench = new Bench();
const calls: string[] = [];
const around = { before: async () => void calls.push('before'), after: async () => void calls.push('after') };
bench.make('active', 'data');
writeFileSync(bench.at('active', 'data', 'sip.conf'), 'new');
const { file } = await bench.archive('a.zip', [bench.at('active', 'data')]);
bench.make('recordings');
writeFileSync(bench.at('recordings', 'call.wav'), 'a call');
bench.make('here', 'data', 'monitor');
writeFileSync(bench.at('here', 'data', 'sip.conf'), 'old');

let mounted = '';
function mount(at: string): void {
  const { status, stderr } = spawnSync('mount', ['--bind', bench.at('recordings'), at], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  mounted = at;
}
const target = bench.at('here', 'data');
if (when === 'before') mount(bench.at('here', 'data', 'monitor'));
const boundary = (name: string): void => {
  if (when === 'meanwhile' && name === 'stopped') mount(bench.at('here', 'data', 'monitor'));
  const old = readdirSync(bench.at('here')).find((found) => found.endsWith('-old'));
  if (when === 'late' && name === 'after done' && old !== undefined) mount(bench.at('here', old, 'monitor'));
};
const said = await restoreFolders(
  {
    file,
    key: null,
    expect: expected,
    scratch: bench.at('scratch'),
    journal: bench.at('restore.json'),
    targets: new Map([[bench.at('active', 'data'), target]]),
    around,
    boundary,
  },
  { signal: bench.signal },
).then(
  () => 'restored',
  (reason: Error) => reason.message,
);
const recordings = readdirSync(bench.at('recordings'));
const journal = existsSync(bench.at('restore.json')) ? 'open' : 'none';
spawnSync('umount', ['-l', mounted]);
await recoverFolders(bench.at('restore.json'), around, false);
const left = readdirSync(bench.at('here')).filter((name) => name !== 'data');
const stands = readFileSync(bench.at('here', 'data', 'sip.conf'), 'utf8');
bench[Symbol.dispose]();
process.stdout.write(
  JSON.stringify({ said: said.replaceAll(bench.folder, ''), recordings, journal, left, stands, calls }),
);
