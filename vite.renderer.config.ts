/**
 * Builds the page into out/renderer. The console's policy forbids inline scripts and styles, so nothing is inlined:
 * no module-preload polyfill, no assets as data.
 */
import { fileURLToPath } from 'node:url';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('./src-renderer'),
  base: './',
  plugins: [
    paraglideVitePlugin({
      project: here('./project.inlang'),
      outdir: here('./src-renderer/lib/paraglide'),
      strategy: ['localStorage', 'preferredLanguage', 'baseLocale'],
      localStorageKey: 'estepe-language',
      isServer: 'false',
      emitReadme: false,
      emitPrettierIgnore: false,
    }),
    svelte({ configFile: false }),
  ],
  build: {
    outDir: here('./out/renderer'),
    emptyOutDir: true,
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
});
