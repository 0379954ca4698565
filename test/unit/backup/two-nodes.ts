/** Two nodes' folders on one disk: an archive of the active's, and other files of the same names here. */
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Around, restoreFolders } from '../../../src-main/backup/restoring/restore-folders.ts';
import { Bench, expected, picture } from './workbench.ts';

const names = ['data', 'licence', 'extra'];
/** The folder's own time changes with what is put into it. */
const within = (folder: string) => picture(folder).map((line) => line.replace(/^\.\/ .*/, './'));

export class TwoNodes {
  readonly bench = new Bench();
  readonly calls: string[] = [];
  readonly around: Around = {
    before: async () => void this.calls.push('before'),
    after: async () => void this.calls.push('after'),
  };
  readonly journal = this.bench.at('restore.json');
  archive = '';

  /** The active's folders `data` and `extra` and its file `licence`; here stand others of that name, but no `extra` yet. */
  static async make(): Promise<TwoNodes> {
    const nodes = new TwoNodes();
    const { bench } = nodes;
    for (const [side, text] of [
      ['active', 'new'],
      ['here', 'old'],
    ] as const) {
      bench.make(side, 'data', 'voice');
      writeFileSync(bench.at(side, 'data', 'sip.conf'), `${text} sip`);
      writeFileSync(bench.at(side, 'data', 'voice', `${text}.wav`), text.repeat(1000));
      writeFileSync(bench.at(side, 'licence'), `${text} licence`);
    }
    bench.make('active', 'extra');
    writeFileSync(bench.at('active', 'extra', 'x'), 'x');
    symlinkSync('sip.conf', bench.at('active', 'data', 'link'));
    nodes.archive = (
      await bench.archive(
        'a.zip',
        names.map((name) => bench.at('active', name)),
      )
    ).file;
    return nodes;
  }

  get targets(): Map<string, string> {
    return new Map(names.map((name) => [this.bench.at('active', name), this.bench.at('here', name)]));
  }

  here(): string[] {
    return within(this.bench.at('here'));
  }

  active(): string[] {
    return within(this.bench.at('active'));
  }

  hasJournal(): boolean {
    return existsSync(this.journal);
  }

  restore(more: Partial<Parameters<typeof restoreFolders>[0]> = {}, signal = this.bench.signal) {
    const { archive: file, journal, targets, around, bench } = this;
    const scratch = bench.at('scratch');
    return restoreFolders(
      { file, key: null, expect: expected, scratch, journal, targets, around, ...more },
      { signal },
    );
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}
