import { defineConfig } from 'vite';

/** The preload script: one CommonJS bundle, because a sandboxed preload can load nothing else. Electron itself stays outside. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'out/preload',
    emptyOutDir: true,
    ssr: true,
    target: 'node24',
    minify: false,
    rolldownOptions: {
      input: { preload: 'src-main/preload.ts' },
      external: ['electron'],
      output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
    },
  },
});
