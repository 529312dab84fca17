import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { totpCode } from '../support/authenticator-app.ts'
import { addAuthenticator, inChromium, launchChromium, watchProblems } from '../support/chromium.ts'
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts'
import { startTestPlatform, type TestPerson, type TestPlatform, testPassword } from '../support/platform.ts'
import { makeStory, startCodeFlow } from '../support/story.ts'

let at: TestPlatform
let provider: IdentityProvider
let chromium: Browser
let context: BrowserContext
let page: Page
let problems: readonly string[]

const url = (path: string) => new URL(path, at.publicUrl).href
const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

async function signIn({ email }: TestPerson, path = '/sign-in?return_to=%2Faccount'): Promise<void> {
  await page.goto(url(path))
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(testPassword)
  await press('Sign in')
}

async function addPasskey(name: string): Promise<void> {
  const section = page.locator('#passkeys')
  await section.getByLabel('Name of the device').fill(name)
  await section.locator('#passkey_own').fill(testPassword)
  await section.getByRole('button', { name: 'Continue' }).click()
  await press('Make a passkey')
}

inChromium('signing in with Chromium', () => {
  beforeAll(async () => {
    provider = await startIdentityProvider()
    const { issuer, clientId, clientSecret } = provider
    at = await startTestPlatform({
      publicHost: 'localhost',
      config: {
        provider: {
          ...{ issuer, clientId, clientSecret, name: 'Tea House', scope: 'openid email profile' },
          ...{ groupsClaim: 'groups', groupRoles: [], linkByEmail: false },
        },
      },
    })
    provider.register(`${at.publicUrl}/sign-in/oidc/callback`)
    chromium = await launchChromium()
  })
  afterAll(async () => {
    await chromium.close()
    await at.close()
    await provider.close()
  })
  beforeEach(async () => {
    context = await chromium.newContext({ locale: 'en-GB' })
    problems = watchProblems(context)
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    expect(problems).toEqual([])
  })

  test('a passkey is made on the account’s page, and signs in without a name or a password', async () => {
    const person = await at.person()
    const device = await addAuthenticator(page)
    await signIn(person)
    await addPasskey('Test device')
    await page.getByText('The passkey is ready to sign in with.').waitFor()
    await page.getByText('Test device').waitFor()
    expect(await device.credentials()).toBe(1)
    await press('Sign out')
    await page.goto(url('/sign-in?return_to=%2Faccount'))
    await press('Sign in with a passkey')
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    await page.locator('#passkeys').getByText('last used').waitFor()
  })

  test('a device that is not unlocked makes no passkey, and signs nobody in', async () => {
    const person = await at.person()
    const device = await addAuthenticator(page)
    await signIn(person)
    await addPasskey('Test device')
    await page.getByText('The passkey is ready to sign in with.').waitFor()
    await press('Sign out')
    await device.setUserVerified(false)
    await page.goto(url('/sign-in'))
    await press('Sign in with a passkey')
    await page.getByText('No passkey was used.').waitFor()
    expect(await page.getByLabel('Email').isVisible()).toBe(true)
    await device.setUserVerified(true)
    await press('Sign in with a passkey')
    await page.getByText('Signed in as Somebody').waitFor()
  })

  test('the same device is not registered twice', async () => {
    const device = await addAuthenticator(page)
    await signIn(await at.person())
    await addPasskey('First')
    await page.getByText('The passkey is ready to sign in with.').waitFor()
    await addPasskey('Second')
    await page.getByText('No passkey was made.').waitFor()
    expect(await device.credentials()).toBe(1)
  })

  test('a passkey signs in as one step of an authorization, which goes on to the consent', async () => {
    const story = makeStory(at)
    const merchant = await story.merchant()
    const app = await story.publish(await story.publisher())
    await addAuthenticator(page)
    await signIn(merchant.owner)
    await addPasskey('Test device')
    await page.getByText('The passkey is ready to sign in with.').waitFor()
    await press('Sign out')
    const { path } = await startCodeFlow(at, app)
    await page.goto(url(path))
    await press('Sign in with a passkey')
    await page.waitForURL(/\/consent\//)
  })

  test('a second factor is scanned, typed in, and asked for at an authorization', async () => {
    const story = makeStory(at)
    const merchant = await story.merchant()
    const app = await story.publish(await story.publisher())
    await signIn(merchant.owner)
    await page.locator('#second-factor').getByLabel('Your current password').fill(testPassword)
    await press('Set up a second factor')
    const size = await page.getByRole('img', { name: 'QR code with the key' }).boundingBox()
    expect(size?.width).toBeGreaterThan(150)
    const secret = ((await page.locator('code.secret').textContent()) ?? '').replaceAll(' ', '')
    await page.getByLabel('The code that the app shows now').fill(totpCode(secret, at.clock.nowMs()))
    await press('Turn on')
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    at.clock.advance(60_000)
    await context.clearCookies()
    const { path } = await startCodeFlow(at, app)
    await signIn(merchant.owner, path)
    await page.getByLabel('Code from your authenticator app').fill(totpCode(secret, at.clock.nowMs()))
    await press('Sign in')
    await page.waitForURL(/\/consent\//)
  })

  test('the host’s identity provider is reached by a link, and back', async () => {
    provider.account = {
      sub: 'browser',
      email: 'browser@teahouse.example',
      email_verified: true,
      name: 'Ada',
    }
    await page.goto(url('/sign-in?return_to=%2Faccount'))
    await page.getByRole('link', { name: 'Sign in with Tea House' }).click()
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    await page.getByText('Signed in as Ada').waitFor()
  })

  test('without JavaScript the password still signs in, and no passkey is offered that could not work', async () => {
    const plain = await chromium.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
    const there = watchProblems(plain)
    page = await plain.newPage()
    await signIn(await at.person())
    await page.getByRole('heading', { name: 'Your account' }).waitFor()
    await page.getByLabel('Your name').fill('Ada')
    await press('Save')
    await page.getByText('Signed in as Ada').waitFor()
    await page.getByText('New personal token').first().click()
    await page.getByLabel('What it is for').waitFor()
    await press('Sign out')
    await page.goto(url('/sign-in'))
    expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()).toBe(false)
    await plain.close()
    expect(there).toEqual([])
  })

  test.each([320, 1280])('at %i pixels nothing stands beyond the edge', async (width) => {
    await page.setViewportSize({ width, height: 800 })
    for (const path of ['/sign-in', '/account']) {
      if (path === '/account') await signIn(await at.person())
      else await page.goto(url(path))
      const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(beyond, path).toBeLessThanOrEqual(0)
    }
  })
})
