import * as oauth from 'oauth4webapi'
import { until as untilAnswered } from '../../../examples/demo/steps.ts'
import { sql } from '../../../src/db/index.ts'
import { newId, toDate } from '../../../src/kernel/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import { makeProof } from '../../support/dpop.ts'
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from '../../support/platform.ts'
import {
  type ManifestSpec,
  makeStory,
  type Story,
  type TestApp,
  type TestMerchant,
  type TestPublisher,
} from '../../support/story.ts'
import { orderData } from '../events/fixture.ts'

/** One place of a stream, as it travels. */
export interface Item {
  readonly sequence: number
  readonly cancelled?: boolean
  readonly from?: number
  readonly held?: boolean
  readonly deliveryId?: string
  readonly eventId?: string
  readonly eventType?: string
  readonly subject?: string
  readonly merchantId?: string
  readonly thin?: boolean
  readonly body?: string
}

export interface Part {
  readonly data: readonly Item[]
  readonly hasMore: boolean
  readonly nextAfter: number
  readonly lastSequence: number
  readonly cursor: number
}

/** An app at a merchant, with the app's own token. */
export interface Installed {
  readonly app: TestApp
  readonly merchant: TestMerchant
  readonly installationId: string
  readonly token: string
  readonly api: ApiClient
}

export interface StreamWorld {
  readonly at: TestPlatform
  readonly story: Story
  /** A new app at a new merchant, or at this one. */
  install(options?: {
    readonly merchant?: TestMerchant
    readonly manifest?: ManifestSpec
  }): Promise<Installed>
  /** The app at one more new merchant. */
  installMore(app: TestApp): Promise<TestMerchant>
  /** Publishes paid orders of the merchant; gives the events' ids. Nothing is relayed yet. */
  pay(merchant: TestMerchant, count?: number, data?: object): Promise<readonly string[]>
  /** The same, and brings them into the streams. */
  payAndRelay(merchant: TestMerchant, count?: number, data?: object): Promise<readonly string[]>
  read(installed: Pick<Installed, 'api'>, query?: string): Promise<Part>
  acknowledge(installed: Pick<Installed, 'api'>, sequence: number, partition?: string): Promise<number>
  addRule(rule: { effect: string; appId?: string; merchantId?: string; scope?: string }): Promise<string>
  close(): Promise<void>
}

/** Waits until it is so; fails after 20 s. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  await untilAnswered(what, 20_000, () => Promise.resolve(isSo() ? true : null))
}

/** A fresh client-credentials token of the app. */
export async function appToken({ baseUrl }: Pick<TestPlatform, 'baseUrl'>, app: TestApp): Promise<string> {
  const basic = Buffer.from(`${app.appId}:${app.clientSecret}`).toString('base64')
  const response = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  if (!response.ok) throw new Error(`no token: ${await response.text()}`)
  return ((await response.json()) as { access_token: string }).access_token
}

/** The same, bound to a key. */
export async function boundAppToken(
  { baseUrl }: Pick<TestPlatform, 'baseUrl'>,
  app: TestApp,
): Promise<{ readonly token: string; readonly key: CryptoKeyPair }> {
  const key = await oauth.generateKeyPair('ES256')
  const endpoint = `${baseUrl}/oauth/token`
  const basic = Buffer.from(`${app.appId}:${app.clientSecret}`).toString('base64')
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Basic ${basic}`,
      dpop: await makeProof(key, { method: 'POST', url: endpoint }),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  if (!response.ok) throw new Error(`no token: ${await response.text()}`)
  return { token: ((await response.json()) as { access_token: string }).access_token, key }
}

const manifest: ManifestSpec = {
  required: ['order:read'],
  optional: ['customer:read'],
  events: ['order.paid'],
}

async function addRule(
  { db, clock, random }: TestPlatform,
  rule: { effect: string; appId?: string; merchantId?: string; scope?: string },
): Promise<string> {
  const id = newId('rule', { clock, random })
  await sql(
    db.queries,
    `insert into rule (id, effect, app_id, merchant_id, scope, reason_code, message, created_by, created_at)
     values ($1, $2, $3, $4, $5, 'test', '{}', 'per_1', $6)`,
    ...[id, rule.effect, rule.appId ?? null, rule.merchantId ?? null, rule.scope ?? null],
    toDate(clock.nowMs()),
  )
  return id
}

export async function openStreamWorld(options: TestPlatformOptions = {}): Promise<StreamWorld> {
  const at = await startTestPlatform(options)
  const story = makeStory(at)
  let publisher: TestPublisher | null = null
  const ids = { clock: at.clock, random: at.random }

  const pay: StreamWorld['pay'] = (merchant, count = 1, data = {}) =>
    at.db.tx(async (tx) => {
      const published: string[] = []
      for (let i = 0; i < count; i += 1) {
        const subject = newId('order', ids)
        const event = { type: 'order.paid', merchantId: merchant.merchantId, subject }
        published.push(
          await at.platform.events.publish(tx, { ...event, data: { ...orderData(subject), ...data } }),
        )
      }
      return published
    })

  return {
    at,
    story,
    async install(given = {}) {
      publisher ??= await story.publisher()
      const merchant = given.merchant ?? (await story.merchant())
      const app = await story.publish(publisher, { manifest: given.manifest ?? manifest })
      const optional = given.manifest === undefined ? ['customer:read'] : []
      const installationId = await story.install(merchant, app, optional)
      const token = await appToken(at, app)
      return { app, merchant, installationId, token, api: at.bearer(token) }
    },
    async installMore(app) {
      const merchant = await story.merchant()
      await story.install(merchant, app, ['customer:read'])
      return merchant
    },
    pay,
    async payAndRelay(...args) {
      const published = await pay(...args)
      await at.platform.events.relayNow()
      return published
    },
    read: ({ api }, query = '') => api.call<Part>('GET', `/v1/deliveries${query}`),
    async acknowledge({ api }, sequence, partition) {
      const input = { sequence, ...(partition === undefined ? {} : { partition }) }
      return (await api.call<{ cursor: number }>('POST', '/v1/deliveries:ack', input)).cursor
    },
    addRule: (rule) => addRule(at, rule),
    close: () => at.close(),
  }
}
