/** A restore that KILLs itself at one exact boundary. argv: a JSON file with what to do. Says each boundary it passes. */
import { appendFileSync, readFileSync } from 'node:fs';
import { restoreFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { expected } from '../../unit/backup/workbench.ts';

const [script = ''] = process.argv.slice(2);
const { archive, journal, targets, passed, last } = JSON.parse(readFileSync(script, 'utf8')) as Record<
  string,
  string
> & {
  targets: [string, string][];
};
const boundary = (name: string): void => {
  appendFileSync(passed ?? '', `${name}\n`);
  if (name === last) process.kill(process.pid, 'SIGKILL');
};
const around = {
  before: async () => appendFileSync(passed ?? '', 'before ran\n'),
  after: async () => appendFileSync(passed ?? '', 'after ran\n'),
};
await restoreFolders(
  {
    file: archive ?? '',
    key: null,
    expect: expected,
    scratch: `${archive}.scratch`,
    journal: journal ?? '',
    targets: new Map(targets),
    around,
    boundary,
  },
  { signal: new AbortController().signal },
);
