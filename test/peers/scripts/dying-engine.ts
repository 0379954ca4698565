/** An engine in small, to be killed: runs the script of argv[3] in the folder argv[2] under the token argv[4]. */
import { RealProc } from '../../../src-main/runbook/real-proc.ts';

const [folder = '', script = '', runToken = ''] = process.argv.slice(2);
await new RealProc().run({ argv: [script], cwd: folder, env: {}, timeoutMs: 600_000, runToken });
