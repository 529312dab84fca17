import { afterAll, beforeAll, expect, test } from 'vitest'
import { packFolder } from '../../../runtime/node/index.ts'
import { sha256Hex } from '../../../src/kernel/index.ts'
import { makeZip } from '../../support/zip.ts'
import {
  backendManifest,
  goodManifest,
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

async function everythingStored() {
  const { version, blob, reviewCase } = platform.db.queries
  return [await version.count(), await blob.count(), await reviewCase.count()]
}

test('a package becomes a draft version, and its bytes can be read back', async () => {
  const { owner, appId } = await makeTeam(platform)
  const bytes = await packageOf()
  const version = await platform.call<WireVersion>('version.upload', owner, { appId }, bytes)
  expect(version).toMatchObject({ appId, code: 1, name: '1.0.0', state: 'draft', manifest: goodManifest })
  expect(version).toMatchObject({ packageSha256: sha256Hex(bytes), packageBytes: bytes.length })

  const read = await platform.call('version.get', owner, { appId, versionId: version.id })
  expect(read).toEqual(version)
  const download = await platform.call<{ readonly contentBase64: string }>('version.download', owner, {
    appId,
    versionId: version.id,
  })
  expect(Buffer.from(download.contentBase64, 'base64').equals(bytes)).toBe(true)
})

test('the same bytes again are the same version', async () => {
  const { owner, appId } = await makeTeam(platform)
  const bytes = await packageOf()
  const first = await platform.call<WireVersion>('version.upload', owner, { appId }, bytes)
  await platform.call('version.submit', owner, { appId, versionId: first.id })
  const again = await platform.call<WireVersion>('version.upload', owner, { appId }, bytes)
  expect(again).toMatchObject({ id: first.id, state: 'submitted' })
  expect(await platform.db.queries.version.count({ where: { appId } })).toBe(1)
})

test('the same bytes in two apps are two versions and one blob', async () => {
  const [one, two] = [await makeTeam(platform), await makeTeam(platform)]
  const bytes = await packageOf({ description: 'Shared' })
  for (const { owner, appId } of [one, two]) await platform.call('version.upload', owner, { appId }, bytes)
  expect(await platform.db.queries.version.count({ where: { packageSha256: sha256Hex(bytes) } })).toBe(2)
  expect(await platform.db.queries.blob.count({ where: { sha256: sha256Hex(bytes) } })).toBe(1)
})

test('of uploads with one code at once the first is kept and the others say why not', async () => {
  const { owner, appId } = await makeTeam(platform)
  const packages = await Promise.all(['a', 'b', 'c'].map((description) => packageOf({ description })))
  const answers = await Promise.allSettled(
    packages.map((bytes) => platform.call('version.upload', owner, { appId }, bytes)),
  )
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  for (const { code, options } of refusals) {
    expect(code).toBe('registry.package_refused')
    expect(options.errors).toMatchObject([
      { pointer: '/version/code', code: 'package.version_code_not_higher' },
    ])
  }
})

test('the same bytes at once are one version', async () => {
  const { owner, appId } = await makeTeam(platform)
  const bytes = await packageOf()
  const answers = await Promise.all(
    [1, 2, 3].map(() => platform.call<WireVersion>('version.upload', owner, { appId }, bytes)),
  )
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
})

test.each([
  ['is not a ZIP', () => Buffer.from('PK? No.'), 'package.not_a_zip'],
  ['is empty', () => new Uint8Array(), 'package.not_a_zip'],
  ['has no manifest', () => makeZip({ 'tea/manifest.json': '{}' }), 'package.manifest_not_found'],
  ['has a broken manifest', () => makeZip({ 'manifest.json': '{"app_id":' }), 'package.manifest_not_json'],
  ['is too large', () => new Uint8Array(2 * 1024 * 1024 + 1), 'package.too_large'],
])('a file that %s is refused and nothing of it is kept', async (_what, make, code) => {
  const { owner, appId } = await makeTeam(platform)
  const before = await everythingStored()
  const problem = await platform.refused('version.upload', owner, { appId }, await make())
  expect(problem).toMatchObject({ status: 422, code: 'registry.package_refused', errors: [{ code }] })
  expect(await everythingStored()).toEqual(before)
})

test('one answer names everything that is wrong with manifest and handlers', async () => {
  const { owner, appId } = await makeTeam(platform)
  const before = await everythingStored()
  const manifest = {
    name: undefined,
    lang: 'english!',
    dir: 'up',
    stoa_pages: [],
    stoa_scopes: { required: [{ name: 'order:raed', purpose: { en: 'Reads' }, why: 'x' }] },
    stoa_events: [{ type: 'order.payed', version: 1 }],
    pages: ['pages/none'],
  }
  const bytes = await packageOf(manifest, {
    'handlers.js': "on('order.paid', async (event) => {\n  return event.\n})\n",
  })
  const problem = await platform.refused('version.upload', owner, { appId }, bytes)
  expect(problem.errors?.map(({ pointer, code }) => `${code} ${pointer}`).toSorted()).toEqual([
    'package.event_type_unknown /stoa_events/0/type',
    'package.member_invalid /dir',
    'package.member_invalid /lang',
    'package.member_missing /name',
    'package.member_unknown /stoa_pages',
    'package.member_unknown /stoa_scopes/required/0/why',
    'package.page_missing /pages/0',
    'package.scope_unknown /stoa_scopes/required/0/name',
    'registry.handlers_syntax /stoa_handlers',
  ])
  const fixes = problem.errors?.map(({ fix = '' }) => fix) ?? []
  expect(fixes).toContain('Did you mean order:read?')
  expect(fixes).toContain('Write a BCP 47 language tag, such as en or zh-CN.')
  expect(fixes).not.toContain('')
  const syntax = problem.errors?.find(({ code }) => code === 'registry.handlers_syntax')
  expect(syntax?.message).toMatch(/^handlers\.js:3:1: /)
  expect(await everythingStored()).toEqual(before)
})

test('handlers that are not UTF-8, too large or nested without end are refused', async () => {
  const { owner, appId } = await makeTeam(platform)
  const lines = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index)).join('')
  const cases = [
    ['registry.handlers_syntax', Uint8Array.of(0x22, 0xff, 0x22)],
    [
      'registry.handlers_too_large',
      lines(
        60_000,
        (index) => `// ${index}
`,
      ),
    ],
    ['registry.handlers_too_complex', `${lines(5_000, (index) => `a${index}=>`)}1`],
  ] as const
  for (const [code, handlers] of cases) {
    const problem = await platform.refused(
      'version.upload',
      owner,
      { appId },
      await packageOf({}, { 'handlers.js': handlers }),
    )
    expect(problem).toMatchObject({ code: 'registry.package_refused', errors: [{ code }] })
  }
  // The parser that was killed is not missed.
  await platform.call('version.upload', owner, { appId }, await packageOf())
})

test('code at the top level of a bundle does not run when it is uploaded', async () => {
  const { owner, appId } = await makeTeam(platform)
  const handlers = "globalThis.ran = true\nprocess.exit(3)\non('order.paid', () => {})\n"
  await platform.call('version.upload', owner, { appId }, await packageOf({}, { 'handlers.js': handlers }))
  expect(Reflect.get(globalThis, 'ran')).toBeUndefined()
})

test('a backend app uploads a manifest and nothing else', async () => {
  const { owner, appId } = await makeTeam(platform, 'backend')
  const withHandlers = await platform.refused('version.upload', owner, { appId }, await packageOf())
  expect(withHandlers.errors).toMatchObject([{ code: 'package.handlers_not_allowed' }])
  const version = await platform.call(
    'version.upload',
    owner,
    { appId },
    await packageOf(backendManifest, {}),
  )
  expect(version).toMatchObject({ state: 'draft' })
})

test('continuous integration may upload, a viewer may not', async () => {
  const { publisherId, appId } = await makeTeam(platform)
  const ci = await platform.person({ publishers: { [publisherId]: 'ci' } })
  const viewer = await platform.person({ publishers: { [publisherId]: 'viewer' } })
  const refusal = await platform.refused('version.upload', viewer, { appId }, await packageOf())
  expect(refusal.code).toBe('capability.role_required')
  const version = await platform.call('version.upload', ci, { appId }, await packageOf())
  expect(version).toMatchObject({ uploadedBy: ci.personId })
})

test('versions are listed highest code first, page by page', async () => {
  const { owner, appId } = await makeTeam(platform)
  for (const code of [1, 2, 5]) {
    await platform.call('version.upload', owner, { appId }, await packageOf(versionCode(code)))
  }
  type Versions = WirePage<WireVersion>
  const first = await platform.call<Versions>('version.list', owner, { appId, limit: 2 })
  const rest = await platform.call<Versions>('version.list', owner, {
    appId,
    limit: 2,
    after: first.nextCursor,
  })
  expect([first, rest].map(({ data }) => data.map(({ code }) => code))).toEqual([[5, 2], [1]])
})

test('another publisher’s version is refused word for word as a missing one', async () => {
  const { owner, appId } = await makeTeam(platform)
  const { owner: stranger, appId: own } = await makeTeam(platform)
  const { id: versionId } = await platform.call<WireVersion>(
    'version.upload',
    owner,
    { appId },
    await packageOf(),
  )
  const missing = { appId: 'app_01JD0000000000000000000000', versionId: 'ver_01JD0000000000000000000000' }
  for (const operation of [
    'version.get',
    'version.download',
    'version.submit',
    'version.withdraw',
    'submission.list',
  ]) {
    const nothing = await platform.refused(operation, stranger, missing)
    expect(nothing).toMatchObject({ status: 404, code: 'registry.version_not_found' })
    expect(await platform.refused(operation, stranger, { appId, versionId })).toEqual(nothing)
    // Not through the door of an own app either.
    expect(await platform.refused(operation, stranger, { appId: own, versionId })).toEqual(nothing)
  }
  const bytes = await packageOf()
  const upload = await platform.refused('version.upload', stranger, { appId }, bytes)
  expect(upload).toEqual(await platform.refused('version.upload', stranger, { appId: missing.appId }, bytes))
  expect(upload.code).toBe('registry.app_not_found')
})

test('the same folder packs to the same bytes, and the example is a good package', async () => {
  const { owner, appId } = await makeTeam(platform)
  const [one, two] = [await packFolder('examples/thank-you'), await packFolder('examples/thank-you')]
  expect(sha256Hex(one)).toBe(sha256Hex(two))
  const version = await platform.call('version.upload', owner, { appId }, one)
  expect(version).toMatchObject({ state: 'draft', name: '1.0.0' })
})
