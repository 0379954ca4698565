/**
 * `npm run icons`: draws the icons of tray and application from build/icons/*.svg into build/icons/drawn, which is kept in
 * the repository. `npm run icons -- --sheet FILE.png` writes a page with all of them to look at instead.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { contactSheet } from './drawing/contact-sheet.ts';
import { drawAll, drawnFolder } from './drawing/draw.ts';

const { values } = parseArgs({ options: { sheet: { type: 'string' } } });
if (values.sheet === undefined) {
  const files = drawAll();
  // What is drawn no longer must not stay behind.
  rmSync(drawnFolder, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    const path = join(drawnFolder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  }
  const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0);
  console.log(`${files.size} files, ${Math.ceil(bytes / 1024)} KB, in ${drawnFolder}`);
} else {
  writeFileSync(values.sheet, contactSheet());
}
