// Which part may import which, and which npm package only which files may use. These tables are the architecture:
// docs/architecture.md prints them, `npm run imports` checks them, test/architecture/import-rules.test.ts breaks
// every rule on purpose and sees it reported.

/** part → other parts of src/ and folders of runtime/ it may import. `capability (types)` = `import type` only. */
const parts = {
  kernel: [],
  db: ['kernel'],
  queue: ['kernel', 'db'],
  capability: ['kernel'],
  rules: ['kernel', 'db', 'capability'],
  notices: ['kernel', 'db', 'capability'],
  'access-log': ['kernel', 'db', 'capability'],
  audit: ['kernel', 'db', 'capability'],
  capabilities: ['kernel', 'db', 'capability'],
  identity: ['kernel', 'db', 'capability', 'notices'],
  oauth: ['kernel', 'db', 'capability', 'rules'],
  registry: ['kernel', 'db', 'capability', 'rules', 'runtime/package'],
  review: [
    ...['kernel', 'db', 'queue', 'capability', 'registry', 'rules', 'notices', 'audit'],
    ...['runtime/package', 'runtime/node'],
  ],
  events: ['kernel', 'db', 'queue', 'capability', 'rules'],
  webhooks: ['kernel', 'db', 'queue', 'capability', 'events', 'rules', 'notices'],
  sandbox: ['kernel', 'db', 'queue', 'capability', 'registry', 'events', 'rules', 'runtime'],
  install: ['kernel', 'db', 'capability', 'registry', 'oauth', 'events', 'rules', 'notices', 'audit'],
  privacy: ['kernel', 'db', 'capability', 'install', 'events', 'registry', 'rules', 'notices', 'audit'],
  policy: ['kernel', 'db', 'capability', 'install', 'events', 'registry', 'rules', 'notices', 'audit'],
  http: ['kernel', 'capability', 'identity', 'oauth', 'access-log', 'console'],
  console: ['kernel', 'capability (types)'],
  sdk: [],
  cli: ['sdk', 'runtime/package', 'runtime/node'],
}

/** folder of runtime/ → other folders of runtime/ it may import. None of them knows src/. */
const runtimeFolders = {
  abi: [],
  package: ['abi'],
  engine: ['abi'],
  guest: ['abi'],
  miniapp: ['abi', 'package', 'engine', 'guest'],
  node: ['abi', 'package', 'engine', 'guest', 'miniapp'],
  browser: ['abi', 'package', 'engine', 'guest', 'miniapp'],
}

/** [packages, the only files or folders that may import them]. A package in no row may not be imported at all. */
const gates = [
  [['undici'], 'src/kernel/http-client.ts'],
  [['pino'], 'src/kernel/log.ts'],
  [['@prisma/*', 'pg', '@electric-sql/pglite', 'pglite-prisma-adapter'], 'src/db/'],
  [['bullmq', 'ioredis'], 'src/queue/'],
  [['ajv'], 'src/capability/'],
  [['nodemailer'], 'src/notices/'],
  [['@simplewebauthn/server', 'otpauth'], 'src/identity/'],
  [['oidc-provider', 'jose'], 'src/oauth/'],
  [['esbuild'], 'src/registry/'],
  [['acorn'], 'src/review/'],
  [['express', 'helmet', 'rate-limiter-flexible', 'prom-client', 'ws'], 'src/http/'],
  [['preact', 'preact-render-to-string', 'qr'], 'src/console/'],
  [['oauth4webapi'], 'src/sdk/', 'src/identity/'],
  [['commander', '@clack/prompts'], 'src/cli/'],
  [['quickjs-emscripten', '@jitl/*'], 'runtime/engine/'],
  [['tsx', 'yazl'], 'runtime/node/'],
]

const escapeDots = (text) => text.replace(/[.]/g, '[.]')
// Matches an installed package and its types, and the bare name of one that is not installed.
const packagePattern = (names) => {
  const any = names.map((name) => escapeDots(name).replace('*', '[^/]+')).join('|')
  const types = names
    .map((name) =>
      escapeDots(name)
        .replace(/^@([^/]+)\//, '$1__')
        .replace('*', '[^/]+'),
    )
    .join('|')
  return `(^|node_modules/)(${any})(/|$)|node_modules/@types/(${types})/`
}
const allPartNames = Object.keys(parts).join('|')

const partRules = Object.entries(parts).map(([part, allowed]) => {
  const inSrc = allowed.filter((name) => !name.startsWith('runtime')).map((name) => name.split(' ')[0])
  return {
    name: `${part}-imports`,
    comment: `src/${part} may import: ${allowed.join(', ') || 'no other part'}`,
    severity: 'error',
    from: { path: `^src/${part}/` },
    to: { path: '^src/[^/]+/', pathNot: `^src/(${[part, ...inSrc].join('|')})/` },
  }
})

const typesOnlyRules = Object.entries(parts).flatMap(([part, allowed]) =>
  allowed
    .filter((name) => name.endsWith(' (types)'))
    .map((name) => ({
      name: `${part}-imports-types-of-${name.split(' ')[0]}`,
      comment: `src/${part} may import only types of src/${name.split(' ')[0]}`,
      severity: 'error',
      from: { path: `^src/${part}/` },
      to: { path: `^src/${name.split(' ')[0]}/`, dependencyTypesNot: ['type-only'] },
    })),
)

// One rule per part that may import some of runtime/ and one for all the others, the root files included.
const partsWithRuntime = Object.entries(parts).filter(([, allowed]) =>
  allowed.some((name) => name.startsWith('runtime')),
)
const runtimeImportRules = [
  ...partsWithRuntime
    .filter(([, allowed]) => !allowed.includes('runtime'))
    .map(([part, allowed]) => {
      const folders = allowed.filter((name) => name.startsWith('runtime/'))
      return {
        name: `${part}-imports-runtime`,
        comment: `src/${part} may import of runtime/ only: ${folders.join(', ')}`,
        severity: 'error',
        from: { path: `^src/${part}/` },
        to: { path: '^runtime/', pathNot: `^(${folders.join('|')})/` },
      }
    }),
  {
    name: 'runtime-who-may-import',
    comment: `only ${partsWithRuntime.map(([part]) => `src/${part}`).join(', ')} may import runtime/`,
    severity: 'error',
    from: { path: '^src/[^/]+/', pathNot: `^src/(${partsWithRuntime.map(([part]) => part).join('|')})/` },
    to: { path: '^runtime/' },
  },
]

const runtimeFolderRules = Object.entries(runtimeFolders).map(([folder, allowed]) => ({
  name: `runtime-${folder}-imports`,
  comment: `runtime/${folder} may import: ${allowed.map((name) => `runtime/${name}`).join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^runtime/${folder}/` },
  to: { path: '^runtime/', pathNot: `^runtime/(${[folder, ...allowed].join('|')})/` },
}))

const gateRules = gates.map(([packages, ...homes]) => ({
  name: `gate-${packages[0].replace(/^@/, '').replace('/*', '')}`,
  comment: `${packages.join(', ')}: only in ${homes.join(', ')}`,
  severity: 'error',
  from: { path: '^(src|runtime)/', pathNot: `^(${homes.map(escapeDots).join('|')})` },
  to: { path: packagePattern(packages) },
}))

const structureRules = [
  {
    name: 'every-part-is-listed',
    comment: 'a new folder of src/ gets its row in the table first',
    severity: 'error',
    from: { path: '^src/[^/]+/', pathNot: `^src/(${allPartNames})/` },
    to: {},
  },
  {
    name: 'every-runtime-folder-is-listed',
    comment: 'a new folder of runtime/ gets its row in the table first',
    severity: 'error',
    from: { path: '^runtime/', pathNot: `^runtime/(${Object.keys(runtimeFolders).join('|')})/` },
    to: {},
  },
  {
    name: 'front-door-only',
    comment: 'another part is entered through its index.ts',
    severity: 'error',
    from: { path: '^src/([^/]+)/' },
    to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index[.]ts$'] },
  },
  {
    name: 'front-door-of-a-capability',
    comment: 'one capability enters another through its index.ts',
    severity: 'error',
    from: { path: '^src/capabilities/([^/]+)/' },
    to: {
      path: '^src/capabilities/[^/]+/',
      pathNot: ['^src/capabilities/$1/', '^src/capabilities/[^/]+/index[.]ts$'],
    },
  },
  {
    name: 'front-door-from-the-root',
    comment: 'main.ts, platform.ts and config.ts enter a part (and a capability) through its index.ts too',
    severity: 'error',
    from: { path: '^src/[^/]+[.]ts$' },
    to: {
      path: '^src/[^/]+/',
      pathNot: ['^src/[^/]+/index[.]ts$', '^src/capabilities/[^/]+/index[.]ts$'],
    },
  },
  {
    name: 'front-door-of-the-runtime',
    comment: 'src/ enters a folder of runtime/ through its index.ts',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^runtime/[^/]+/', pathNot: '^runtime/[^/]+/index[.]ts$' },
  },
  {
    name: 'only-the-root-composes',
    comment: 'nobody imports main.ts, platform.ts or config.ts',
    severity: 'error',
    from: { path: '^(src/[^/]+/|runtime/)' },
    to: { path: '^src/[^/]+[.]ts$' },
  },
  {
    name: 'runtime-stands-alone',
    comment: 'runtime/ imports nothing of src/',
    severity: 'error',
    from: { path: '^runtime/' },
    to: { path: '^src/' },
  },
  {
    name: 'runtime-is-portable',
    comment: 'no Node module in runtime/ except runtime/node',
    severity: 'error',
    from: { path: '^runtime/', pathNot: '^runtime/node/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'abi-has-no-imports',
    comment: 'runtime/abi imports nothing at all but itself',
    severity: 'error',
    from: { path: '^runtime/abi/' },
    to: { pathNot: '^runtime/abi/' },
  },
  {
    name: 'sdk-is-portable',
    comment: 'no Node module in src/sdk',
    severity: 'error',
    from: { path: '^src/sdk/' },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'packages-are-listed',
    comment: 'an npm package without a home in the table may not be imported',
    severity: 'error',
    from: { path: '^(src|runtime)/' },
    to: {
      dependencyTypesNot: ['core', 'local'],
      pathNot: [
        '^[.]{1,2}/(?!.*node_modules/)',
        '^(src|runtime|test|examples)/',
        ...gates.map(([packages]) => packagePattern(packages)),
      ],
    },
  },
  {
    name: 'examples-are-outsiders',
    comment: 'examples/ are third parties: of Stoa they may import only the SDK and what the CLI is made of',
    severity: 'error',
    from: { path: '^examples/' },
    to: { path: '^(src|runtime|test)/', pathNot: '^(src/sdk|runtime/(package|node))/index[.]ts$' },
  },
  {
    name: 'no-test-import',
    comment: 'what runs in production imports nothing of test/ or examples/',
    severity: 'error',
    from: { path: '^(src|runtime)/' },
    to: { path: '^(test|examples)/' },
  },
  {
    name: 'no-circular',
    comment: 'no circle of imports (types may point back)',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphans',
    comment: 'a file that nobody imports and that imports nobody is not part of the system',
    severity: 'error',
    from: { orphan: true, path: '^(src|runtime)/', pathNot: ['/main[.]ts$', '^src/db/generated/'] },
    to: {},
  },
]

const config = {
  forbidden: [
    ...partRules,
    ...typesOnlyRules,
    ...runtimeImportRules,
    ...runtimeFolderRules,
    ...gateRules,
    ...structureRules,
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^src/db/generated/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}

// Not enumerable, because dependency-cruiser refuses members it does not know: for docs/generate.ts and the tests.
Object.defineProperty(config, 'tables', { value: { parts, runtimeFolders, gates } })

module.exports = config
