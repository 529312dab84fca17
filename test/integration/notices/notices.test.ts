import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NoticeData, notifyPublisher } from '../../../src/notices/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { makeStory, type TestPublisher } from '../../support/story.ts'
import { startReceiver, status } from '../../support/test-receiver.ts'
import { makeEndpointWorld } from '../webhooks/endpoint-world.ts'

let at: TestPlatform
let mine: TestPublisher
let theirs: TestPublisher

beforeAll(async () => {
  at = await startTestPlatform()
  const story = makeStory(at)
  mine = await story.publisher()
  theirs = await story.publisher()
})
afterAll(() => at.close())

interface Notice {
  readonly id: string
  readonly publisherId: string
  readonly kind: string
  readonly title: { readonly en: string; readonly 'zh-CN': string }
  readonly text: { readonly en: string; readonly 'zh-CN': string }
  readonly data: NoticeData['endpoint.paused']
  readonly readAt: string | null
}

interface Page {
  readonly data: readonly Notice[]
  readonly hasMore: boolean
  readonly nextCursor: string | null
}

const list = (api: ApiClient, query = '') => api.call<Page>('GET', `/developer/v1/notices${query}`)

async function tell({ publisherId }: TestPublisher, host: string): Promise<void> {
  const data = { appId: 'app_1', appName: 'Printer', endpointId: 'end_1', host, reason: 'failing' }
  await at.db.tx((tx) => notifyPublisher(tx, publisherId, { kind: 'endpoint.paused', data }, at))
  // One after the other: notices of the same millisecond have no order that a person would know.
  at.clock.advance(1)
}

describe('notices', () => {
  test('are listed newest first, in pages, with words in both languages', async () => {
    for (const host of ['one.example', 'two.example', 'three.example']) await tell(mine, host)
    const { api } = mine.owner
    const first = await list(api, '?limit=2')
    expect(first.data.map(({ data }) => data.host)).toEqual(['three.example', 'two.example'])
    const second = await list(api, `?limit=2&after=${first.nextCursor}`)
    expect(second.data.map(({ data }) => data.host)).toEqual(['one.example'])
    expect([second.hasMore, second.nextCursor]).toEqual([false, null])
    expect(first.data[0]).toMatchObject({
      ...{ kind: 'endpoint.paused', publisherId: mine.publisherId, readAt: null },
      title: { en: 'Webhooks to three.example are paused', 'zh-CN': '发往 three.example 的 Webhook 已暂停' },
    })
  })

  test('of another publisher are not there, to be read neither', async () => {
    await tell(mine, 'mine.example')
    const [notice] = (await list(mine.owner.api)).data
    expect((await list(theirs.owner.api)).data).toEqual([])
    const path = (id: string) => `/developer/v1/notices/${id}:read`
    const foreign = await theirs.owner.api.refused('POST', path(notice?.id ?? ''), 404)
    const absent = await theirs.owner.api.refused('POST', path('ntc_00000000000000000000000000'), 404)
    expect([foreign.code, foreign.detail]).toEqual([absent.code, absent.detail])
    expect(foreign.code).toBe('notices.not_found')
    expect((await list(mine.owner.api)).data[0]?.readAt).toBeNull()
  })

  test('are marked as read once, for everybody of the publisher', async () => {
    await tell(mine, 'read.example')
    const { api } = mine.owner
    const unread = await list(api, '?unread=true')
    const [notice] = unread.data
    const path = `/developer/v1/notices/${notice?.id}:read`
    const read = await api.call<Notice>('POST', path)
    expect(read).toEqual({ ...notice, readAt: expect.any(String) as unknown })
    at.clock.advance(5_000)
    expect(await api.call<Notice>('POST', path)).toEqual(read)
    const left = await list(api, '?unread=true')
    expect(left.data.map(({ id }) => id)).toEqual(unread.data.slice(1).map(({ id }) => id))
  })

  test('are not for a stranger', async () => {
    await at.anonymous.refused('GET', '/developer/v1/notices', 401)
  })
})

test('a receiver that says 410 is told of: what stopped, why, and without its address’s secrets', async () => {
  const world = await makeEndpointWorld(at)
  const receiver = await startReceiver()
  receiver.behave(status(410))
  const endpoint = await world.create(`${receiver.url}?token=secret`)
  await world.pay()
  await at.platform.events.drainNow()
  const { data } = await list(world.api)
  expect(data).toHaveLength(1)
  expect(data[0]).toMatchObject({
    kind: 'endpoint.stopped',
    data: {
      endpointId: endpoint.id,
      appId: world.app.appId,
      reason: 'gone',
      host: new URL(receiver.url).host,
    },
  })
  expect(data[0]?.text.en).toMatch(/^The receiver answered 410 Gone\..*Order printer/)
  expect(JSON.stringify(data)).not.toContain('secret')
  await receiver.close()
})
