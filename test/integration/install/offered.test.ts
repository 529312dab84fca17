import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toDate } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { makeStory, type Story, type TestApp, type TestPublisher } from '../../support/story.ts'
import { type InstallWorld, makeInstallWorld } from './world.ts'

let at: TestPlatform
let story: Story
let publisher: TestPublisher
let app: TestApp
let world: InstallWorld

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  publisher = await story.publisher()
  app = await story.publish(publisher)
  world = makeInstallWorld(at, app)
})
afterAll(() => at.close())

describe('what a merchant sees', () => {
  test('in the market are public apps that are released, page by page', async () => {
    const merchant = await story.merchant()
    const other = await story.merchant()
    const hidden = await story.publish(publisher, {
      visibility: 'private',
      privateMerchantId: other.merchantId,
    })
    const unreleased = await publisher.owner.api.call<{ id: string }>('POST', '/developer/v1/apps', {
      publisherId: publisher.publisherId,
      name: 'Never released',
      class: 'backend',
    })
    const seen: string[] = []
    let after = ''
    do {
      const page = await merchant.owner.api.call<{
        data: readonly { id: string; name: string }[]
        nextCursor: string | null
      }>('GET', `/merchant/v1/merchants/${merchant.merchantId}/market?limit=1${after}`)
      expect(page.data.length).toBeLessThanOrEqual(1)
      seen.push(...page.data.map(({ id }) => id))
      after = page.nextCursor === null ? '' : `&after=${page.nextCursor}`
    } while (after !== '')
    expect(seen).toContain(app.appId)
    expect(seen).not.toContain(hidden.appId)
    expect(new Set(seen).size).toBe(seen.length)
    const theirs = await other.owner.api.call<{ data: readonly { id: string; name: string }[] }>(
      'GET',
      `/merchant/v1/merchants/${other.merchantId}/market?limit=200`,
    )
    expect(theirs.data.map(({ id }) => id)).toContain(hidden.appId)
    expect(theirs.data.map(({ id }) => id)).not.toContain(unreleased.id)
  })

  test('everywhere is the name of the reviewed manifest, and it is recorded', async () => {
    const merchant = await story.merchant()
    const renamed = await story.publish(publisher, { name: 'Official platform app' })
    const { api } = merchant.owner
    const base = `/merchant/v1/merchants/${merchant.merchantId}`
    const market = await api.call<{ data: readonly { id: string; name: string }[] }>(
      'GET',
      `${base}/market?limit=200`,
    )
    expect(market.data.find(({ id }) => id === renamed.appId)?.name).toBe('Test app')
    expect(await api.call('GET', `${base}/apps/${renamed.appId}/consent`)).toMatchObject({
      appName: 'Test app',
    })
    const installationId = await story.install(merchant, renamed)
    expect(await api.call('GET', `/merchant/v1/installations/${installationId}`)).toMatchObject({
      appName: 'Test app',
    })
    const [asked] = await world.rows<{ text: string }>(
      `select convert_from(b.bytes, 'UTF8') as text from consent c join blob b on b.sha256 = c.text_sha256
       where c.installation_id = $1`,
      installationId,
    )
    expect(JSON.parse(asked?.text ?? '{}')).toMatchObject({ appName: 'Test app' })
  })

  test('a private app of another merchant does not exist', async () => {
    const [merchant, other] = [await story.merchant(), await story.merchant()]
    const hidden = await story.publish(publisher, {
      visibility: 'private',
      privateMerchantId: other.merchantId,
    })
    const answer = await world.accept(merchant, { appId: hidden.appId, versionId: hidden.versionId })
    expect(answer.body).toMatchObject({ code: 'install.app_not_found' })
  })
})

describe('an app that is no longer offered', () => {
  type Withdrawal = (installed: {
    readonly appId: string
    readonly merchantId: string
    readonly publisherId: string
  }) => Promise<unknown>
  const ruled =
    (effect: 'hide' | 'stop', selector: 'app' | 'publisher' | 'merchant'): Withdrawal =>
    ({ appId, publisherId, merchantId }) =>
      at.db.queries.rule.create({
        data: {
          id: `rul_${effect}_${appId}_${selector}`,
          effect,
          ...(selector === 'app' ? { appId } : {}),
          ...(selector === 'publisher' ? { publisherId } : {}),
          ...(selector === 'merchant' ? { merchantId } : {}),
          reasonCode: 'SAFETY-TEST-001',
          message: { en: 'Hidden', 'zh-CN': '隐藏' },
          createdBy: 'per_test',
          createdAt: toDate(at.clock.nowMs()),
        },
      })
  const archived: Withdrawal = ({ appId }) =>
    at.db.queries.app.update({ where: { id: appId }, data: { archivedAt: toDate(at.clock.nowMs()) } })

  test.each<[string, Withdrawal]>([
    ['a rule hides', ruled('hide', 'app')],
    ['a rule stops', ruled('stop', 'app')],
    ['a rule hides with all of its publisher’s', ruled('hide', 'publisher')],
    ['a rule hides at this merchant with all others', ruled('hide', 'merchant')],
    ['is archived', archived],
  ])(
    'because it %s, cannot be installed by its id, but read and uninstalled where it is',
    async (_why, end) => {
      const [owner, merchant] = [await story.publisher(), await story.merchant()]
      const [kept, wanted] = [await story.publish(owner), await story.publish(owner)]
      const installationId = await story.install(merchant, kept)
      const ids = { merchantId: merchant.merchantId, publisherId: owner.publisherId }
      for (const { appId } of [kept, wanted]) await end({ appId, ...ids })
      const { api } = merchant.owner
      const consent = (appId: string) => `/merchant/v1/merchants/${merchant.merchantId}/apps/${appId}/consent`
      await leavingNothing(at, async () => {
        expect((await api.refused('GET', consent(wanted.appId), 404)).code).toBe('install.app_not_found')
        const { appId, versionId } = wanted
        const { status, body } = await world.accept(merchant, { appId, versionId })
        expect([status, body]).toMatchObject([404, { code: 'install.app_not_found' }])
      })
      expect(await api.call('GET', `/merchant/v1/installations/${installationId}`)).toMatchObject({
        appId: kept.appId,
        state: 'active',
      })
      expect((await api.request('DELETE', `/merchant/v1/installations/${installationId}`)).status).toBe(204)
    },
  )

  test('is not one because of a rule that selects nothing', async () => {
    const merchant = await story.merchant()
    await at.db.queries.rule.create({
      data: {
        id: 'rul_selects_nothing',
        effect: 'hide',
        // A scope is what drop_scope is about; it selects no app.
        scope: 'order:read',
        reasonCode: 'SAFETY-TEST-001',
        message: { en: 'Hidden', 'zh-CN': '隐藏' },
        createdBy: 'per_test',
        createdAt: toDate(at.clock.nowMs()),
      },
    })
    expect((await world.accept(merchant)).status).toBe(201)
  })
})
