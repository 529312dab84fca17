import { describe, expect, test } from 'vitest'
import { noticeKinds, textsOf } from '../../../src/notices/notice.ts'

const data = {
  appId: 'app_1',
  appName: 'Printer',
  endpointId: 'end_1',
  host: 'hooks.example.com',
  reason: 'failing',
  merchantName: 'Green Leaf Tea',
  name: 'Order printer',
  hint: 'a1B2',
}

describe('the words of a notice', () => {
  test.each(noticeKinds)('%s: both languages, every place filled', (kind) => {
    const { title, text } = textsOf({ kind, data })
    for (const words of [title.en, title['zh-CN'], text.en, text['zh-CN']]) {
      expect(words).not.toBe('')
      expect(words).not.toMatch(/[{}]/)
    }
    if (kind !== 'session.leaked') expect(title.en).toMatch(/hooks[.]example[.]com|Printer|printer/)
    expect(title['zh-CN']).toMatch(/\p{Script=Han}/u)
    expect(text['zh-CN']).toMatch(/\p{Script=Han}/u)
  })

  test.each([
    ['endpoint.paused', 'failing', '72 hours'],
    ['endpoint.paused', 'exhausted', 'last attempt'],
    ['endpoint.paused', 'address_refused', 'not public'],
    ['endpoint.stopped', 'gone', '410'],
    ['endpoint.stopped', 'disabled', 'webhook-delivery: disable'],
  ] as const)('%s says why: %s', (kind, reason, words) => {
    expect(textsOf({ kind, data: { ...data, reason } }).text.en).toContain(words)
  })

  test.each([
    ['access_token', 'goes on with its next one'],
    ['refresh_token', 'connected again'],
  ])('token.leaked says what it means: %s', (what, words) => {
    expect(textsOf({ kind: 'token.leaked', data: { name: 'x', hint: 'a1B2', what } }).text.en).toContain(
      words,
    )
  })

  test('a reason without words of its own leaves the rest as it is', () => {
    const { text } = textsOf({ kind: 'endpoint.paused', data: { ...data, reason: 'toString' } })
    expect(text.en).toMatch(/^Nothing is lost/)
  })

  test('a kind without texts is named, and data of an older form does not break', () => {
    expect(textsOf({ kind: 'app.renamed', data: {} }).title.en).toBe('app.renamed')
    expect(textsOf({ kind: 'endpoint.paused', data: { host: 7 } }).title.en).toBe('Webhooks to  are paused')
  })
})
