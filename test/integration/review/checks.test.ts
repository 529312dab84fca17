import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  makeSandboxPool,
  type ProgramCheck,
  packFolder,
  type SandboxPool,
} from '../../../runtime/node/index.ts'
import { systemRandom } from '../../../src/kernel/index.ts'
import {
  type CheckDependencies,
  checkCase,
  makeWakeChecks,
  startReviewJobs,
} from '../../../src/review/index.ts'
import { quietLog } from '../../support/database.ts'
import {
  backendManifest,
  makeTeam,
  openTestPlatform,
  packageOf,
  type TestPlatform,
  type WirePage,
  type WireVersion,
} from '../registry/platform.ts'

let platform: TestPlatform
let pool: SandboxPool
let deps: CheckDependencies
beforeAll(async () => {
  platform = await openTestPlatform()
  pool = await makeSandboxPool({ workers: 1 })
  const { db, clock } = platform
  deps = { db, sandbox: pool, catalog: () => platform.catalog, clock, random: systemRandom, log: quietLog }
})
afterAll(async () => {
  await pool.close()
  await platform.close()
})

interface WireSubmission {
  readonly id: string
  readonly state: string
  readonly findings: readonly {
    readonly ruleId: string
    readonly severity: string
    readonly message: string
  }[]
}

/** Uploads and submits; `read` gives the submission as the developer sees it now. */
async function submit(bytes: Uint8Array, appClass = 'mini-program') {
  const { owner, appId } = await makeTeam(platform, appClass)
  const { id: versionId } = await platform.call<WireVersion>('version.upload', owner, { appId }, bytes)
  const { id: caseId } = await platform.call<WireSubmission>('version.submit', owner, { appId, versionId })
  const read = async () => {
    const page = await platform.call<WirePage<WireSubmission>>('submission.list', owner, { appId, versionId })
    return page.data[0]
  }
  const withdraw = () => platform.call('version.withdraw', owner, { appId, versionId })
  return { caseId, read, withdraw }
}

test('the example passes the checks without a finding', async () => {
  const { caseId, read } = await submit(await packFolder('examples/thank-you'))
  await checkCase(deps, caseId)
  expect(await read()).toMatchObject({ state: 'in_review', findings: [] })
})

test('a package without handlers has nothing to be checked', async () => {
  const { caseId, read } = await submit(await packageOf(backendManifest, {}), 'backend')
  await checkCase(deps, caseId)
  expect(await read()).toMatchObject({ state: 'in_review', findings: [] })
})

test.each([
  ['throws while it loads', 'const a = 1\nnull.x\n', 2],
  ['is a module', "import a from 'a'\non('order.paid', a)\n", 1],
  ['never finishes loading', 'for (;;) {}', null],
])('a bundle that %s gets a blocker', async (_what, handlers, line) => {
  const { caseId, read } = await submit(await packageOf({}, { 'handlers.js': handlers }))
  await checkCase(deps, caseId)
  const submission = await read()
  expect(submission).toMatchObject({
    state: 'in_review',
    findings: [{ ruleId: 'handlers.boot', severity: 'blocker', path: 'handlers.js', line }],
  })
})

test('an event without a handler and a handler without its event are noticed', async () => {
  const handlers = "on('order.created', () => {})\non('order\\u0000.x', () => {})\n"
  const { caseId, read } = await submit(await packageOf({}, { 'handlers.js': handlers }))
  await checkCase(deps, caseId)
  const submission = await read()
  expect(submission?.findings.map(({ ruleId, severity }) => `${severity} ${ruleId}`)).toEqual([
    'warning handlers.event_undeclared',
    'warning handlers.event_undeclared',
    'warning handlers.event_unhandled',
  ])
  expect(JSON.stringify(submission)).toContain('order\\\\u{0}.x')
})

test('checking a case again, or twice at once, leaves each finding there once', async () => {
  const { caseId, read } = await submit(await packageOf({}, { 'handlers.js': "on('x', () => {})" }))
  await Promise.all([checkCase(deps, caseId), checkCase(deps, caseId)])
  await checkCase(deps, caseId)
  const submission = await read()
  expect(submission?.findings).toHaveLength(2)
  expect(submission?.state).toBe('in_review')
})

test('a case that a killed worker left in checking is checked again', async () => {
  const { caseId, read } = await submit(await packageOf())
  await platform.db.queries.reviewCase.update({ where: { id: caseId }, data: { state: 'checking' } })
  await checkCase(deps, caseId)
  expect((await read())?.state).toBe('in_review')
})

test('a case withdrawn while it is checked stays withdrawn', async () => {
  const { caseId, read, withdraw } = await submit(await packageOf())
  const check = async (): Promise<ProgramCheck> => {
    await withdraw()
    return { ok: false, problem: { code: 'sandbox.load_failed', message: 'whatever' } }
  }
  await checkCase({ ...deps, sandbox: { check } }, caseId)
  expect(await read()).toMatchObject({ state: 'withdrawn', findings: [] })
  await checkCase(deps, caseId)
  expect((await read())?.state).toBe('withdrawn')
})

test('a sandbox that is busy is no finding: the case waits in checking', async () => {
  const { caseId, read } = await submit(await packageOf())
  for (const code of ['sandbox.pool_full', 'sandbox.closed'] as const) {
    const check = (): Promise<ProgramCheck> =>
      Promise.resolve({ ok: false, problem: { code, message: 'no room' } })
    await expect(checkCase({ ...deps, sandbox: { check } }, caseId)).rejects.toMatchObject({ status: 503 })
    expect(await read()).toMatchObject({ state: 'checking', findings: [] })
  }
  await checkCase(deps, caseId)
  expect((await read())?.state).toBe('in_review')
})

test('a case that is not there is nothing to do', async () => {
  await checkCase(deps, 'rev_01JD0000000000000000000000')
})

test('a start wakes the cases whose checks never finished, and so does each sweep', async () => {
  const { caseId, read } = await submit(await packageOf())
  const woken: string[] = []
  let handler: (key: string) => Promise<void> = () => Promise.reject(new Error('nothing works yet'))
  let sweep: () => Promise<void> = () => Promise.reject(new Error('nothing sweeps yet'))
  const queue = {
    wake: (_name: string, { key }: { readonly key: string }) => Promise.resolve(woken.push(key) > 0),
    work: (_name: string, run: (key: string) => Promise<void>) => {
      handler = run
    },
    every: (_name: string, _intervalMs: number, run: () => Promise<void>) => {
      sweep = run
    },
  }
  await startReviewJobs({ ...deps, queue })
  expect(woken).toContain(caseId)
  await makeWakeChecks(queue)(caseId)
  await handler(caseId)
  expect((await read())?.state).toBe('in_review')
  woken.length = 0
  await sweep()
  expect(woken).not.toContain(caseId)
})
