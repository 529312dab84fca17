import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import { limits } from '../../../src/kernel/index.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import { status } from '../../support/test-receiver.ts'
import { addViewer, type Connected, openReplayWorld, type ReplayWorld } from './world.ts'

interface Tested {
  readonly eventId: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly delivered: boolean
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly durationMs: number
}

let world: ReplayWorld
let connected: Connected

beforeAll(async () => {
  world = await openReplayWorld()
  connected = await world.connect({
    ...{ required: ['order:read'], optional: ['customer:read'], events: ['order.paid', 'order.shipped'] },
  })
})
afterAll(() => world.close())
beforeEach(() => world.receiver.behave(status(200)))

const send = (eventType: string) =>
  connected.dev.call<Tested>('POST', `${connected.endpointPath}:test`, { eventType })
const refusal = (eventType: string, code: number) =>
  connected.dev.refused('POST', `${connected.endpointPath}:test`, code, { json: { eventType } })
const setState = (state: string) =>
  sql(
    world.at.db.queries,
    'update endpoint set state = $2 where app_id = $1 returning 1 as one',
    connected.app.appId,
    state,
  )

describe('a test event', () => {
  test('is the type’s example, signed and marked, and in no stream', async () => {
    world.receiver.behave(status(202, {}, 'seen'))
    const answer = await leavingNothing(world.at, () => send('order.paid'))
    const got = world.receiver.requests.at(-1)
    expect(answer).toMatchObject({ delivered: true, status: 202, response: 'seen', error: null })
    expect(answer.eventId).toMatch(/^tst_/)
    expect(got?.body).toBe(answer.body)
    for (const [name, value] of Object.entries(answer.headers)) expect(got?.headers[name], name).toBe(value)
    expect(got?.headers['webhook-sequence']).toBeUndefined()
    const event = new Webhook(connected.secret).verify(got?.body ?? '', got?.headers ?? {})
    expect(event).toMatchObject({
      ...{ specversion: '1.0', id: answer.eventId, type: 'order.paid', test: true },
      data: { externalId: 'A-1001', customer: { name: 'Lin Yue' } },
    })
  })

  test('shows the fields that the newest version’s scopes reveal, and no others', async () => {
    const plain = await world.connect({ required: ['order:read'], events: ['order.paid'] })
    const { body } = await plain.dev.call<Tested>('POST', `${plain.endpointPath}:test`, {
      eventType: 'order.paid',
    })
    expect(JSON.parse(body)).toMatchObject({ data: { externalId: 'A-1001' } })
    expect(body).not.toContain('Lin Yue')
  })

  test('tells what came instead of a 2xx, and changes nothing by it', async () => {
    world.receiver.behave(status(410, {}, 'x'.repeat(limits.webhookResponseKeptBytesMax + 9)))
    const gone = await send('order.shipped')
    expect(gone).toMatchObject({ delivered: false, status: 410, error: 'webhooks.status_not_2xx' })
    expect(gone.response).toHaveLength(limits.webhookResponseKeptBytesMax)
    world.receiver.behave({ kind: 'reset' })
    const reset = await send('order.shipped')
    expect(reset).toMatchObject({ delivered: false, status: null, response: null })
    expect(reset.error).toMatch(/^webhooks\.reset/)
    expect(await connected.dev.call('GET', connected.endpointPath)).toMatchObject({
      ...{ state: 'active', failingSince: null, lastSuccessAt: null },
    })
  })

  test.each(['order.created', 'grant.changed', 'order.lost'])(
    'of the type %s, which the newest version does not ask for, is refused',
    async (type) => {
      const before = world.receiver.requests.length
      const problem = await refusal(type, 422)
      expect(problem.code).toBe('webhooks.event_type_not_requested')
      expect(problem.errors?.[0]).toMatchObject({ pointer: '/eventType' })
      expect(world.receiver.requests).toHaveLength(before)
    },
  )

  test('goes to a paused endpoint; not to an unverified or a stopped one', async () => {
    await setState('paused')
    expect(await send('order.paid')).toMatchObject({ delivered: true })
    const before = world.receiver.requests.length
    await setState('unverified')
    expect((await refusal('order.paid', 409)).code).toBe('webhooks.endpoint_not_verified')
    await setState('stopped')
    expect((await refusal('order.paid', 409)).code).toBe('webhooks.endpoint_stopped')
    expect(world.receiver.requests).toHaveLength(before)
    await setState('active')
  })

  test('is for owners and developers; another publisher’s endpoint is as if it were not there', async () => {
    const viewer = await addViewer(world, connected)
    const json = { eventType: 'order.paid' }
    const path = `${connected.endpointPath}:test`
    expect((await viewer.refused('POST', path, 403, { json })).code).toBe('capability.role_required')
    const stranger = (await world.story.publisher()).owner.api
    const { requestId: _a, ...foreign } = await stranger.refused('POST', path, 404, { json })
    const nowhere =
      '/developer/v1/apps/app_01JD0000000000000000000009/endpoints/end_01JD0000000000000000000009'
    const { requestId: _b, ...absent } = await stranger.refused('POST', `${nowhere}:test`, 404, { json })
    expect(foreign).toEqual(absent)
  })
})
