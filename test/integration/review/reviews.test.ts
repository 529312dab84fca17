import { afterAll, beforeAll, expect, test } from 'vitest'
import { toDate } from '../../../src/kernel/index.ts'
import {
  approved,
  makeTeam,
  openTestPlatform,
  packageOf,
  submitted,
  type TestPlatform,
  versionCode,
  type WirePage,
  type WireVersion,
} from '../registry/platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await openTestPlatform()
})
afterAll(() => platform.close())

const reasonText = { en: 'Say what the orders are for.', 'zh-CN': '请说明读取订单的用途和目的。' }
const rejection = { decision: 'reject', reasonCode: 'DATA-PURPOSE-001', reasonText } as const
const missingCase = 'rev_01JD0000000000000000000000'

interface WireCase {
  readonly id: string
  readonly state: string
}

function reviewer() {
  return platform.person({ platform: ['reviewer'] })
}

test('a submitted version has a case about its bytes, and its checks are woken after the commit', async () => {
  const { owner, appId } = await makeTeam(platform)
  const version = await platform.call<WireVersion>('version.upload', owner, { appId }, await packageOf())
  const submission = await platform.call<WireCase>('version.submit', owner, { appId, versionId: version.id })
  expect(submission).toMatchObject({ state: 'submitted', packageSha256: version.packageSha256, findings: [] })
  expect(platform.woken).toContain(submission.id)
  const read = await platform.call('version.get', owner, { appId, versionId: version.id })
  expect(read).toMatchObject({ state: 'submitted' })
})

test('a version is submitted once, even by two at once', async () => {
  const { owner, appId } = await makeTeam(platform)
  const { id: versionId } = await platform.call<WireVersion>(
    'version.upload',
    owner,
    { appId },
    await packageOf(),
  )
  const wokenBefore = platform.woken.length
  const asked = await Promise.allSettled(
    [1, 2].map(() => platform.call('version.submit', owner, { appId, versionId })),
  )
  expect(asked.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  const problem = await platform.refused('version.submit', owner, { appId, versionId })
  expect(problem).toMatchObject({ status: 409, code: 'registry.version_state' })
  expect(await platform.db.queries.reviewCase.count({ where: { versionId } })).toBe(1)
  expect(platform.woken.length).toBe(wokenBefore + 1)
})

test('a reviewer sees what the app may do in words, and its files', async () => {
  const team = await makeTeam(platform)
  const optional = [{ name: 'customer:read', purpose: { en: 'Writes the address on the parcel' } }]
  const required = [{ name: 'order:read', purpose: { en: 'Reads orders' } }]
  const { version, caseId } = await submitted(platform, team, { stoa_scopes: { required, optional } })
  const detail = await platform.call('review_case.get', await reviewer(), { caseId })
  expect(detail).toMatchObject({
    id: caseId,
    appName: 'Tea',
    publisherName: 'Tea Tools',
    versionCode: 1,
    state: 'in_review',
    packageSha256: version.packageSha256,
    manifest: { stoa_handlers: 'handlers.js' },
    permissions: [
      { scope: 'order:read', required: true, purpose: { en: 'Reads orders' } },
      { scope: 'customer:read', required: false, sensitivity: 'private' },
    ],
    files: [{ path: 'handlers.js' }, { path: 'manifest.json' }],
  })
  const scope = platform.catalog.scopes.get('order:read')
  expect(detail).toMatchObject({ permissions: [{ title: scope?.title, consent: scope?.consent }, {}] })
  const content = await platform.call<{ readonly contentBase64: string }>(
    'review_case.download',
    await reviewer(),
    { caseId },
  )
  expect(Buffer.from(content.contentBase64, 'base64').subarray(0, 2).toString()).toBe('PK')
})

test('an approval moves case and version together and releases nothing', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { version, caseId } = await submitted(platform, team)
  const caller = await reviewer()
  const { packageSha256 } = version
  const decided = await platform.call('review_case.decide', caller, {
    caseId,
    decision: 'approve',
    packageSha256,
  })
  expect(decided).toMatchObject({ state: 'approved', decidedBy: caller.personId, reasonCode: null })
  const read = await platform.call('version.get', owner, { appId, versionId: version.id })
  expect(read).toMatchObject({ state: 'approved' })
  expect(await platform.db.queries.release.count({ where: { appId } })).toBe(0)
})

test('the submissions of a version are listed newest first, page by page', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { version, caseId } = await submitted(platform, team)
  const versionId = version.id
  const { id: _id, ...row } = await platform.db.queries.reviewCase.findUniqueOrThrow({
    where: { id: caseId },
    omit: { reasonText: true },
  })
  const newer = 'rev_7ZZZZZZZZZZZZZZZZZZZZZZZZZ'
  await platform.db.queries.reviewCase.create({
    data: { ...row, id: newer, state: 'rejected', openedAt: toDate(platform.clock.nowMs()) },
  })
  type Submissions = WirePage<WireCase & { readonly id: string }>
  const list = (page: object) =>
    platform.call<Submissions>('submission.list', owner, { appId, versionId, ...page })
  const first = await list({ limit: 1 })
  const rest = await list({ limit: 1, after: first.nextCursor })
  expect([first, rest].map(({ data }) => data.map(({ id }) => id))).toEqual([[newer], [caseId]])
  expect([first.hasMore, rest.hasMore]).toEqual([true, false])
})

test('a rejection says why in both languages, and the developer reads it', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { version, caseId } = await submitted(platform, team)
  const caller = await reviewer()
  const { packageSha256 } = version
  const bare = await platform.refused('review_case.decide', caller, {
    caseId,
    decision: 'reject',
    packageSha256,
  })
  expect(bare).toMatchObject({ status: 422, code: 'review.reason_required' })
  expect(bare.errors?.map(({ pointer }) => pointer)).toEqual(['/reasonCode', '/reasonText'])

  await platform.call('review_case.decide', caller, { caseId, packageSha256, ...rejection })
  const submissions = await platform.call<WirePage<WireCase>>('submission.list', owner, {
    appId,
    versionId: version.id,
  })
  expect(submissions.data).toMatchObject([{ state: 'rejected', reasonCode: 'DATA-PURPOSE-001', reasonText }])
  expect(JSON.stringify(submissions)).not.toContain(caller.personId)
  const read = await platform.call('version.get', owner, { appId, versionId: version.id })
  expect(read).toMatchObject({ state: 'rejected' })
  // The same bytes are not reviewed again; a changed package is another version.
  const again = await platform.refused('version.submit', owner, { appId, versionId: version.id })
  expect(again.code).toBe('registry.version_state')
  await submitted(platform, team, versionCode(2))
})

test('of two decisions at once exactly one counts', async () => {
  for (const _round of [1, 2, 3]) {
    const team = await makeTeam(platform)
    const { version, caseId } = await submitted(platform, team)
    const { packageSha256 } = version
    const approval = { caseId, packageSha256, decision: 'approve' }
    const asked = await Promise.allSettled([
      platform.call<WireCase>('review_case.decide', await reviewer(), approval),
      platform.call<WireCase>('review_case.decide', await reviewer(), { ...approval, ...rejection }),
    ])
    const won = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.state] : []))
    const lost = asked.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []))
    expect(lost).toEqual(['review.case_state'])
    const { state } = await platform.db.queries.version.findUniqueOrThrow({ where: { id: version.id } })
    const row = await platform.db.queries.reviewCase.findUniqueOrThrow({ where: { id: caseId } })
    expect([state, row.state]).toEqual([won[0], won[0]])
  }
})

test('a case is decided once', async () => {
  const team = await makeTeam(platform)
  const version = await approved(platform, team)
  const row = await platform.db.queries.reviewCase.findFirstOrThrow({ where: { versionId: version.id } })
  for (const decision of [{ decision: 'approve' }, rejection]) {
    const { packageSha256 } = version
    const input = { caseId: row.id, packageSha256, ...decision }
    const problem = await platform.refused('review_case.decide', await reviewer(), input)
    expect(problem).toMatchObject({ status: 409, code: 'review.case_state' })
  }
})

test('a decision is about the bytes of the case and no others', async () => {
  const team = await makeTeam(platform)
  const { caseId } = await submitted(platform, team)
  const input = { caseId, decision: 'approve', packageSha256: 'a'.repeat(64) }
  const problem = await platform.refused('review_case.decide', await reviewer(), input)
  expect(problem).toMatchObject({ status: 409, code: 'review.package_differs' })
})

test('nobody decides before the checks have finished', async () => {
  const team = await makeTeam(platform)
  const { version, caseId } = await submitted(platform, team)
  const { packageSha256 } = version
  for (const state of ['submitted', 'checking']) {
    await platform.db.queries.reviewCase.update({ where: { id: caseId }, data: { state } })
    const input = { caseId, decision: 'approve', packageSha256 }
    const problem = await platform.refused('review_case.decide', await reviewer(), input)
    expect(problem).toMatchObject({ status: 409, code: 'review.case_state' })
  }
})

test('nobody decides about an app of their own team, nor about what they uploaded themselves', async () => {
  const team = await makeTeam(platform)
  const { version, caseId } = await submitted(platform, team)
  const member = await platform.person({
    publishers: { [team.publisherId]: 'viewer' },
    platform: ['reviewer'],
  })
  const leaver = { ...team.owner, publishers: new Map(), platformRoles: new Set(['reviewer']) }
  for (const caller of [member, leaver]) {
    for (const decision of [{ decision: 'approve' }, rejection]) {
      const input = { caseId, packageSha256: version.packageSha256, ...decision }
      const problem = await platform.refused('review_case.decide', caller, input)
      expect(problem).toMatchObject({ status: 403, code: 'review.own_app' })
    }
  }
})

test('what a check calls a blocker is not approved, but can be rejected', async () => {
  const team = await makeTeam(platform)
  const { version, caseId } = await submitted(platform, team)
  const { packageSha256 } = version
  await platform.db.queries.finding.create({
    data: {
      id: 'fnd_01JD0000000000000000000000',
      reviewCaseId: caseId,
      ruleId: 'handlers.boot',
      severity: 'blocker',
      message: 'The sandbox cannot load it.',
      createdAt: '2026-01-01T00:00:00Z',
    },
  })
  const input = { caseId, packageSha256, decision: 'approve' }
  const problem = await platform.refused('review_case.decide', await reviewer(), input)
  expect(problem).toMatchObject({ status: 409, code: 'review.blocker_found' })
  await platform.call('review_case.decide', await reviewer(), { caseId, packageSha256, ...rejection })
})

test('only reviewers decide, only staff looks, and developers see none of it', async () => {
  const team = await makeTeam(platform)
  const { version, caseId } = await submitted(platform, team)
  const operator = await platform.person({ platform: ['operator'] })
  const input = { caseId, decision: 'approve', packageSha256: version.packageSha256 }
  expect(await platform.call('review_case.get', operator, { caseId })).toMatchObject({ id: caseId })
  for (const refused of [
    await platform.refused('review_case.decide', operator, input),
    await platform.refused('review_case.decide', team.owner, input),
    await platform.refused('review_case.get', team.owner, { caseId }),
    await platform.refused('review_case.list', team.owner),
  ]) {
    expect(refused).toMatchObject({ status: 403, code: 'capability.role_required' })
  }
  const app = await platform.refused('review_case.list', {
    kind: 'app',
    appId: team.appId,
    installation: null,
    scopes: new Set(),
    bounds: [],
    personId: null,
  })
  expect(app.status).toBe(403)
})

test('an unknown case is not found', async () => {
  const caller = await reviewer()
  const packageSha256 = 'a'.repeat(64)
  for (const [operation, input] of [
    ['review_case.get', {}],
    ['review_case.download', {}],
    ['review_case.decide', { decision: 'approve', packageSha256 }],
  ] as const) {
    const problem = await platform.refused(operation, caller, { caseId: missingCase, ...input })
    expect(problem).toMatchObject({ status: 404, code: 'review.case_not_found' })
  }
})

test('a version with an open review can be withdrawn; a decided and a released one cannot be decided or taken back', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { version, caseId } = await submitted(platform, team)
  const withdrawn = await platform.call('version.withdraw', owner, { appId, versionId: version.id })
  expect(withdrawn).toMatchObject({ state: 'withdrawn' })
  const input = { caseId, decision: 'approve', packageSha256: version.packageSha256 }
  const late = await platform.refused('review_case.decide', await reviewer(), input)
  expect(late).toMatchObject({ status: 409, code: 'review.case_state' })

  const next = await approved(platform, team, versionCode(2))
  await platform.call('release.create', owner, { appId, versionId: next.id })
  const problem = await platform.refused('version.withdraw', owner, { appId, versionId: next.id })
  expect(problem).toMatchObject({ status: 409, code: 'registry.version_state' })
})

test('a withdrawn approval keeps its case as it was decided', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const version = await approved(platform, team)
  await platform.call('version.withdraw', owner, { appId, versionId: version.id })
  const row = await platform.db.queries.reviewCase.findFirstOrThrow({ where: { versionId: version.id } })
  expect(row.state).toBe('approved')
  const problem = await platform.refused('release.create', owner, { appId, versionId: version.id })
  expect(problem.code).toBe('registry.version_not_approved')
})

test('the queue shows open cases, oldest first, page by page, or those in one state', async () => {
  const team = await makeTeam(platform)
  const caller = await reviewer()
  const opened: string[] = []
  for (const code of [1, 2, 3]) {
    const { caseId } = await submitted(platform, team, versionCode(code))
    opened.push(caseId)
  }
  type Cases = WirePage<WireCase>
  const all = await platform.call<Cases>('review_case.list', caller, { limit: 200 })
  const ids = all.data.map(({ id }) => id)
  expect(ids.slice(-3)).toEqual(opened)
  expect(new Set(all.data.map(({ state }) => state))).not.toContain('approved')
  const [first = '', second = '', third = ''] = ids
  const page = await platform.call<Cases>('review_case.list', caller, { limit: 2, after: first })
  expect(page.data.map(({ id }) => id)).toEqual([second, third])
  const decided = await platform.call<Cases>('review_case.list', caller, { state: 'approved' })
  expect(new Set(decided.data.map(({ state }) => state))).toEqual(new Set(['approved']))
})
