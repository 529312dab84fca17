import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { repositoryRoot } from '../../support/repository.ts'

let at: TestPlatform
beforeAll(async () => {
  at = await startTestPlatform()
})
afterAll(() => at.close())

const sentences = {
  en: [
    'Event types',
    'An order was paid',
    'Needs order:read (See orders).',
    'data.customer is left out without customer:read (See who ordered).',
    'Published by the host',
    'Published by the platform, to the installation it is about',
    'Needs no scope.',
  ],
  'zh-CN': [
    '事件类型',
    '订单已付款',
    '需要 order:read（查看订单）。',
    '没有 customer:read（查看顾客信息）时，不包含 data.customer。',
    '由平台方业务系统发布',
    '由平台发布，仅发送给相关的安装',
    '无需任何权限。',
  ],
} as const

describe('/docs/events', () => {
  test.each(['en', 'zh-CN'] as const)(
    'says in %s what each event is, needs and looks like',
    async (locale) => {
      const { status, html } = await at.browser(null, locale).open('/docs/events')
      expect(status).toBe(200)
      for (const sentence of sentences[locale]) expect(html).toContain(sentence)
      for (const type of at.platform.catalog.eventTypes.keys()) {
        expect(html).toContain(`<section id="${type}">`)
        expect(html).toContain(`/schemas/events/${type}/1`)
      }
      expect(html).toContain('&quot;name&quot;: &quot;Jasmine tea&quot;')
    },
  )

  test('is found from the start page', async () => {
    const { html } = await at.browser().open('/')
    expect(html).toContain('href="/docs/events"')
  })
})

test('docs/reference/events.md names every event type of the catalogue with its version', () => {
  const text = readFileSync(join(repositoryRoot, 'docs/reference/events.md'), 'utf8')
  for (const { type, version } of at.platform.catalog.eventTypes.values())
    expect(text, type).toContain(`## ${type}/${version}`)
})

test('/schemas/events says for programs what the page says for people', async () => {
  const { body } = await at.anonymous.request<{ data: { type: string; example: { data: unknown } }[] }>(
    'GET',
    '/schemas/events',
  )
  expect(body.data.map(({ type }) => type)).toEqual([...at.platform.catalog.eventTypes.keys()])
  const paid = body.data.find(({ type }) => type === 'order.paid')
  expect(at.platform.catalog.eventTypes.get('order.paid')?.checkData(paid?.example.data)).toEqual([])
})
