/** A restore by 3CX's command that KILLs itself while that one runs, which writes its process id into `pid`. argv: the bench's folder. */
import { existsSync, readFileSync } from 'node:fs';
import { Spare } from '../../unit/backup/spare.ts';
import { Bench } from '../../unit/backup/workbench.ts';
import { until } from '../fixtures/until.ts';
import { StandIns } from './stand-ins.ts';

const [folder = ''] = process.argv.slice(2);
const spare = new Spare(new Bench(folder));
spare.proc = StandIns.procOf(spare.bench);
void spare.restore({ here: { profile: '3cx-linux', password: 'open sesame' } });
const file = spare.at('pid');
await until('the command runs', () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
process.kill(process.pid, 'SIGKILL');
