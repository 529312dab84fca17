import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestPlatform, type TestPlatform } from '../../support/platform.ts'
import { leavingNothing } from '../../support/row-counts.ts'
import {
  makeStory,
  type Story,
  type TestApp,
  type TestMerchant,
  type TestPublisher,
} from '../../support/story.ts'
import { startReceiver } from '../../support/test-receiver.ts'
import { type InstallWorld, installationsPath as installations, makeInstallWorld } from './world.ts'

let at: TestPlatform
let story: Story
let publisher: TestPublisher
let app: TestApp
let world: InstallWorld

beforeAll(async () => {
  at = await startTestPlatform()
  story = makeStory(at)
  publisher = await story.publisher()
  app = await story.publish(publisher, {
    manifest: {
      required: ['order:read'],
      optional: ['order:write', 'customer:read'],
      events: ['order.paid', 'app.installed', 'app.uninstalled', 'grant.changed'],
    },
  })
  world = makeInstallWorld(at, app)
})
afterAll(() => at.close())

describe('installing', () => {
  test('makes installation, grant, consent, subscriptions and one event', async () => {
    const merchant = await story.merchant()
    const { status, body } = await world.accept(merchant, { optionalScopes: ['customer:read'] })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      redirectTo: null,
      installation: {
        state: 'active',
        versionId: app.versionId,
        granted: ['customer:read', 'order:read'],
        refused: ['order:write'],
        uninstalledAt: null,
      },
    })
    const [grant] = await world.rows<Record<string, unknown>>(
      'select epoch, required, optional, consent_id from "grant" where installation_id = $1',
      body.installation.id,
    )
    expect(grant).toMatchObject({
      epoch: 1,
      required: ['order:read'],
      optional: ['order:write', 'customer:read'],
    })
    const subscribed = await world.rows<{ event_type: string }>(
      'select event_type from subscription where installation_id = $1 and ended_at is null order by 1',
      body.installation.id,
    )
    expect(subscribed.map((row) => row.event_type)).toEqual([
      'app.installed',
      'app.uninstalled',
      'grant.changed',
      'order.paid',
    ])
    expect(await world.eventsOf(merchant)).toEqual(['app.installed'])
    await at.platform.events.relayNow()
    const [delivery] = await world.deliveriesTo(body.installation.id)
    expect(JSON.parse(delivery?.text ?? '{}')).toMatchObject({
      type: 'app.installed',
      subject: body.installation.id,
      merchantid: merchant.merchantId,
      data: { appId: app.appId, scopes: ['customer:read', 'order:read'] },
    })
  })

  test('twice changes the grant of the one installation, and says so to the app', async () => {
    const merchant = await story.merchant()
    const first = await world.accept(merchant, { optionalScopes: ['order:write'] })
    const second = await world.accept(merchant, { optionalScopes: ['customer:read'] })
    expect(second.body.installation.id).toBe(first.body.installation.id)
    expect(await world.liveOf(merchant)).toMatchObject([
      { granted: ['customer:read', 'order:read'], refused: ['order:write'] },
    ])
    const [grant] = await world.rows('select epoch from "grant" where merchant_id = $1', merchant.merchantId)
    expect(grant).toEqual({ epoch: 2 })
    const consents = await world.rows(
      'select decision from consent where merchant_id = $1',
      merchant.merchantId,
    )
    expect(consents).toEqual([{ decision: 'granted' }, { decision: 'granted' }])
    expect(await world.eventsOf(merchant)).toEqual(['app.installed', 'grant.changed'])
  })

  test('ten at once is one installation', async () => {
    const merchant = await story.merchant()
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.accept(merchant)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 201))
    expect(new Set(answers.map(({ body }) => body.installation.id)).size).toBe(1)
    expect((await world.eventsOf(merchant)).filter((type) => type === 'app.installed')).toHaveLength(1)
  })

  test.each<[string, Readonly<Record<string, unknown>>, number, string]>([
    ['an unknown app', { appId: 'app_00000000000000000000000000' }, 404, 'install.app_not_found'],
    [
      'another version than what is released',
      { versionId: 'ver_00000000000000000000000000' },
      409,
      'install.version_changed',
    ],
    ['a scope that is not offered', { optionalScopes: ['storage:all'] }, 422, 'install.scope_not_offered'],
    ['a required scope as a choice', { optionalScopes: ['order:read'] }, 422, 'install.scope_not_offered'],
    [
      'a request of /oauth/authorize that is none',
      { interactionUid: 'nobody-waits' },
      404,
      'oauth.interaction_not_found',
    ],
    ['an app and a wrong language', { locale: 'fr' }, 400, 'capability.invalid_input'],
  ])('%s is refused and leaves no row', async (_what, change, status, code) => {
    const merchant = await story.merchant()
    await leavingNothing(at, async () => {
      const answer = await world.accept(merchant, change)
      expect([answer.status, (answer.body as unknown as { code: string }).code]).toEqual([status, code])
    })
  })

  test('is refused to a member of the staff, and to somebody of another merchant word for word as for none', async () => {
    const merchant = await story.merchant()
    const stranger = await story.merchant()
    const staff = await story.member(merchant.merchantId, 'staff')
    const json = { appId: app.appId, versionId: app.versionId, optionalScopes: [], locale: 'en' }
    await leavingNothing(at, async () => {
      expect((await staff.api.refused('POST', installations(merchant), 403, { json })).code).toBe(
        'capability.role_required',
      )
      const nowhere = installations({ ...merchant, merchantId: 'mer_00000000000000000000000000' })
      const [foreign, missing] = [
        await stranger.owner.api.refused('POST', installations(merchant), 404, { json }),
        await stranger.owner.api.refused('POST', nowhere, 404, { json }),
      ]
      expect({ ...foreign, requestId: '' }).toEqual({ ...missing, requestId: '' })
    })
  })
})

describe('a version released between showing and accepting', () => {
  test('is refused with 409, and asked anew it installs', async () => {
    const merchant = await story.merchant()
    const changing = await story.publish(publisher, { manifest: { required: ['order:read'] } })
    const read = () =>
      merchant.owner.api.call<{ versionId: string; required: readonly { scope: string }[] }>(
        'GET',
        `/merchant/v1/merchants/${merchant.merchantId}/apps/${changing.appId}/consent`,
      )
    const shown = await read()
    await story.release(changing, { required: ['order:read', 'order:write'], code: 2 })
    const ids = { appId: changing.appId, versionId: shown.versionId }
    await leavingNothing(at, async () => {
      expect((await world.accept(merchant, ids)).body).toMatchObject({ code: 'install.version_changed' })
    })
    const again = await read()
    expect(again.required.map(({ scope }) => scope)).toEqual(['order:read', 'order:write'])
    expect((await world.accept(merchant, { ...ids, versionId: again.versionId })).status).toBe(201)
  })

  test('that asks for more leaves what is installed as it was', async () => {
    const merchant = await story.merchant()
    const growing = await story.publish(publisher, { manifest: { required: [], optional: ['order:read'] } })
    const installationId = await story.install(merchant, growing, ['order:read'])
    await story.release(growing, { required: ['order:read', 'customer:read'], code: 2 })
    expect(
      await merchant.owner.api.call('GET', `/merchant/v1/installations/${installationId}`),
    ).toMatchObject({
      versionId: growing.versionId,
      granted: ['order:read'],
    })
  })
})

describe('uninstalling', () => {
  async function uninstall(merchant: TestMerchant, installationId: string): Promise<number> {
    const { status } = await merchant.owner.api.request(
      'DELETE',
      `/merchant/v1/installations/${installationId}`,
    )
    return status
  }

  test('ends tokens at once, deletes what was stored, cancels deliveries and says goodbye to the app', async () => {
    const merchant = await story.merchant()
    const tokens = await story.connect(merchant, app)
    const api = at.bearer(tokens.access_token)
    const id = tokens.installation_id
    await api.call('PUT', '/v1/storage/counter', { value: 1 })
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    expect((await world.deliveriesTo(id)).map(({ event_type, state }) => [event_type, state])).toEqual([
      ['app.installed', 'pending'],
      ['order.paid', 'pending'],
    ])

    expect(await uninstall(merchant, id)).toBe(204)
    // At once in this process; in others within limits.accessTokenCacheMs, which the clock passes here.
    expect((await api.request('GET', '/v1/orders')).status).toBe(401)
    at.clock.advance(5_000)
    expect((await api.request('GET', '/v1/orders')).status).toBe(401)
    expect(await world.rows('select key from storage_item where installation_id = $1', id)).toEqual([])
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    expect((await world.deliveriesTo(id)).map(({ event_type, state }) => [event_type, state])).toEqual([
      ['app.installed', 'cancelled'],
      ['order.paid', 'cancelled'],
      ['app.uninstalled', 'pending'],
    ])
    expect(
      await world.rows('select id from subscription where installation_id = $1 and ended_at is null', id),
    ).toEqual([])
    expect(await merchant.owner.api.call('GET', `/merchant/v1/installations/${id}`)).toMatchObject({
      state: 'uninstalled',
      uninstalledAt: expect.any(String),
    })
  })

  test('is the last thing the app hears, by a webhook it can verify', async () => {
    const merchant = await story.merchant()
    const receiver = await startReceiver()
    const backend = await story.publish(publisher, {
      manifest: { required: ['order:read'], events: ['app.uninstalled', 'order.paid'] },
    })
    const { secret } = await publisher.owner.api.call<{ secret: string }>(
      'POST',
      `/developer/v1/apps/${backend.appId}/endpoints`,
      { url: receiver.url },
    )
    const id = await story.install(merchant, backend)
    await uninstall(merchant, id)
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    await at.platform.events.drainNow()
    const bodies = receiver.requests.map(({ body, headers }) => new Webhook(secret).verify(body, headers))
    expect(bodies).toMatchObject([{ type: 'app.uninstalled', subject: id, merchantid: merchant.merchantId }])
    await receiver.close()
  })

  test('keeps the refresh token from making another access token', async () => {
    const merchant = await story.merchant()
    const tokens = await story.connect(merchant, app)
    await uninstall(merchant, tokens.installation_id)
    const { status, body } = await at.anonymous.request('POST', '/oauth/token', {
      raw: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
      }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${app.appId}:${app.clientSecret}`).toString('base64')}`,
      },
    })
    expect([status, (body as { error: string }).error]).toEqual([400, 'invalid_grant'])
  })

  test('is recorded as a consent that was withdrawn, with what was lost', async () => {
    const merchant = await story.merchant()
    const id = await story.install(merchant, app, ['order:write'])
    await uninstall(merchant, id)
    const [consent] = await world.rows(
      `select decision, person_id, granted, refused from consent where installation_id = $1 and decision = 'withdrawn'`,
      id,
    )
    expect(consent).toEqual({
      decision: 'withdrawn',
      person_id: merchant.owner.personId,
      granted: [],
      refused: ['order:read', 'order:write'],
    })
  })

  test('twice is refused, at once or later, and happens once', async () => {
    const merchant = await story.merchant()
    const id = await story.install(merchant, app)
    const statuses = await Promise.all(Array.from({ length: 5 }, () => uninstall(merchant, id)))
    expect(statuses.toSorted()).toEqual([204, 409, 409, 409, 409])
    expect((await world.eventsOf(merchant)).filter((type) => type === 'app.uninstalled')).toHaveLength(1)
  })

  test('and installing anew is another installation, with nothing of the old one', async () => {
    const merchant = await story.merchant()
    const before = await story.connect(merchant, app)
    await at.bearer(before.access_token).call('PUT', '/v1/storage/counter', { value: 1 })
    await uninstall(merchant, before.installation_id)
    const after = await story.connect(merchant, app)
    expect(after.installation_id).not.toBe(before.installation_id)
    expect((await at.bearer(after.access_token).refused('GET', '/v1/storage/counter', 404)).code).toBe(
      'storage.not_found',
    )
    expect((await at.bearer(before.access_token).request('GET', '/v1/storage/counter')).status).toBe(401)
  })

  test('raced by a new consent ends in one of the two, never in a live subscription of a dead installation', async () => {
    const merchant = await story.merchant()
    const id = await story.install(merchant, app)
    await Promise.all([world.accept(merchant, { optionalScopes: ['order:write'] }), uninstall(merchant, id)])
    const live = await world.rows<{ installation_id: string }>(
      `select distinct s.installation_id from subscription s join installation i on i.id = s.installation_id
       where s.merchant_id = $1 and s.ended_at is null and i.state <> 'active'`,
      merchant.merchantId,
    )
    expect(live).toEqual([])
  })
})

describe('a narrower grant', () => {
  test('takes the scope from tokens that exist', async () => {
    const merchant = await story.merchant()
    const tokens = await story.connect(merchant, app, ['order:write'])
    const orderId = await world.payAnOrder(merchant)
    await world.accept(merchant, { optionalScopes: [] })
    at.clock.advance(5_000)
    const problem = await at.bearer(tokens.access_token).refused('POST', `/v1/orders/${orderId}:ship`, 403)
    expect(problem.missingScopes).toEqual(['order:write'])
  })

  test('keeps what is on its way and still covered', async () => {
    const merchant = await story.merchant()
    const id = await story.install(merchant, app, ['order:write'])
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    await world.accept(merchant, { optionalScopes: [] })
    expect((await world.deliveriesTo(id)).map(({ event_type, state }) => [event_type, state])).toEqual([
      ['app.installed', 'pending'],
      ['order.paid', 'pending'],
    ])
  })

  test('shows in the body of events only what it holds', async () => {
    const merchant = await story.merchant()
    const id = await story.install(merchant, app, ['customer:read'])
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    await world.accept(merchant, { optionalScopes: [] })
    await world.payAnOrder(merchant)
    await at.platform.events.relayNow()
    const paid = (await world.deliveriesTo(id)).filter(({ event_type }) => event_type === 'order.paid')
    expect(paid.map(({ text }) => text.includes('Lin Yue'))).toEqual([true, false])
  })
})
