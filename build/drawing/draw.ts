/** Draws every icon of Estepe from build/icons/*.svg: file names and their bytes, nothing written. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import {
  type TrayState,
  type TrayTheme,
  trayIconFile,
  trayStates,
  trayThemes,
} from '../../src-main/shell/tray-icon.ts';
import { type Picture, writeIco } from './ico.ts';

const sources = join(import.meta.dirname, '..', 'icons');
/** Where the drawn ones are kept. */
export const drawnFolder = join(sources, 'drawn');

/** 16 pixels at the scales of a Windows desktop, under the names that nativeImage looks for. */
export const trayScales = [
  { suffix: '', size: 16 },
  { suffix: '@1.25x', size: 20 },
  { suffix: '@1.5x', size: 24 },
  { suffix: '@2x', size: 32 },
] as const;
export const trayIcoSizes = [16, 20, 24, 32, 40, 48] as const;
export const appIcoSizes = [16, 20, 24, 32, 40, 48, 256] as const;
/** What a Linux desktop's theme of icons asks for, `WxH.png` each. */
export const appPngSizes = [16, 32, 48, 128, 256, 512] as const;

/**
 * The colours of the classes in the SVG sources. Those of `light` stand in the sources as well, so that they can be looked at
 * as they are. Colour only underlines: each state has a shape of its own.
 */
const palettes: Record<TrayTheme, Record<string, string>> = {
  light: {
    wheel: '#1f2933',
    calm: '#0b7a3b',
    wary: '#b45309',
    grave: '#c81e1e',
    turning: '#1d5fd1',
    paused: '#5b3fa8',
    sign: '#ffffff',
  },
  dark: {
    wheel: '#ffffff',
    calm: '#4cd07d',
    wary: '#ffb224',
    grave: '#ff5a52',
    turning: '#6cb0ff',
    paused: '#c4a8ff',
    sign: '#14181d',
  },
};

/** Every file of the drawn folder, by its name in it. */
export function drawAll(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const state of trayStates) {
    for (const theme of trayThemes) {
      const svg = traySvg(state, theme);
      const png = trayIconFile(state, theme, 'png');
      for (const { suffix, size } of trayScales) {
        files.set(png.replace(/\.png$/, `${suffix}.png`), rasterize(svg, size).png);
      }
      files.set(trayIconFile(state, theme, 'ico'), writeIco(trayIcoSizes.map((size) => rasterize(svg, size))));
    }
  }
  files.set('app.ico', writeIco(appIcoSizes.map((size) => rasterize(appSvg(size), size))));
  for (const size of appPngSizes) files.set(`app/${size}x${size}.png`, rasterize(appSvg(size), size).png);
  return files;
}

/** The source of a state in the colours of a theme. */
export function traySvg(state: TrayState, theme: TrayTheme): string {
  const svg = readFileSync(join(sources, `tray-${state}.svg`), 'utf8');
  const colours = palettes[theme];
  const sheet = [
    `.wheel { stroke: ${colours.wheel}; fill: none }`,
    `.solid { fill: ${colours.wheel} }`,
    ...['calm', 'wary', 'grave', 'turning', 'paused'].map((name) => `.${name} { fill: ${colours[name]} }`),
    `.sign { fill: ${colours.sign}; stroke: ${colours.sign} }`,
  ];
  return svg.replace(/<style>[\s\S]*?<\/style>/, `<style>${sheet.join('\n')}</style>`);
}

/** The application's icon; small sizes have a drawing of few strokes. */
export function appSvg(size: number): string {
  return readFileSync(join(sources, size <= 48 ? 'app-small.svg' : 'app.svg'), 'utf8');
}

/** @returns the drawing at `size` pixels square */
export function rasterize(svg: string, size: number): Picture {
  const drawn = new Resvg(svg, { fitTo: { mode: 'width', value: size }, font: { loadSystemFonts: false } }).render();
  return { size, rgba: straight(drawn.pixels), png: drawn.asPng() };
}

/** The rasterizer's pixels have their alpha multiplied in; icon files want it apart. */
function straight(pixels: Buffer): Buffer {
  const out = Buffer.from(pixels);
  for (let i = 0; i < out.length; i += 4) {
    const alpha = out.readUInt8(i + 3);
    if (alpha === 0 || alpha === 255) continue;
    for (let c = i; c < i + 3; c++) out.writeUInt8(Math.min(255, Math.round((out.readUInt8(c) * 255) / alpha)), c);
  }
  return out;
}
