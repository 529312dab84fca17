import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { startTestPlatform, type TestPlatform, testPassword } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import {
  allow,
  makeStory,
  redeem,
  redirectUri,
  type Story,
  startCodeFlow,
  type TestApp,
  type TestMerchant,
} from '../../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
const scopes = { required: ['order:read'], optional: ['order:write', 'customer:read'] }

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest: { name: 'Printer <3', ...scopes } })
})
afterAll(() => at.close())

interface Kept {
  readonly id: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
}

async function installationsOf(merchant: TestMerchant): Promise<readonly Kept[]> {
  const path = `/merchant/v1/merchants/${merchant.merchantId}/installations`
  return (await merchant.owner.api.call<{ data: readonly Kept[] }>('GET', path)).data
}

const consentPath = (merchant: TestMerchant) => `/m/apps/${app.appId}/consent?merchant=${merchant.merchantId}`

const sentences = {
  en: [
    ['title', 'Printer &lt;3 asks Green Leaf Tea for permission'],
    ['maker', 'Made by Tea Tools, version 1.0.1.'],
    ['the platform’s own words', 'See your orders: what was bought, how much was paid'],
    ['the review', 'Reviewed by the staff of this platform on '],
    ['who decides for whom', 'You are Somebody, and you decide for Green Leaf Tea.'],
    ['the developer’s reason', 'The developer: “because of order:read”'],
    ['who gets it', 'Tea Tools, which does not say in which country'],
    ['how long it is kept', 'How long it is kept</dt><dd>The developer does not say.'],
    ['the data', 'Goods, quantities and prices'],
    ['sensitivity', 'Personal data of your customers'],
    ['required', 'Needed for the app to work'],
    ['optional', 'Your choice'],
    ['separate', 'Needs your separate consent'],
    ['what allowing does', 'The app is installed for the whole merchant'],
    ['what refusing does', 'Nothing is installed and nothing is shared.'],
    ['the end', 'You can withdraw it at any time'],
  ],
  'zh-CN': [
    ['title', 'Printer &lt;3 请求 Green Leaf Tea 的授权'],
    ['maker', '由 Tea Tools 开发，版本 1.0.1。'],
    ['the platform’s own words', '查看您的订单：购买的商品'],
    ['the review', '通过本平台工作人员的审核。'],
    ['who decides for whom', '您是 Somebody，正在为 Green Leaf Tea 作出决定。'],
    ['the developer’s reason', '开发者：“因为需要 order:read”'],
    ['who gets it', 'Tea Tools（未说明所在国家或地区）'],
    ['how long it is kept', '保存期限</dt><dd>开发者未说明。'],
    ['the data', '商品、数量和单价'],
    ['sensitivity', '顾客个人信息'],
    ['required', '应用运行所必需'],
    ['optional', '由您选择'],
    ['separate', '需要您单独同意'],
    ['what allowing does', '应用将为整个商家（而不仅是您个人）安装'],
    ['what refusing does', '不会安装任何内容，也不会共享任何数据。'],
    ['the end', '您可以随时在应用市场的应用页面撤回授权'],
  ],
} as const

describe.each(['en', 'zh-CN'] as const)('the consent page in %s', (language) => {
  test('tells everything, from the market and from /oauth/authorize alike', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner, language)
    // The person's own language would win over the browser's.
    const market = await browser.open(`${consentPath(merchant)}&lang=${language}`)
    const flow = await startCodeFlow(at, app)
    const consent = await browser.follow(await browser.open(flow.path))
    const authorize = await browser.open(`${new URL(consent.url).pathname}?lang=${language}`)
    for (const { html, status } of [market, authorize]) {
      expect(status).toBe(200)
      for (const [what, sentence] of sentences[language]) expect(html, what).toContain(sentence)
    }
  })
})

describe('optional permissions', () => {
  test('are unticked, and required ones cannot be unticked', async () => {
    const merchant = await story.merchant()
    const { html } = await at.browser(merchant.owner).open(consentPath(merchant))
    const boxes = [...html.matchAll(/<input type="checkbox"[^>]*>/g)].map(([tag]) => tag)
    expect(boxes.map((tag) => /value="([^"]+)"/.exec(tag)?.[1])).toEqual(scopes.optional)
    for (const tag of boxes) expect(tag).not.toMatch(/\bchecked\b/)
  })

  test.each<[string, readonly string[]]>([
    ['none', []],
    ['the first', ['order:write']],
    ['the second', ['customer:read']],
    ['both', ['customer:read', 'order:write']],
  ])('are granted one by one: %s', async (_which, chosen) => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const done = await browser.submit(await browser.open(consentPath(merchant)), {
      ...{ decision: 'allow', optional: chosen },
    })
    expect([done.status, done.location]).toEqual([
      303,
      `/m/apps/${app.appId}?merchant=${merchant.merchantId}`,
    ])
    expect(await installationsOf(merchant)).toMatchObject([
      {
        granted: ['order:read', ...chosen].toSorted(),
        refused: scopes.optional.filter((scope) => !chosen.includes(scope)).toSorted(),
      },
    ])
    const page = await browser.follow(done)
    expect(page.html).toContain('is installed at Green Leaf Tea')
    expect(page.html.includes('See the name, phone number')).toBe(chosen.includes('customer:read'))
  })

  test('that were granted before stand ticked when the merchant comes back', async () => {
    const merchant = await story.merchant()
    await story.install(merchant, app, ['order:write'])
    const { html } = await at.browser(merchant.owner).open(consentPath(merchant))
    expect(html).toMatch(/value="order:write" checked/)
    expect(html).not.toMatch(/value="customer:read" checked/)
  })

  test('that the form invents are refused and nothing is installed', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const page = await browser.open(consentPath(merchant))
    await leavingNothing(at, async () => {
      const answer = await browser.submit(page, { decision: 'allow', optional: ['storage:all'] })
      expect([answer.status, answer.html.includes('install.scope_not_offered')]).toEqual([422, true])
    })
  })
})

test('what was agreed to is kept in the words and the language in which it was shown', async () => {
  const merchant = await story.merchant()
  const browser = at.browser(merchant.owner, 'en')
  await browser.submit(await browser.open(`${consentPath(merchant)}&lang=zh-CN`), { decision: 'allow' })
  const [kept] = await sql<{ locale: string; content: Uint8Array }>(
    at.db.queries,
    'select c.locale, b.bytes as content from consent c join blob b on b.sha256 = c.text_sha256 where c.merchant_id = $1',
    merchant.merchantId,
  )
  expect(kept?.locale).toBe('zh-CN')
  expect(Buffer.from(kept?.content ?? []).toString()).toContain('查看您的订单')
})

test('a version released between showing and allowing is a page that says so, and installs nothing', async () => {
  const merchant = await story.merchant()
  const changing = await story.publish(app.publisher, { manifest: { required: ['order:read'] } })
  const browser = at.browser(merchant.owner)
  const path = `/m/apps/${changing.appId}/consent`
  const shown = await browser.open(path)
  await story.release(changing, { required: ['order:read', 'order:write'], code: 2 })
  await leavingNothing(at, async () => {
    const answer = await browser.submit(shown, { decision: 'allow' })
    expect([answer.status, answer.html.includes('install.version_changed')]).toEqual([409, true])
  })
  const again = await browser.open(path)
  expect(again.html).toContain('Mark orders as shipped')
  expect((await browser.submit(again, { decision: 'allow' })).status).toBe(303)
})

describe('refusing', () => {
  test('in the market installs nothing', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const page = await browser.open(consentPath(merchant))
    expect((await browser.submit(page, { decision: 'deny' })).location).toBe('/m')
    expect(await installationsOf(merchant)).toEqual([])
  })

  test('in /oauth/authorize leads back to the app with access_denied and the state', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const flow = await startCodeFlow(at, app)
    const page = await browser.follow(await browser.open(flow.path))
    const back = await browser.follow(await browser.submit(page, { decision: 'deny' }))
    const url = new URL(back.location ?? '')
    expect(`${url.origin}${url.pathname}`).toBe(redirectUri)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: 'access_denied', state: flow.state })
    expect(url.searchParams.has('code')).toBe(false)
    expect(await installationsOf(merchant)).toEqual([])
  })

  test('is what anything but “allow” means', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const answer = await browser.submit(await browser.open(consentPath(merchant)), {})
    expect([answer.location, await installationsOf(merchant)]).toEqual(['/m', []])
  })
})

describe('by /oauth/authorize', () => {
  test('a merchant who is not signed in signs in first, and ends with tokens at the app', async () => {
    const merchant = await story.merchant()
    const browser = at.browser()
    const flow = await startCodeFlow(at, app)
    const signIn = await browser.follow(await browser.open(flow.path))
    expect(signIn.html).toContain('Sign in to decide about this app')
    const wrong = await browser.submit(signIn, { email: merchant.owner.email, password: 'wrong' })
    expect(wrong.status).toBe(401)
    const consent = await browser.follow(
      await browser.submit(wrong, { email: merchant.owner.email, password: testPassword }),
    )
    expect(consent.html).toContain('asks Green Leaf Tea for permission')
    const tokens = await redeem(at, app, flow, await allow(browser, consent, ['order:write']))
    expect(tokens).toMatchObject({ scope: 'order:read order:write', merchant_id: merchant.merchantId })
    const [installation] = await installationsOf(merchant)
    expect(installation).toMatchObject({ id: tokens.installation_id, granted: ['order:read', 'order:write'] })
    expect(await at.bearer(tokens.access_token).call('GET', '/v1/installation')).toMatchObject({
      scopes: ['order:read', 'order:write'],
    })
  })

  test('the token has only the scopes the request asked for, whatever the merchant granted', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const flow = await startCodeFlow(at, app, 'order:read')
    const page = await browser.follow(await browser.open(flow.path))
    const tokens = await redeem(at, app, flow, await allow(browser, page, ['order:write']))
    expect(tokens.scope).toBe('order:read')
  })

  test('the form may lead to the app’s registered origin on this page alone', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const flow = await startCodeFlow(at, app)
    const consent = await browser.follow(await browser.open(flow.path))
    const policyOf = (page: { readonly headers: Readonly<Record<string, string>> }) =>
      /form-action [^;]+/.exec(page.headers['content-security-policy'] ?? '')?.[0]
    expect(policyOf(consent)).toBe("form-action 'self' http://127.0.0.1:9")
    for (const path of ['/', '/m', consentPath(merchant), '/sign-in'])
      expect(policyOf(await browser.open(path)), path).toBe("form-action 'self'")
  })

  test('somebody of several merchants is asked which one', async () => {
    const first = await story.merchant('First')
    const second = await story.merchant('Second', first.owner)
    const browser = at.browser(first.owner)
    const flow = await startCodeFlow(at, app)
    const choose = await browser.follow(await browser.open(flow.path))
    expect(choose.html).toContain('Choose the merchant')
    const page = await browser.open(`${new URL(choose.url).pathname}?merchant=${second.merchantId}`)
    const tokens = await redeem(at, app, flow, await allow(browser, page))
    expect(tokens.merchant_id).toBe(second.merchantId)
  })

  test('an answered or foreign request is gone, and says so', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const flow = await startCodeFlow(at, app)
    const page = await browser.follow(await browser.open(flow.path))
    const stranger = await story.merchant()
    const theirs = at.browser(stranger.owner)
    expect((await theirs.open(new URL(page.url).pathname)).status).toBe(410)
    await leavingNothing(at, async () => {
      const token = /name="csrf" value="([^"]+)"/.exec((await theirs.open('/')).html)?.[1] ?? ''
      const fields = {
        csrf: token,
        decision: 'allow',
        merchant_id: stranger.merchantId,
        version_id: app.versionId,
      }
      expect((await theirs.post(new URL(page.url).pathname, fields)).status).toBe(410)
    })
    await allow(browser, page)
    expect((await browser.open(new URL(page.url).pathname)).status).toBe(410)
    expect((await browser.submit(page, { decision: 'allow' })).status).toBe(410)
  })

  test('the form cannot be answered for a merchant of somebody else', async () => {
    const merchant = await story.merchant()
    const other = await story.merchant()
    const browser = at.browser(merchant.owner)
    const flow = await startCodeFlow(at, app)
    const page = await browser.follow(await browser.open(flow.path))
    await leavingNothing(at, async () => {
      const answer = await browser.submit(page, { decision: 'allow', merchant_id: other.merchantId })
      expect([answer.status, answer.html.includes('capability.not_found')]).toEqual([404, true])
    })
    expect(await installationsOf(other)).toEqual([])
  })
})

describe('who may decide', () => {
  test('a member of the staff sees the page, but only an owner or manager may allow', async () => {
    const merchant = await story.merchant()
    const staff = await story.member(merchant.merchantId, 'staff')
    const browser = at.browser(staff)
    const page = await browser.open(consentPath(merchant))
    expect(page.status).toBe(200)
    await leavingNothing(at, async () => {
      const answer = await browser.submit(page, { decision: 'allow' })
      expect([answer.status, answer.html.includes('capability.role_required')]).toEqual([403, true])
    })
    const manager = await story.member(merchant.merchantId, 'manager')
    const theirs = at.browser(manager)
    expect(
      (await theirs.submit(await theirs.open(consentPath(merchant)), { decision: 'allow' })).status,
    ).toBe(303)
  })

  test('somebody of no merchant is told so', async () => {
    const page = await at.browser(await at.person()).open(`/m/apps/${app.appId}/consent`)
    expect(page.html).toContain('You are not a member of any merchant')
  })

  test('an app that does not exist is the error page', async () => {
    const merchant = await story.merchant()
    const page = await at.browser(merchant.owner).open('/m/apps/app_00000000000000000000000000/consent')
    expect([page.status, page.html.includes('install.app_not_found')]).toEqual([404, true])
  })
})

test('uninstalling is one click on the app’s page', async () => {
  const merchant = await story.merchant()
  await story.install(merchant, app)
  const browser = at.browser(merchant.owner)
  const market = await browser.open('/m')
  expect(market.html).toContain('Printer &lt;3')
  const page = await browser.open(`/m/apps/${app.appId}?merchant=${merchant.merchantId}`)
  expect((await browser.submit(page)).location).toBe('/m')
  expect(await installationsOf(merchant)).toEqual([])
})
