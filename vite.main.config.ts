import { isAbsolute } from 'node:path';
import { defineConfig } from 'vite';

/**
 * Electron's main process and the command line, as ESM for Node 24. Every package and every builtin stays outside: they
 * are shipped beside the build, and the native ones could not be bundled anyway.
 */
export default defineConfig({
  publicDir: false,
  // One Node build of one package: what is resolved must be the server's variant, never a browser's.
  ssr: { target: 'node' },
  build: {
    outDir: 'out/main',
    emptyOutDir: true,
    ssr: true,
    target: 'node24',
    minify: false,
    sourcemap: true,
    rolldownOptions: {
      input: {
        main: 'src-main/main.ts',
        estepe: 'src-main/estepe.ts',
        // archives are made and proven on a thread of their own
        'archive-worker': 'src-main/backup/archive/archive-worker.ts',
        // a notice on the desktop is shown by a process of its own
        'desktop-child': 'src-main/notify/desktop-child.ts',
        // the lab's PBX and its network are processes of their own
        'embedded-pbx-main': 'src-main/lab/embedded-pbx-main.ts',
        'network-main': 'src-main/lab/network-main.ts',
      },
      // Whatever is not a path is a package or a builtin.
      external: (id) => !id.startsWith('.') && !isAbsolute(id),
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' },
    },
  },
});
