import { defineConfig } from 'vitest/config'

const any = '**/*.test.{ts,tsx}'

// docs/testing.md says what each project is for and how long it takes. `*.slow.test.ts`, in whatever folder, belongs
// to the slow project alone.
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: ['test/support/loopback-only.ts'],
    // `isolate: false` below: no module keeps state that a test could see, so a worker loads each module once for all
    // files; 88 s instead of 150 s for the integration tests.
    // One project after the other: the process tests measure time and must not compete with a database per worker.
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [`test/{unit,property,architecture}/${any}`],
          exclude: ['**/*.slow.test.ts'],
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: [`test/{integration,conformance,regression,simulation}/${any}`],
          exclude: ['**/*.slow.test.ts'],
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: [`test/{contract,process}/${any}`],
          exclude: ['**/*.slow.test.ts'],
          maxWorkers: 1,
          testTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [`test/browser/${any}`],
          exclude: ['**/*.slow.test.ts'],
          maxWorkers: 1,
          testTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['test/**/*.slow.test.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'docs',
          include: [`test/docs/${any}`],
          maxWorkers: 1,
          testTimeout: 300_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
