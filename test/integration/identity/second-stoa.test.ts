import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPerson, type TestPlatform } from '../../support/platform.ts'
import { allow, makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import type { TestBrowser } from '../../support/test-browser.ts'

// One Stoa is the identity provider of another: both ends of OpenID Connect are ours here, and neither knows it.

let there: TestPlatform
let here: TestPlatform
let story: Story
let app: TestApp
let merchant: TestMerchant

beforeAll(async () => {
  there = await startTestPlatform()
  story = makeStory(there)
  app = await story.publish(await story.publisher(), {
    // RFC 8252 §7.3: any port of a loopback address; the other platform's is not known yet.
    manifest: { required: [], redirectUris: ['http://127.0.0.1/sign-in/oidc/callback'] },
  })
  merchant = await story.merchant()
  here = await startTestPlatform({
    config: {
      provider: {
        ...{ issuer: there.publicUrl, clientId: app.appId, clientSecret: app.clientSecret },
        ...{
          name: 'The other Stoa',
          scope: 'openid',
          groupsClaim: 'groups',
          groupRoles: [],
          linkByEmail: false,
        },
      },
    },
  })
})
afterAll(async () => {
  await here.close()
  await there.close()
})

const pathOf = (url: URL) => url.pathname + url.search

/** Signs in here as somebody who is signed in there, and agrees on the consent page there. */
async function signIn(person: TestPerson): Promise<TestBrowser> {
  const [browser, abroad] = [here.browser(), there.browser(person)]
  const away = await browser.open('/sign-in/oidc?return_to=%2Fm')
  const consent = await abroad.follow(await abroad.open(pathOf(new URL(away.location ?? ''))))
  expect(consent.url).toContain('/consent/')
  const back = await allow(abroad, consent)
  expect(`${back.origin}${back.pathname}`).toBe(`${here.publicUrl}/sign-in/oidc/callback`)
  const done = await browser.open(pathOf(back))
  expect([done.status, done.location]).toEqual([303, '/m'])
  return browser
}

async function idOf(browser: TestBrowser): Promise<string> {
  const headers = { cookie: `stoa_session=${browser.cookie('stoa_session')}` }
  const { body } = await here.anonymous.request<{ id: string }>('GET', '/account/v1/me', { headers })
  return body.id
}

describe('a Stoa that signs people in by another Stoa', () => {
  test('knows each of them again, and keeps them apart', async () => {
    const [one, two] = [merchant.owner, await story.member(merchant.merchantId, 'owner')]
    const first = await idOf(await signIn(one))
    expect(first).toMatch(/^per_/)
    expect(await idOf(await signIn(one))).toBe(first)
    expect(await idOf(await signIn(two))).not.toBe(first)
  })

  test('learns no more of them than who they are to it: not the id they have there', async () => {
    await signIn(merchant.owner)
    const rows = await here.db.queries.signIn.findMany({ where: { kind: 'oidc' } })
    const [{ identifier = '' } = {}] = rows
    expect(identifier.startsWith(`${there.publicUrl} `)).toBe(true)
    expect(JSON.stringify(rows)).not.toContain(merchant.owner.personId)
  })

  test('takes no answer that was meant for another browser', async () => {
    const [browser, victim, abroad] = [here.browser(), here.browser(), there.browser(merchant.owner)]
    const away = await browser.open('/sign-in/oidc')
    const consent = await abroad.follow(await abroad.open(pathOf(new URL(away.location ?? ''))))
    const back = await allow(abroad, consent)
    await victim.open('/sign-in/oidc')
    const answer = await victim.open(pathOf(back))
    expect([answer.status, victim.cookie('stoa_session')]).toEqual([401, undefined])
  })
})
