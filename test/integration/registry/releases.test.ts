import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId, systemRandom, toDate } from '../../../src/kernel/index.ts'
import {
  findApp,
  findReleasedVersions,
  findVersion,
  listMarket,
  readPackageFiles,
} from '../../../src/registry/index.ts'
import {
  approved,
  backendManifest,
  makeTeam,
  openTestPlatform,
  packageOf,
  type TestPlatform,
  versionCode,
  type WirePage,
  type WireVersion,
} from './platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await openTestPlatform()
})
afterAll(() => platform.close())

interface WireRelease {
  readonly id: string
  readonly versionId: string
  readonly state: string
}

function activeReleases(appId: string) {
  return platform.db.queries.release.findMany({ where: { appId, state: 'active' } })
}

test('an approved version is released to everyone, once', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { id: versionId } = await approved(platform, team)
  const release = await platform.call('release.create', owner, { appId, versionId })
  expect(release).toMatchObject({ appId, versionId, cohort: 'all', percentage: 100, state: 'active' })
  expect(await platform.call('version.get', owner, { appId, versionId })).toMatchObject({ state: 'released' })
  const again = await platform.refused('release.create', owner, { appId, versionId })
  expect(again).toMatchObject({ status: 409, code: 'registry.version_not_approved' })
})

test('a version that is not approved is not released', async () => {
  const { owner, appId } = await makeTeam(platform)
  const { id: versionId } = await platform.call<WireVersion>(
    'version.upload',
    owner,
    { appId },
    await packageOf(),
  )
  for (const step of ['version.submit', 'version.withdraw']) {
    const problem = await platform.refused('release.create', owner, { appId, versionId })
    expect(problem).toMatchObject({ status: 409, code: 'registry.version_not_approved' })
    await platform.call(step, owner, { appId, versionId })
  }
  const missing = { appId, versionId: 'ver_01JD0000000000000000000000' }
  expect(await platform.refused('release.create', owner, missing)).toMatchObject({
    status: 404,
    code: 'registry.version_not_found',
  })
  expect(await activeReleases(appId)).toEqual([])
})

test('another publisher’s app or version is not released', async () => {
  const theirs = await makeTeam(platform)
  const { owner, appId } = await makeTeam(platform)
  const { id: versionId } = await approved(platform, theirs)
  const foreign = await platform.refused('release.create', owner, { appId: theirs.appId, versionId })
  const missing = { appId: 'app_01JD0000000000000000000000', versionId }
  expect(foreign).toEqual(await platform.refused('release.create', owner, missing))
  const inOwnApp = await platform.refused('release.create', owner, { appId, versionId })
  const nothing = await platform.refused('release.create', owner, {
    appId,
    versionId: 'ver_01JD0000000000000000000000',
  })
  expect(inOwnApp).toEqual(nothing)
})

test('a new release ends the one before, whose version stays for grants that do not cover the new one', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const one = await approved(platform, team, versionCode(1))
  const two = await approved(platform, team, versionCode(2))
  await platform.call('release.create', owner, { appId, versionId: one.id })
  await platform.call('release.create', owner, { appId, versionId: two.id })
  const releases = await platform.call<WirePage<WireRelease>>('release.list', owner, { appId })
  expect(releases.data.map(({ versionId, state }) => [versionId, state])).toEqual([
    [two.id, 'active'],
    [one.id, 'ended'],
  ])
  const released = await findReleasedVersions(platform.db.queries, appId)
  expect(released.map(({ id }) => id)).toEqual([two.id, one.id])
})

test('of two releases at once exactly one is active in the end', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const versions = [
    await approved(platform, team, versionCode(1)),
    await approved(platform, team, versionCode(2)),
  ]
  await Promise.all(
    versions.map(({ id }) => platform.call('release.create', owner, { appId, versionId: id })),
  )
  expect(await activeReleases(appId)).toHaveLength(1)
})

test('the same version released twice at once is released once', async () => {
  const team = await makeTeam(platform)
  const { owner, appId } = team
  const { id: versionId } = await approved(platform, team)
  const asked = await Promise.allSettled(
    [1, 2].map(() => platform.call('release.create', owner, { appId, versionId })),
  )
  expect(asked.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(await platform.db.queries.release.count({ where: { appId } })).toBe(1)
})

test('settings hold only redirect URIs of the released manifest', async () => {
  const team = await makeTeam(platform, 'backend')
  const { owner, appId } = team
  const nothing = {
    ...{ redirectUris: [], requirePushedRequest: false },
    ...{ requireDpop: false, requirePrivateKeyJwt: false },
  }
  expect(await platform.call('app.get_settings', owner, { appId })).toEqual(nothing)
  const [uri, other] = backendManifest.stoa_redirect_uris
  const narrowed = { redirectUris: [uri] }
  const early = await platform.refused('app.set_settings', owner, { appId, ...narrowed })
  expect(early).toMatchObject({ status: 422, code: 'registry.redirect_uri_not_reviewed' })

  const bytes = await packageOf(backendManifest, {})
  const version = await platform.call<WireVersion>('version.upload', owner, { appId }, bytes)
  await platform.db.queries.version.update({ where: { id: version.id }, data: { state: 'approved' } })
  await platform.call('release.create', owner, { appId, versionId: version.id })
  expect(await platform.call('app.set_settings', owner, { appId, ...narrowed })).toEqual({
    ...nothing,
    ...narrowed,
  })

  const foreign = { ...narrowed, redirectUris: [other, `${uri}/`, 'https://evil.example/'] }
  const problem = await platform.refused('app.set_settings', owner, { appId, ...foreign })
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['/redirectUris/1', '/redirectUris/2'])
  expect(await platform.call('app.get_settings', owner, { appId })).toEqual({ ...nothing, ...narrowed })
})

test('the market shows a merchant what is released for it and not hidden', async () => {
  const [mine, theirs] = [await platform.merchant(), await platform.merchant()]
  const open = await makeTeam(platform)
  const secret = await makeTeam(platform)
  const hidden = await makeTeam(platform)
  const unreleased = await makeTeam(platform)
  await platform.db.queries.app.update({
    where: { id: secret.appId },
    data: { visibility: 'private', privateMerchantId: theirs },
  })
  for (const team of [open, secret, hidden]) {
    const { id: versionId } = await approved(platform, team)
    await platform.call('release.create', team.owner, { appId: team.appId, versionId })
  }
  await approved(platform, unreleased)
  const ids = { clock: platform.clock, random: systemRandom }
  await platform.db.queries.rule.create({
    data: {
      id: newId('rule', ids),
      effect: 'hide',
      appId: hidden.appId,
      reasonCode: 'SAFETY-TEST-001',
      message: { en: 'Hidden', 'zh-CN': '隐藏' },
      createdBy: 'per_test',
      createdAt: toDate(platform.clock.nowMs()),
    },
  })
  const market = async (merchantId: string) => {
    const page = { rowsMax: 100, after: null, nowMs: platform.clock.nowMs() }
    const entries = await listMarket(platform.db.queries, merchantId, page)
    return entries.map(({ app }) => app.id)
  }
  expect(await market(mine)).toContain(open.appId)
  expect(await market(theirs)).toEqual([secret.appId, ...(await market(mine))])
  const everything = [...(await market(mine)), ...(await market(theirs))]
  expect(everything).not.toContain(hidden.appId)
  expect(everything).not.toContain(unreleased.appId)
})

test('the market goes on where its cursor says', async () => {
  const merchantId = await platform.merchant()
  const page = { rowsMax: 100, after: null, nowMs: platform.clock.nowMs() }
  const all = await listMarket(platform.db.queries, merchantId, page)
  expect(all.length).toBeGreaterThan(2)
  const after = all[0]?.app.id ?? ''
  const rest = await listMarket(platform.db.queries, merchantId, { ...page, after, rowsMax: 2 })
  expect(rest.map(({ app, version }) => [app.id, version.id])).toEqual(
    all.slice(1, 3).map(({ app, version }) => [app.id, version.id]),
  )
})

test('other parts read apps, versions and unpacked files by id', async () => {
  const team = await makeTeam(platform)
  const { appId, publisherId } = team
  const version = await approved(platform, team)
  const { queries } = platform.db
  expect(await findApp(queries, appId)).toMatchObject({ publisherId, publisherName: 'Tea Tools' })
  expect(await findApp(queries, 'app_none')).toBeNull()
  const view = await findVersion(queries, appId, version.id)
  expect(view).toMatchObject({ publisherId, state: 'approved', manifest: { stoa_handlers: 'handlers.js' } })
  expect(await findVersion(queries, 'app_none', version.id)).toBeNull()
  const files = await readPackageFiles(queries, version.packageSha256)
  expect([...files.keys()]).toEqual(['handlers.js', 'manifest.json'])
  expect(await readPackageFiles(queries, version.packageSha256)).toBe(files)
})
