/** The icons in the repository are what build/icons/*.svg draws, whole, and told apart without colour. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  appIcoSizes,
  drawAll,
  drawnFolder,
  rasterize,
  trayIcoSizes,
  trayScales,
  traySvg,
} from '../../build/drawing/draw.ts';
import { readIco } from '../../build/drawing/ico.ts';
import { trayIconFile, trayStates, trayThemes } from '../../src-main/shell/tray-icon.ts';

const drawn = drawAll();
const kept = (name: string): Buffer => readFileSync(join(drawnFolder, name));

describe('the drawn icons', () => {
  test('are those in the repository, none missing and none left over', () => {
    const there = globSync('**/*.{png,ico}', { cwd: drawnFolder }).map((name) => name.replaceAll('\\', '/'));
    expect(there.sort()).toEqual([...drawn.keys()].sort());
  });

  test('look as the ones in the repository do', () => {
    for (const [name, bytes] of drawn) {
      const now = picturesOf(name, bytes);
      const then = picturesOf(name, kept(name));
      expect(then.length, name).toBe(now.length);
      // A rasterizer for another processor may round a channel otherwise; a drawing that changed is off by far more.
      now.forEach((pixels, i) => {
        expect(farthest(pixels, then[i]!), `${name}: run \`npm run icons\` and look`).toBeLessThanOrEqual(2);
      });
    }
  });

  test('are less than 300 KB in all', () => {
    const bytes = [...drawn.keys()].reduce((sum, name) => sum + kept(name).length, 0);
    expect(bytes).toBeLessThan(300 * 1024);
  });

  test('lie under the names and in the sizes that Electron looks for', () => {
    for (const state of trayStates) {
      for (const theme of trayThemes) {
        const png = trayIconFile(state, theme, 'png');
        for (const { suffix, size } of trayScales) {
          expect(pngSize(kept(png.replace('.png', `${suffix}.png`)))).toEqual([size, size]);
        }
        const sizes = readIco(kept(trayIconFile(state, theme, 'ico'))).map((entry) => entry.size);
        expect(sizes).toEqual([...trayIcoSizes]);
      }
    }
    expect(readIco(kept('app.ico')).map((entry) => entry.size)).toEqual([...appIcoSizes]);
    expect(pngSize(kept('app/512x512.png'))).toEqual([512, 512]);
  });

  test('an icon file holds for each size what was drawn, alpha apart, rows from the bottom', () => {
    const picture = rasterize(traySvg('suspect', 'light'), 16);
    const entry = readIco(kept(trayIconFile('suspect', 'light', 'ico')))[0]!;
    expect(entry.kind).toBe('bitmap');
    expect(entry.data.readInt32LE(8)).toBe(32);
    const at = (x: number, y: number): number[] => {
      const [b, g, r, a] = entry.data.subarray(40 + ((15 - y) * 16 + x) * 4);
      return [r!, g!, b!, a!];
    };
    for (const [x, y] of [
      [0, 0],
      [3, 5],
      [10, 15],
      [15, 15],
      [8, 8],
    ] as const) {
      expect(at(x, y)).toEqual([...picture.rgba.subarray((y * 16 + x) * 4, (y * 16 + x) * 4 + 4)]);
    }
    // the corner is see-through for readers of the mask, too
    const mask = 40 + 16 * 16 * 4;
    expect(entry.data.readUInt8(mask + 15 * 4) & 0x80).toBe(0x80);
  });

  test('each state has a shape of its own at 16 pixels, colour left away', () => {
    for (const theme of trayThemes) {
      const shapes = trayStates.map((state) => grey(rasterize(traySvg(state, theme), 16).rgba, theme));
      shapes.forEach((one, i) => {
        shapes.slice(i + 1).forEach((other, j) => {
          const differing = one.filter((level, at) => Math.abs(level - other[at]!) > 96).length;
          expect(differing, `${trayStates[i]} and ${trayStates[i + 1 + j]}, ${theme}`).toBeGreaterThan(20);
        });
      });
    }
  });

  test('the strokes stand out from the task bar they are drawn for', () => {
    for (const theme of trayThemes) {
      for (const state of trayStates) {
        const levels = grey(rasterize(traySvg(state, theme), 16).rgba, theme);
        expect(levels.filter((level) => level > 110).length, `${state}, ${theme}`).toBeGreaterThan(50);
      }
    }
  });
});

/** How far each pixel's brightness is from that of the task bar. */
function grey(rgba: Buffer, theme: 'light' | 'dark'): number[] {
  const bar = theme === 'light' ? 243 : 28;
  return Array.from({ length: rgba.length / 4 }, (_, i) => {
    const [r, g, b, a] = rgba.subarray(i * 4, i * 4 + 4);
    const brightness = 0.299 * r! + 0.587 * g! + 0.114 * b!;
    return Math.abs((brightness - bar) * (a! / 255));
  });
}

function picturesOf(name: string, bytes: Buffer): Buffer[] {
  if (!name.endsWith('.ico')) return [pixelsOf(bytes)];
  return readIco(bytes).map(({ kind, data }) => (kind === 'png' ? pixelsOf(data) : data));
}

/** The pixels of a PNG file, by the rasterizer: it draws a picture of the same size that shows nothing else. */
function pixelsOf(png: Buffer): Buffer {
  const [width, height] = pngSize(png);
  const data = png.toString('base64');
  return rasterize(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="data:image/png;base64,${data}"/></svg>`,
    width,
  ).rgba;
}

function pngSize(png: Buffer): [number, number] {
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

function farthest(one: Buffer, other: Buffer): number {
  if (one.length !== other.length) return 255;
  return one.reduce((worst, value, i) => Math.max(worst, Math.abs(value - other[i]!)), 0);
}
