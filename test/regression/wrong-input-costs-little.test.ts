import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProblemBody, send } from '../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../support/platform.ts'

let at: TestPlatform

beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())

async function refusedAs(text: string) {
  const answer = await send(at.baseUrl, 'POST', '/account/v1/tokens', {
    raw: text,
    headers: { 'content-type': 'application/json' },
  })
  const { code, errors = [] } = answer.body as ProblemBody
  return { code, errors, bytes: answer.text.length }
}

const credentials = '"email":"a@example.com","password":"x","name":"x"'

// A stranger's request of 1 MB was answered with 100 MB, after five seconds in which nobody else was served.
test('half a million wrong items are refused by the first problem', async () => {
  const refused = await refusedAs(`{${credentials},"audiences":[${'1,'.repeat(450_000)}1]}`)
  expect(refused.code).toBe('capability.invalid_input')
  expect(refused.errors).toEqual([expect.objectContaining({ pointer: '/audiences' })])
})

test('of many unknown members at most a hundred are told', async () => {
  const unknown = Array.from({ length: 5_000 }, (_, i) => `"member${i}":1`).join(',')
  const refused = await refusedAs(`{${credentials},"audiences":["account"],${unknown}}`)
  expect(refused.errors).toHaveLength(100)
  expect(refused.bytes).toBeLessThan(20_000)
})

test('of an ordinary input every problem is told at once', async () => {
  const { errors } = await refusedAs('{"email":"nobody","password":"","audiences":["a","b"],"more":1}')
  expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual(
    ['/audiences/0', '/audiences/1', '/email', '/email', '/more', '/name', '/password'].toSorted(),
  )
})
