// Makes src/db/generated from prisma/schema.prisma. Run by npm's postinstall and by `npm run generate`.
//
// Prisma's command would first download its native schema engine, which generating does not need: the client and
// the engine for migrations are WebAssembly from npm. Any executable named by PRISMA_SCHEMA_ENGINE_BINARY keeps it
// from trying, so that an installation needs the npm registry and nothing else.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const prismaCli = createRequire(import.meta.url).resolve('prisma/build/index.js')

const run = spawnSync(
  process.execPath,
  [prismaCli, 'generate', '--schema', 'prisma/schema.prisma', '--no-hints'],
  {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
      NO_COLOR: '1',
    },
  },
)

if (run.status !== 0) {
  process.stderr.write(`${run.stdout ?? ''}${run.stderr ?? ''}${run.error?.message ?? ''}\n`)
  process.exit(1)
}
