/** Rooms, from left to right: each imports only from itself and from those before it. */
const rooms = [
  'records',
  'pixels',
  'grpc',
  'kafka',
  'blobs',
  'sources',
  'evidence',
  'sequences',
  'reasoning',
  'workers',
  'changes',
  'log',
  'outputs',
  'topology',
  'operation',
  'cli',
];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'no-dev-packages-in-src',
      severity: 'error',
      from: { path: '^(src|topologies)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    ...rooms.map((room, i) => ({
      name: `${room}-imports-leftward-only`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: {
        path: `^(topologies|fixtures|test|bench|src/(${rooms.slice(i + 1).join('|') || 'nothing'}))/`,
        ...(room === 'cli' && { path: '^(test|bench)/' }),
      },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|src/records/generated)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
};
