import { expect, it } from 'vitest';
import { commandWords } from '../../../src-main/cli/words.ts';

const headless = ['--ozone-platform=headless', '--disable-gpu', '--no-sandbox'];

it.each([
  [[], null],
  [['--inspect=0', '--remote-debugging-port=0', 'out/main/main.js'], null],
  [['-ToastActivated'], null],
  [['estepe://x'], null],
  [
    ['--headless', '--data', 'C:\\D', '--log-level', 'info'],
    ['serve', '--data', 'C:\\D', '--log-level', 'info'],
  ],
  [
    [...headless, 'service', 'install', '--data', '/d'],
    ['service', 'install', '--data', '/d'],
  ],
  [[...headless, '--headless'], ['serve']],
  [
    ['status', '--json'],
    ['status', '--json'],
  ],
  [['--version'], ['--version']],
] as const)('%j is %j', (given, words) => expect(commandWords(given)).toEqual(words));
