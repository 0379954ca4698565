/** All states, sizes and task bars on one page, to look at: as they are, and enlarged pixel by pixel. */
import { trayStates, trayThemes } from '../../src-main/shell/tray-icon.ts';
import { appSvg, rasterize, trayIcoSizes, traySvg } from './draw.ts';

const bars = { light: '#f3f3f3', dark: '#1c1c1c' };
const column = 250;
const enlarged = 160;
const band = 430;
const foot = 300;

/** @returns a PNG file */
export function contactSheet(): Buffer {
  const width = column * trayStates.length + 20;
  const parts: string[] = [];
  trayThemes.forEach((theme, row) => {
    const top = row * band;
    parts.push(`<rect y="${top}" width="${width}" height="${band}" fill="${bars[theme]}"/>`);
    trayStates.forEach((state, at) => {
      let x = 20 + at * column;
      for (const size of trayIcoSizes) {
        parts.push(image(traySvg(state, theme), size, x, top + 16, size));
        x += size + 8;
      }
      parts.push(image(traySvg(state, theme), 16, 20 + at * column, top + 80, enlarged));
      parts.push(image(traySvg(state, theme), 24, 20 + at * column, top + 256, enlarged));
    });
  });
  const top = band * trayThemes.length;
  parts.push(`<rect y="${top}" width="${width}" height="${foot}" fill="#c9ced6"/>`);
  let x = 20;
  for (const size of [16, 20, 24, 32, 40, 48, 128, 256]) {
    parts.push(image(appSvg(size), size, x, top + 16, size));
    x += size + 12;
  }
  for (const size of [16, 20, 24]) {
    parts.push(image(appSvg(size), size, x, top + 16, enlarged));
    x += enlarged + 12;
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top + foot}">${parts.join('')}</svg>`;
  return rasterize(svg, width).png;
}

function image(svg: string, size: number, x: number, y: number, shown: number): string {
  const data = rasterize(svg, size).png.toString('base64');
  return `<image x="${x}" y="${y}" width="${shown}" height="${shown}" image-rendering="optimizeSpeed" href="data:image/png;base64,${data}"/>`;
}
