import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { present, sha256Hex } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import type { PageAnswer } from '../../support/test-browser.ts'

let at: TestPlatform
let story: Story
let app: TestApp

const members = {
  stoa_names: { en: 'Order printer', 'zh-CN': '订单打印机' },
  stoa_purpose: { en: 'Prints paid orders.', 'zh-CN': '打印已付款订单。' },
  stoa_publisher: {
    legal_name: 'Tea Tools GmbH',
    country: 'DE',
    contact: 'privacy@teatools.example',
    privacy_policy: 'https://teatools.example/privacy',
  },
  stoa_scopes: {
    required: [
      {
        name: 'order:read',
        purpose: { en: 'Prints the goods', 'zh-CN': '打印商品' },
        justification: { en: 'A slip needs goods', 'zh-CN': '小票需要商品' },
        retention_days: 7,
        recipients: [],
      },
    ],
    optional: [
      {
        name: 'order:write',
        purpose: { en: 'Marks orders', 'zh-CN': '标记订单' },
        without: { en: 'You mark them yourself', 'zh-CN': '需自行标记' },
        retention_days: 0,
        recipients: [],
      },
      {
        name: 'customer:read',
        purpose: { en: 'Prints names', 'zh-CN': '打印姓名' },
        retention_days: 1,
        recipients: [
          { name: 'Cloud Inc.', country: 'US', role: 'independent', purpose: { en: 'Draws labels' } },
          { name: 'Backup AG', country: 'CH', role: 'entrusted' },
        ],
      },
    ],
  },
}

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest: { events: ['order.paid'], members } })
})
afterAll(() => at.close())

const consentPath = (merchant: TestMerchant) => `/m/apps/${app.appId}/consent?merchant=${merchant.merchantId}`

interface Decided {
  readonly decision: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  readonly separate: readonly string[]
  readonly locale: string
  readonly text_sha256: string
  readonly content: Uint8Array
}

function decisionsOf({ merchantId }: TestMerchant): Promise<Decided[]> {
  return sql<Decided>(
    at.db.queries,
    `select c.decision, c.granted, c.refused, c.separate, c.locale, c.text_sha256, b.bytes as content
     from consent c join blob b on b.sha256 = c.text_sha256 where c.merchant_id = $1 order by c.decided_at, c.id`,
    merchantId,
  )
}

/** The visible words of the form, in the order in which they stand. */
function wordsOf({ html }: PageAnswer): readonly string[] {
  const [, main = ''] = /<main>([\s\S]*)<\/main>/.exec(html) ?? []
  return main
    .split(/<[^>]*>/)
    .map((part) => part.replaceAll('&amp;', '&').replaceAll('&lt;', '<').trim())
    .filter((part) => part !== '')
}

describe('the record of a decision', () => {
  test.each(['en', 'zh-CN'] as const)(
    'holds every word the page showed in %s, and is what the form named',
    async (language) => {
      const merchant = await story.merchant()
      const browser = at.browser(merchant.owner)
      const page = await browser.open(`${consentPath(merchant)}&lang=${language}`)
      const shown = /name="text" value="([0-9a-f]{64})"/.exec(page.html)?.[1]
      await browser.submit(page, { decision: 'allow', optional: ['customer:read'] })
      const [decided] = await decisionsOf(merchant)
      const content = Buffer.from(decided?.content ?? []).toString()
      expect(decided).toMatchObject({ locale: language, text_sha256: shown, decision: 'granted' })
      expect(sha256Hex(Buffer.from(content))).toBe(shown)
      const kept = JSON.stringify(JSON.parse(content)).replaceAll('{person}', 'Somebody')
      const words = wordsOf(page)
      expect(words.length).toBeGreaterThan(60)
      for (const word of words) expect(kept, word).toContain(JSON.stringify(word).slice(1, -1))
      // The other language is in it too.
      expect(content).toContain('打印商品')
      expect(content).toContain('Prints the goods')
    },
  )

  test('says what was agreed to on its own', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    await browser.submit(await browser.open(consentPath(merchant)), {
      ...{ decision: 'allow', optional: ['order:write', 'customer:read'] },
    })
    expect(await decisionsOf(merchant)).toMatchObject([
      { granted: ['customer:read', 'order:read', 'order:write'], separate: ['customer:read'] },
    ])
  })

  test('of a refusal says what was refused, and of nothing else', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const page = await browser.open(consentPath(merchant))
    await browser.submit(page, {})
    expect(await decisionsOf(merchant)).toEqual([])
    await browser.submit(page, { decision: 'deny' })
    expect(await decisionsOf(merchant)).toMatchObject([
      {
        ...{ decision: 'refused', granted: [], separate: [] },
        refused: ['customer:read', 'order:read', 'order:write'],
      },
    ])
  })

  test('is refused when the text has changed since it was shown', async () => {
    const merchant = await story.merchant('Old name')
    const browser = at.browser(merchant.owner)
    const page = await browser.open(consentPath(merchant))
    const answer = await browser.submit(page, { decision: 'allow', text: 'a'.repeat(64) })
    expect([answer.status, answer.html.includes('install.version_changed')]).toEqual([409, true])
    expect(await decisionsOf(merchant)).toEqual([])
  })
})

test('the page shows all that the developer states, as the developer’s', async () => {
  const merchant = await story.merchant()
  const { html } = await at.browser(merchant.owner).open(consentPath(merchant))
  for (const sentence of [
    'The developer: “Prints paid orders.”',
    'Tea Tools GmbH, Germany',
    'privacy@teatools.example',
    'The developer: “A slip needs goods”',
    'Tea Tools, Germany</dd><dd>Nobody else, says the developer.',
    '7 days, says the developer.',
    'The developer: “You mark them yourself”',
    'Not at all: used at once, says the developer.',
    'Cloud Inc., United States, for purposes of its own: “Draws labels”',
    'Backup AG, Switzerland, on the publisher’s orders alone',
    '1 day, says the developer.',
    'At once, when: An order was paid',
    '<a href="https://teatools.example/privacy"',
  ])
    expect(html).toContain(sentence)
})

test('a program inside the platform sends nothing out, and the page says so', async () => {
  const merchant = await story.merchant()
  const inside = await story.publish(app.publisher, {
    class: 'mini-program',
    manifest: {
      required: ['order:read'],
      events: ['order.paid'],
      handlers: 'on("order.paid", () => {})',
    },
  })
  const page = await at.browser(merchant.owner).open(`/m/apps/${inside.appId}/consent`)
  expect(page.html).toContain('the app runs inside this platform and can send nothing out.')
  expect(page.html).not.toContain('which does not say in which country')
})

describe('what has to be agreed to separately', () => {
  let strict: TestApp
  beforeAll(async () => {
    strict = await story.publish(app.publisher, { manifest: { required: ['order:read', 'customer:read'] } })
  })

  test('and was not: nothing is decided, and the page says what is missing', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    const page = await browser.open(`/m/apps/${strict.appId}/consent`)
    expect(page.html).toMatch(/name="separate" value="customer:read" required/)
    const answer = await browser.submit(page, { decision: 'allow' })
    expect(answer.status).toBe(422)
    expect(answer.html).toMatch(/role="alert">Nothing has been decided yet/)
    expect(await decisionsOf(merchant)).toEqual([])
    const done = await browser.submit(answer, { decision: 'allow', separate: ['customer:read'] })
    expect(done.status).toBe(303)
    expect(await decisionsOf(merchant)).toMatchObject([{ separate: ['customer:read'] }])
  })

  test('is an error with a code by the API too', async () => {
    const merchant = await story.merchant()
    const path = `/merchant/v1/merchants/${merchant.merchantId}/installations`
    const json = { appId: strict.appId, versionId: strict.versionId, optionalScopes: [], locale: 'en' }
    const { code, detail } = await merchant.owner.api.refused('POST', path, 422, { json })
    expect([code, detail]).toEqual([
      'install.separate_consent_missing',
      'not agreed to separately: customer:read',
    ])
    const invented = { ...json, separateScopes: ['customer:read', 'order:read'] }
    expect((await merchant.owner.api.refused('POST', path, 422, { json: invented })).code).toBe(
      'install.scope_not_offered',
    )
  })
})

test('a release that asks for more shows the difference first and the whole list after it', async () => {
  const merchant = await story.merchant()
  const growing = await story.publish(app.publisher, {
    manifest: { required: ['order:read'], optional: ['order:write'] },
  })
  const browser = at.browser(merchant.owner)
  const path = `/m/apps/${growing.appId}/consent`
  await story.install(merchant, growing, ['order:write'])
  const same = await browser.open(path)
  expect(same.html).toContain('What Test app may do at Green Leaf Tea')
  expect(same.html).not.toContain('What is different from before')
  expect(same.html).toMatch(/value="order:write" checked/)

  await story.release(growing, { code: 2, members })
  const page = await browser.open(path)
  const headings = [...page.html.matchAll(/<h2 id="(\w+)">/g)].map(([, id]) => id)
  expect(headings).toEqual(['changes', 'required', 'optional', 'separate', 'outcome'])
  expect(page.html).toContain('What for, before</dt><dd>The developer: “because of order:read”')
  expect(page.html).toContain('What for, now</dt><dd>The developer: “Prints the goods”')
  expect(page.html).toContain('The app goes on with what you allowed before')
  // It was granted on other terms: that is another question, and its box is empty.
  expect(page.html).not.toMatch(/value="order:write" checked/)
})

test('the two answers are equal, the first is no, and Enter decides nothing', async () => {
  const merchant = await story.merchant()
  const { html } = await at.browser(merchant.owner).open(consentPath(merchant))
  const [, form = ''] = /<form method="post" action="\/m\/apps[^>]*>([\s\S]*)<\/form>/.exec(html) ?? []
  const buttons = [...form.matchAll(/<button([^>]*)>([^<]*)</g)].map(([, tag = '', label = '']) => [
    tag.trim(),
    label,
  ])
  expect(buttons).toEqual([
    ['type="submit" disabled hidden', ''],
    ['type="submit" name="decision" value="deny" formnovalidate', 'Do not allow'],
    ['type="submit" name="decision" value="allow"', 'Allow'],
  ])
})

test('somebody who may not allow is told who may, and can still refuse', async () => {
  const merchant = await story.merchant()
  const staff = await story.member(merchant.merchantId, 'staff')
  const browser = at.browser(staff)
  const page = await browser.open(consentPath(merchant))
  expect(page.html).toContain('ask an owner or manager of Green Leaf Tea')
  expect(page.html).not.toContain('value="allow"')
  expect((await browser.submit(page, { decision: 'deny' })).status).toBe(303)
  expect(await decisionsOf(merchant)).toMatchObject([{ decision: 'refused' }])
})

test('what was read so far stands one click away, page by page, for owners and managers', async () => {
  const merchant = await story.merchant()
  await story.install(merchant, app)
  const browser = at.browser(merchant.owner)
  const consent = await browser.open(consentPath(merchant))
  const [, link = ''] = /href="(\/m\/access\?[^"]+)"/.exec(consent.html) ?? []
  const page = await browser.open(link)
  expect(page.html).toContain('Who has used the data of Green Leaf Tea')
  expect(page.html).toContain('<code>installation.create</code>')
  for (let read = 0; read < 50; read += 1) await browser.open(consentPath(merchant))
  // Reads are recorded in groups, a moment later.
  const older = await vi.waitFor(async () => {
    const full = await browser.open(link)
    return present(/href="(\/m\/access\?[^"]*after=[^"]+)"/.exec(full.html)?.[1], 'a link to older uses')
  })
  expect((await browser.open(older.replaceAll('&amp;', '&'))).html).toContain('merchant_member.create')
  const staff = await story.member(merchant.merchantId, 'staff')
  expect((await at.browser(staff).open(link)).status).toBe(403)
})
