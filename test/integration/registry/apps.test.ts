import { afterAll, beforeAll, expect, test } from 'vitest'
import { isWellFormedToken } from '../../../src/kernel/index.ts'
import { makeTeam, openTestPlatform, type TestPlatform, type WirePage } from './platform.ts'

let platform: TestPlatform
beforeAll(async () => {
  platform = await openTestPlatform()
})
afterAll(() => platform.close())

const missing = { app: 'app_01JD0000000000000000000000', credential: 'crd_01JD0000000000000000000000' }

test('an app with a server gets a secret that is shown once and kept as a hash', async () => {
  const { owner, appId, clientSecret } = await makeTeam(platform, 'backend')
  expect(isWellFormedToken('clientSecret', clientSecret ?? '')).toBe(true)
  const rows = await platform.db.queries.credential.findMany({ where: { appId } })
  expect(rows.map(({ secretHash }) => secretHash)).toEqual([platform.hashClientSecret(clientSecret ?? '')])
  const answers = [
    await platform.call('app.get', owner, { appId }),
    await platform.call('app.list', owner),
    await platform.call('credential.list', owner, { appId }),
  ]
  expect(JSON.stringify(answers)).not.toContain(clientSecret)
})

test('the client_id of an app is its id', async () => {
  const { owner, appId } = await makeTeam(platform)
  const app = await platform.call('app.get', owner, { appId })
  expect(app).toMatchObject({ id: appId, clientId: appId, class: 'mini-program', visibility: 'public' })
})

test('a mini-program gets no secret, at first and later', async () => {
  const { owner, appId, clientSecret } = await makeTeam(platform)
  expect(clientSecret).toBeNull()
  const problem = await platform.refused('credential.create', owner, { appId })
  expect(problem).toMatchObject({ status: 409, code: 'registry.secret_not_for_class' })
})

test('of two live secrets one can be revoked and replaced, a third is refused', async () => {
  const { owner, appId } = await makeTeam(platform, 'both')
  const second = await platform.call<{ readonly id: string; readonly clientSecret: string }>(
    'credential.create',
    owner,
    { appId },
  )
  const problem = await platform.refused('credential.create', owner, { appId })
  expect(problem).toMatchObject({ status: 409, code: 'registry.too_many_credentials' })

  await platform.call('credential.revoke', owner, { appId, credentialId: second.id })
  const third = await platform.call<{ readonly id: string }>('credential.create', owner, { appId })
  const live = await platform.call<WirePage<{ readonly id: string; readonly hint: string }>>(
    'credential.list',
    owner,
    { appId },
  )
  expect(live.data.map(({ id }) => id)).toContain(third.id)
  expect(live.data.map(({ id }) => id)).not.toContain(second.id)
  const again = await platform.refused('credential.revoke', owner, { appId, credentialId: second.id })
  expect(again).toMatchObject({ status: 404, code: 'registry.credential_not_found' })
})

test('two secrets asked for at once are still at most two in all', async () => {
  const { owner, appId } = await makeTeam(platform, 'backend')
  const asked = await Promise.allSettled(
    [1, 2, 3].map(() => platform.call('credential.create', owner, { appId })),
  )
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('a private app names its merchant, and no other app does', async () => {
  const publisherId = await platform.publisher()
  const owner = await platform.person({ publishers: { [publisherId]: 'owner' } })
  const privateMerchantId = await platform.merchant()
  const app = { publisherId, name: 'Private', class: 'backend' }
  const answers = await Promise.all([
    platform.refused('app.create', owner, { ...app, visibility: 'private' }),
    platform.refused('app.create', owner, { ...app, privateMerchantId }),
    platform.refused('app.create', owner, {
      ...app,
      visibility: 'private',
      privateMerchantId: 'mer_01JD0000000000000000000000',
    }),
  ])
  expect(answers.map(({ status, code }) => `${status} ${code}`)).toEqual([
    '422 registry.private_merchant_missing',
    '422 registry.private_merchant_missing',
    '404 registry.merchant_not_found',
  ])
  expect(await platform.db.queries.app.count({ where: { publisherId } })).toBe(0)
  const made = await platform.call('app.create', owner, { ...app, visibility: 'private', privateMerchantId })
  expect(made).toMatchObject({ visibility: 'private', privateMerchantId })
})

test('wrong input is refused with a pointer for every place', async () => {
  const publisherId = await platform.publisher()
  const owner = await platform.person({ publishers: { [publisherId]: 'owner' } })
  const name = 'x\u202Ey'
  const problem = await platform.refused('app.create', owner, {
    publisherId,
    name,
    class: 'plugin',
    extra: 1,
  })
  expect(problem).toMatchObject({ status: 400, code: 'capability.invalid_input' })
  expect(problem.errors?.map(({ pointer }) => pointer).toSorted()).toEqual(['/class', '/extra', '/name'])
})

test('a viewer and continuous integration may look at an app and not change it', async () => {
  const { publisherId, appId } = await makeTeam(platform, 'backend')
  for (const role of ['viewer', 'ci']) {
    const member = await platform.person({ publishers: { [publisherId]: role } })
    expect(await platform.call('app.get', member, { appId })).toMatchObject({ id: appId })
    const refusals = [
      await platform.refused('app.create', member, { publisherId, name: 'Mine', class: 'backend' }),
      await platform.refused('credential.list', member, { appId }),
      await platform.refused('credential.create', member, { appId }),
    ]
    for (const problem of refusals) {
      expect(problem).toMatchObject({ status: 403, code: 'capability.role_required' })
    }
  }
})

test('a list of apps goes on where its cursor says', async () => {
  const publisherId = await platform.publisher()
  const owner = await platform.person({ publishers: { [publisherId]: 'owner' } })
  for (const name of ['One', 'Two', 'Three']) {
    await platform.call('app.create', owner, { publisherId, name, class: 'backend' })
  }
  type Apps = WirePage<{ readonly name: string }>
  const first = await platform.call<Apps>('app.list', owner, { limit: 2 })
  const rest = await platform.call<Apps>('app.list', owner, { limit: 2, after: first.nextCursor })
  expect([first, rest].map(({ data }) => data.map(({ name }) => name))).toEqual([['Three', 'Two'], ['One']])
  expect([first.hasMore, rest.hasMore, rest.nextCursor]).toEqual([true, false, null])
})

test('another publisher’s app is refused word for word as a missing one', async () => {
  const { appId } = await makeTeam(platform, 'backend')
  const { owner: stranger, appId: own } = await makeTeam(platform, 'backend')
  const settings = { redirectUris: [] }
  for (const [operation, input] of [
    ['app.get', {}],
    ['app.get_settings', {}],
    ['app.set_settings', settings],
    ['credential.list', {}],
    ['credential.create', {}],
    ['credential.revoke', { credentialId: missing.credential }],
    ['version.list', {}],
    ['release.list', {}],
  ] as const) {
    const foreign = await platform.refused(operation, stranger, { appId, ...input })
    expect(foreign).toEqual(await platform.refused(operation, stranger, { appId: missing.app, ...input }))
    expect(foreign).toMatchObject({ status: 404, code: 'registry.app_not_found' })
  }
  const [live] = await platform.db.queries.credential.findMany({ where: { appId } })
  const ofAnotherApp = await platform.refused('credential.revoke', stranger, {
    appId: own,
    credentialId: live?.id,
  })
  expect(ofAnotherApp).toEqual(
    await platform.refused('credential.revoke', stranger, { appId: own, credentialId: missing.credential }),
  )
  expect(await platform.call<WirePage<{ id: string }>>('app.list', stranger)).toMatchObject({
    data: [{ id: own }],
  })
})

test('another publisher cannot be named when an app is made', async () => {
  const { publisherId } = await makeTeam(platform)
  const { owner: stranger } = await makeTeam(platform)
  const app = { name: 'Theirs', class: 'backend' }
  const foreign = await platform.refused('app.create', stranger, { publisherId, ...app })
  const unknown = { publisherId: 'pub_01JD0000000000000000000000', ...app }
  expect(foreign).toEqual(await platform.refused('app.create', stranger, unknown))
  expect(foreign.status).toBe(404)
})
