import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { inChromium, launchChromium, watchProblems } from '../support/chromium.ts'
import { startTestPlatform, type TestPerson, type TestPlatform, testPassword } from '../support/platform.ts'
import { makeStory, type Story, startCodeFlow, type TestApp } from '../support/story.ts'

let at: TestPlatform
let story: Story
let app: TestApp
let owner: TestPerson
let backend: Server
let redirectUri: string
let chromium: Browser
let context: BrowserContext
let page: Page
let problems: readonly string[]

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

/** Sends the browser to the platform as the app does; gives the `state` it must come back with. */
async function authorize(): Promise<string> {
  const { path, state } = await startCodeFlow(at, app, { redirect_uri: redirectUri })
  await page.goto(new URL(path, at.publicUrl).href)
  return state
}

async function signIn(): Promise<void> {
  await page.getByLabel('Email').fill(owner.email)
  await page.getByLabel('Password', { exact: true }).fill(testPassword)
  await press('Sign in')
}

/** The answer that the app's backend got, once the browser has come there. */
async function answerAtTheApp(): Promise<URLSearchParams> {
  await page.getByText('Back at the app').waitFor()
  expect(page.url().startsWith(redirectUri)).toBe(true)
  return new URL(page.url()).searchParams
}

// The policy of a page says where its form may lead (form-action), and Chromium holds the redirects that answer the
// form to it too. No other client does: only here is it seen whether people come back to the app.
inChromium('authorizing an app at another origin with Chromium', () => {
  beforeAll(async () => {
    at = await startTestPlatform({ publicHost: 'localhost' })
    story = makeStory(at)
    backend = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end('<!doctype html><link rel="icon" href="data:,"><title>App</title><p>Back at the app</p>')
    })
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    redirectUri = `http://127.0.0.1:${(backend.address() as AddressInfo).port}/callback`
    chromium = await launchChromium()
  })
  afterAll(async () => {
    await chromium.close()
    backend.closeAllConnections()
    await new Promise((resolve) => backend.close(resolve))
    await at.close()
  })
  beforeEach(async () => {
    owner = (await story.merchant()).owner
    app = await story.publish(await story.publisher())
    context = await chromium.newContext({ locale: 'en-GB' })
    problems = watchProblems(context)
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    expect(problems).toEqual([])
  })

  test('whoever allows comes back with a code', async () => {
    const state = await authorize()
    await signIn()
    await page.waitForURL(/\/consent\//)
    await press('Allow')
    const answer = await answerAtTheApp()
    expect(answer.get('code')).toMatch(/^stoa_ac_/)
    expect(answer.get('state')).toBe(state)
    expect(answer.get('iss')).toBe(at.publicUrl)
  })

  test('whoever does not allow comes back too, and the app hears that they did not', async () => {
    await authorize()
    await signIn()
    await page.waitForURL(/\/consent\//)
    await press('Do not allow')
    const answer = await answerAtTheApp()
    expect(answer.get('error')).toBe('access_denied')
    expect(answer.has('code')).toBe(false)
  })

  test('without JavaScript it is the same', async () => {
    await context.close()
    context = await chromium.newContext({ locale: 'en-GB', javaScriptEnabled: false })
    problems = watchProblems(context)
    page = await context.newPage()
    await authorize()
    await signIn()
    await page.waitForURL(/\/consent\//)
    await press('Allow')
    expect((await answerAtTheApp()).get('code')).toMatch(/^stoa_ac_/)
  })

  test('no other origin may be named: the policy of the page holds the app’s alone', async () => {
    await authorize()
    const response = await page.reload()
    const policy = (await response?.headerValue('content-security-policy')) ?? ''
    expect(policy.match(/form-action ([^;]*)/)?.[1]).toBe(`'self' ${new URL(redirectUri).origin}`)
    await page.goto(new URL('/sign-in', at.publicUrl).href)
    const alone = await page.reload()
    expect(await alone?.headerValue('content-security-policy')).toContain("form-action 'self';")
  })
})
