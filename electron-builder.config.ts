/**
 * How Estepe is packed, for Windows and for Linux (`npm run package`). What is secret or a site's own comes from the environment;
 * README.md, "Packaging", lists it. Only the way to the programs is decided here: what they do is in src-main.
 */
import { join } from 'node:path';
import type { Configuration } from 'electron-builder';
import { appId } from './src-main/shell/app-id.ts';

const env = process.env;
const said = (name: string): string | null => env[name]?.trim() || null;

/** Azure's signing service when all of it is named, else a certificate of our own when there is one, else nothing. */
function signing(): Pick<NonNullable<Configuration['win']>, 'azureSignOptions' | 'signtoolOptions'> {
  const endpoint = said('ESTEPE_SIGN_ENDPOINT');
  const account = said('ESTEPE_SIGN_ACCOUNT');
  const profile = said('ESTEPE_SIGN_PROFILE');
  const publisher = said('ESTEPE_SIGN_PUBLISHER');
  if (endpoint !== null && account !== null && profile !== null && publisher !== null) {
    return {
      azureSignOptions: {
        endpoint,
        codeSigningAccountName: account,
        certificateProfileName: profile,
        publisherName: publisher,
      },
    };
  }
  if (said('WIN_CSC_LINK') === null && said('CSC_LINK') === null) {
    console.warn(
      'Signing: skipped, because the environment names no certificate (WIN_CSC_LINK, or ESTEPE_SIGN_ENDPOINT, _ACCOUNT, _PROFILE and _PUBLISHER). Windows will warn of the installer.',
    );
    return {};
  }
  return publisher === null ? {} : { signtoolOptions: { publisherName: publisher } };
}

/** Nothing looks for updates unless the build names a place of them, and the configuration of the site wants it. */
function updates(): Exclude<Configuration['publish'], undefined> {
  const url = said('ESTEPE_UPDATES_URL');
  return url === null ? null : { provider: 'generic', url, channel: 'latest' };
}

/** better-sqlite3 brings a binary for every system and processor; those of all others are left out. */
const othersBinaries = (platform: string): string =>
  `!node_modules/better-sqlite3/prebuilds/!(${platform}-\${arch}).node`;

/**
 * What goes into the archive on every system. Each target has the whole list: beside a common list, one of the target that only
 * leaves things out would be taken as "everything else".
 */
const files = [
  'out/main/**/*',
  'out/preload/**/*',
  'out/renderer/**/*',
  'package.json',
  '!**/*.map',
  '!**/*.{ts,mts,cts}',
  // what better-sqlite3 would be compiled from
  '!node_modules/better-sqlite3/{deps,src}/**',
  '!node_modules/better-sqlite3/binding.gyp',
  // for keys in PuTTY's agent, which no location takes
  '!node_modules/ssh2/util/pagent.exe',
  // Faster ciphers for ssh2 where they were compiled; here they never are (`allowScripts`).
  '!node_modules/{cpu-features,buildcheck,nan,node-addon-api}/**',
  '!node_modules/node-notifier/vendor/{mac.noindex,notifu}/**',
];

const configuration: Configuration = {
  appId,
  productName: 'Estepe',
  copyright: 'Estepe',
  directories: { output: 'dist', buildResources: 'build' },
  // The binaries of better-sqlite3 are Node-API: the same one serves Node and Electron, and nothing is compiled.
  npmRebuild: false,
  buildDependenciesFromSource: false,
  forceCodeSigning: said('ESTEPE_SIGN') === 'required',
  publish: updates(),
  electronLanguages: ['en', 'en-US', 'es', 'es-419', 'pt-BR'],
  extraMetadata: { homepage: said('ESTEPE_HOMEPAGE') ?? 'https://estepe.invalid' },
  asar: true,
  // What is loaded by the system itself, and programs that are run, must be files of their own.
  asarUnpack: ['**/*.node', 'node_modules/node-notifier/vendor/**'],
  electronFuses: {
    // Estepe.exe is never a plain Node for whoever can set an environment variable: an engine has the rights of SYSTEM or root.
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    onlyLoadAppFromAsar: true,
    enableEmbeddedAsarIntegrityValidation: true,
    // The window's session is kept in memory: there is no cookie on the disk, and on Linux a keyring would be asked for.
    enableCookieEncryption: false,
    // No page is loaded by file:
    grantFileProtocolExtraPrivileges: false,
    loadBrowserProcessSpecificV8Snapshot: false,
  },
  win: {
    target: [{ target: 'nsis', arch: ['x64'] }],
    icon: 'build/icons/drawn/app.ico',
    files: [...files, othersBinaries('win32'), '!node_modules/node-notifier/vendor/snoreToast/snoretoast-x86.exe'],
    extraResources: [
      { from: 'build/scripts/windows', to: 'scripts' },
      { from: 'build/scripts/README.md', to: 'scripts/README.md' },
      { from: 'build/icons/drawn', to: 'icons', filter: ['*.ico', 'app/*.png'] },
    ],
    // The services of a PBX ask for it; the tray alone does not.
    requestedExecutionLevel: 'asInvoker',
    ...signing(),
  },
  nsis: {
    oneClick: false,
    perMachine: true,
    allowToChangeInstallationDirectory: true,
    deleteAppDataOnUninstall: false,
    include: 'build/windows/installer.nsh',
    installerIcon: 'build/icons/drawn/app.ico',
    uninstallerIcon: 'build/icons/drawn/app.ico',
    installerLanguages: ['en_US', 'pt_BR', 'es_ES'],
    displayLanguageSelector: false,
    artifactName: `Estepe-Setup-\${version}-\${arch}.\${ext}`,
  },
  linux: {
    target: [
      { target: 'deb', arch: ['x64'] },
      { target: 'AppImage', arch: ['x64'] },
    ],
    executableName: 'estepe',
    icon: 'build/icons/drawn/app',
    category: 'System;Monitor',
    synopsis: "The warm spare for a small site's PBX",
    maintainer: said('ESTEPE_MAINTAINER') ?? 'Estepe <estepe@estepe.invalid>',
    files: [...files, othersBinaries('linux'), '!node_modules/node-notifier/vendor/**'],
    extraResources: [
      { from: 'build/scripts/linux', to: 'scripts' },
      { from: 'build/scripts/README.md', to: 'scripts/README.md' },
      { from: 'build/icons/drawn', to: 'icons', filter: ['tray-*.png', 'app/*.png'] },
      { from: 'build/linux/estepe', to: 'bin/estepe' },
    ],
  },
  deb: {
    packageName: 'estepe',
    priority: 'optional',
    packageCategory: 'admin',
    recommends: ['libnotify-bin'],
    afterInstall: 'build/linux/after-install.sh',
    afterRemove: 'build/linux/after-remove.sh',
    // The program has to be there still when it takes back the service that it set up.
    fpm: [`--before-remove=${join(import.meta.dirname, 'build/linux/before-remove.sh')}`],
  },
  appImage: { artifactName: `Estepe-\${version}-\${arch}.\${ext}` },
};

export default configuration;
