import { describe, expect, test } from 'vitest'
import { type HttpOutcome, seededRandom } from '../../../src/kernel/index.ts'
import { challengeBody, findWrongAnswer, mintChallengeText } from '../../../src/webhooks/challenge.ts'

const text = mintChallengeText(seededRandom('challenge'))
const challenge = {
  id: 'chl_1',
  endpointId: 'end_1',
  text,
  sentAtMs: Date.UTC(2026, 10, 22),
  source: 'https://platform.example',
}

function answer(body: string, status = 200): HttpOutcome {
  return { kind: 'response', status, headers: {}, body, bodyTruncated: false, durationMs: 1 }
}

test('a challenge is a CloudEvent with 43 characters of chance', () => {
  expect(text).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(JSON.parse(challengeBody(challenge))).toEqual({
    specversion: '1.0',
    id: 'chl_1',
    source: 'https://platform.example',
    type: 'endpoint.challenge',
    subject: 'end_1',
    time: '2026-11-22T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: { challenge: text },
  })
})

describe('the answer proves it', () => {
  test.each([
    ['the text', text],
    ['the text in a line', `${text}\n`],
    ['the text as JSON', JSON.stringify(text)],
    ['JSON', JSON.stringify({ challenge: text, more: 1 })],
  ])('when it is %s', (_what, body) => expect(findWrongAnswer(answer(body, 201), text)).toBeNull())
})

describe('the answer proves nothing', () => {
  test.each<[string, string, number, string | null]>([
    ['another text', 'ok', 200, null],
    ['nothing', '', 200, null],
    ['another challenge', JSON.stringify({ challenge: 'x' }), 200, null],
    ['the request sent back', challengeBody(challenge), 200, null],
    ['the text within a text', `you said ${text}`, 200, null],
    ['the right text with an error', text, 500, 'webhooks.status_not_2xx'],
    ['a redirect', text, 302, 'webhooks.redirect'],
  ])('when it is %s', (_what, body, status, failure) => {
    const wrong = findWrongAnswer(answer(body, status), text)
    expect(wrong).toMatchObject({ status, failure })
    expect(wrong?.detail).toContain(String(status))
  })

  test('when none comes, and it says what to look at', () => {
    const failed: HttpOutcome = { kind: 'failed', reason: 'timeout', message: 'x', durationMs: 5_000 }
    expect(findWrongAnswer(failed, text)).toEqual({
      detail: expect.stringMatching(/did not answer in time.*2xx/) as unknown,
      failure: 'webhooks.timeout',
      status: null,
      body: null,
    })
  })
})

test('what came is shown in one short line', () => {
  const wrong = findWrongAnswer(answer(`<html>\n\u0000\u202e${'x'.repeat(500)}`), text)
  expect(wrong?.body).toMatch(/^<html> x+$/)
  expect(wrong?.body?.length).toBeLessThanOrEqual(200)
})
