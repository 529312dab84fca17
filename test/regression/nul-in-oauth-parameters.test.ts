import { afterAll, beforeAll, expect, test } from 'vitest'
import { send } from '../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../support/platform.ts'
import { makeStory, redirectUri, type TestApp } from '../support/story.ts'

let at: TestPlatform
let app: TestApp

beforeAll(async () => {
  at = await startTestPlatform()
  const story = makeStory(at)
  app = await story.publish(await story.publisher())
})
afterAll(() => at.close())

function authorize(changed: Readonly<Record<string, string>>) {
  const parameters = new URLSearchParams({
    client_id: app.appId,
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    ...changed,
  })
  return send(at.baseUrl, 'GET', `/oauth/authorize?${parameters}`)
}

// PostgreSQL refuses U+0000: any stranger could make the server fail and fill its log with errors.
test('a client_id with a NUL is an unknown client', async () => {
  expect((await authorize({ client_id: `${app.appId}\0` })).status).toBe(400)
  const answer = await send(at.baseUrl, 'POST', '/oauth/token', {
    raw: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: 'app\0',
      client_secret: 'x',
    }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect([answer.status, answer.body]).toEqual([401, expect.objectContaining({ error: 'invalid_client' })])
})

test('a parameter with a NUL is an error of the app, told to the app', async () => {
  for (const name of ['state', 'nonce', 'ui_locales']) {
    const answer = await authorize({ [name]: 'a\0b' })
    const { searchParams } = new URL(answer.headers['location'] ?? '', at.baseUrl)
    expect([name, answer.status, searchParams.get('error')]).toEqual([name, 303, 'invalid_request'])
  }
})
