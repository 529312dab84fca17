import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/kernel/index.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { allow, makeStory, redeem, type Story, startCodeFlow, type TestApp } from '../../support/story.ts'
import type { PageAnswer, TestBrowser } from '../../support/test-browser.ts'

let at: TestPlatform
let story: Story
let app: TestApp

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  app = await story.publish(await story.publisher(), { manifest: { required: ['order:read'] } })
})
afterAll(() => at.close())

const question = 'asks Green Leaf Tea for permission'
const reminder = 'You did not allow Test app'

/** The app sends the browser to /oauth/authorize; where that ends. */
async function ask(browser: TestBrowser): Promise<PageAnswer> {
  const flow = await startCodeFlow(at, app)
  return browser.follow(await browser.open(flow.path))
}

async function refuse(browser: TestBrowser): Promise<void> {
  await browser.follow(await browser.submit(await ask(browser), { decision: 'deny' }))
}

describe('an app that asks again after a refusal', () => {
  test('does not get the question shown, and leaving leads back with access_denied', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    await refuse(browser)
    const page = await ask(browser)
    expect(page.html).toContain(reminder)
    expect(page.html).not.toContain(question)
    const back = await browser.follow(await browser.submit(page, { decision: 'back' }))
    expect(new URL(back.location ?? '').searchParams.get('error')).toBe('access_denied')
  })

  test('does not prolong the rest by asking: it ends 48 hours after the refusal', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    await refuse(browser)
    at.clock.advance(limits.refusalKeptMs - 60_000)
    const reminded = await ask(browser)
    expect(reminded.html).toContain(reminder)
    await browser.follow(await browser.submit(reminded, { decision: 'back' }))
    at.clock.advance(61_000)
    expect((await ask(browser)).html).toContain(question)
  })

  test('gets an answer when the person wants to see the question again', async () => {
    const merchant = await story.merchant()
    const browser = at.browser(merchant.owner)
    await refuse(browser)
    const flow = await startCodeFlow(at, app)
    const page = await browser.follow(await browser.open(flow.path))
    const again = /<a class="button" href="([^"]+)"/.exec(page.html)?.[1] ?? ''
    const shown = await browser.open(again.replaceAll('&amp;', '&'))
    expect(shown.html).toContain(question)
    const tokens = await redeem(at, app, flow, await allow(browser, shown))
    expect(tokens.merchant_id).toBe(merchant.merchantId)
    // A yes is the later word.
    expect((await ask(browser)).html).not.toContain(reminder)
  })
})

test('one person’s no does not keep the question from another member of the merchant', async () => {
  const merchant = await story.merchant()
  await refuse(at.browser(merchant.owner))
  const manager = await story.member(merchant.merchantId, 'manager')
  expect((await ask(at.browser(manager))).html).toContain(question)
})

test('a no for one merchant says nothing about another of the same person', async () => {
  const merchant = await story.merchant()
  const browser = at.browser(merchant.owner)
  await refuse(browser)
  const second = await story.merchant('Second', merchant.owner)
  const choose = await ask(browser)
  const page = await browser.open(`${new URL(choose.url).pathname}?merchant=${second.merchantId}`)
  expect(page.html).toContain('asks Second for permission')
})

test('in the market the person comes by their own will: the question is always shown', async () => {
  const merchant = await story.merchant()
  const browser = at.browser(merchant.owner)
  await refuse(browser)
  expect((await browser.open(`/m/apps/${app.appId}/consent`)).html).toContain(question)
})

test('a refusal is told by the API, to whoever refused and nobody else', async () => {
  const merchant = await story.merchant()
  const path = `/merchant/v1/merchants/${merchant.merchantId}/apps/${app.appId}`
  const refusedAt = async (person = merchant.owner) =>
    (await person.api.call<{ refusedAt: string | null }>('GET', `${path}/consent`)).refusedAt
  expect(await refusedAt()).toBeNull()
  expect(
    (await merchant.owner.api.request('POST', `${path}/refusals`, { json: { locale: 'en' } })).status,
  ).toBe(204)
  expect(Date.parse((await refusedAt()) ?? '')).toBeLessThanOrEqual(at.clock.nowMs())
  expect(await refusedAt(await story.member(merchant.merchantId, 'manager'))).toBeNull()
  const stranger = await story.merchant()
  const { code } = await stranger.owner.api.refused('POST', `${path}/refusals`, 404, {
    json: { locale: 'en' },
  })
  expect(code).toBe('capability.not_found')
})
