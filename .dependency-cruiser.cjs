/**
 * The floors of src-main, from the ground up. Nobody imports upwards; folders of one floor don't import each other
 * unless said here. Electron belongs to the shell alone.
 */
const floors = [
  ['contract'],
  ['engine'],
  ['config', 'history'],
  ['heartbeat', 'backup', 'peer', 'notify'],
  ['runbook'],
  ['station'],
  ['console'],
  ['cli', 'lab', 'shell'],
];
const at = (name) => (name === 'station' ? '^src-main/station(\\.ts$|/)' : `^src-main/${name}/`);

const upwards = floors.flatMap((floor, i) =>
  floor.map((name) => ({
    name: `floor-${name}`,
    comment: `${name}/ may import its own folder and the floors below only`,
    severity: 'error',
    from: { path: at(name) },
    to: {
      path: '^src-(main|renderer)/',
      pathNot: [at(name), ...floors.slice(0, i).flat().map(at)],
    },
  })),
);
// The command line starts the lab; the lab is a way to run stations and knows nothing of the command line.
const cliRule = upwards.find((r) => r.name === 'floor-cli');
cliRule.to.pathNot.push(at('lab'));

module.exports = {
  forbidden: [
    ...upwards,
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'electron-in-shell-only',
      severity: 'error',
      from: { path: '^src-', pathNot: ['^src-main/shell/', '^src-main/main\\.ts$', '^src-main/preload\\.ts$'] },
      to: { path: ['^electron$', 'node_modules/electron/', 'electron-log/main'] },
    },
    {
      name: 'pure-core',
      comment: 'engine/ decides: no I/O, no clock',
      severity: 'error',
      from: { path: '^src-main/(engine|contract)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'renderer-sees-the-contract-only',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { path: '^src-main/', pathNot: '^src-main/contract/' },
    },
    {
      name: 'no-dev-in-product',
      severity: 'error',
      from: { path: '^src-main/', pathNot: '^src-main/(shell/|main\\.ts|preload\\.ts)' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
