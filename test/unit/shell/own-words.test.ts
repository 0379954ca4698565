/** The words of Estepe's own command line in a packaged application. */
import { expect, test } from 'vitest';
import { ownWords } from '../../../src-main/shell/own-words.ts';

test('without what the launcher puts before them, and without the program', () => {
  const flags = ['--ozone-platform=headless', '--disable-gpu'];
  expect(ownWords(['/opt/Estepe/estepe'], false)).toEqual([]);
  expect(ownWords(['/opt/Estepe/estepe', ...flags], false)).toEqual([]);
  expect(ownWords(['/opt/Estepe/estepe', ...flags, '--no-sandbox', 'status', '--json'], false)).toEqual([
    'status',
    '--json',
  ]);
  expect(ownWords(['Estepe.exe', '--headless', '--data', 'D:\\Estepe'], false)).toEqual([
    '--headless',
    '--data',
    'D:\\Estepe',
  ]);
  expect(ownWords(['electron', 'out/main/main.js', '--no-sandbox', 'drill'], true)).toEqual(['drill']);
  expect(ownWords(['estepe', 'probe', '--disable-gpu'], false)).toEqual(['probe', '--disable-gpu']);
});
