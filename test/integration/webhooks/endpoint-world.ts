import { sql } from '../../../src/db/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import type { TestPlatform } from '../../support/platform.ts'
import { makeStory, type Story, type TestApp, type TestMerchant } from '../../support/story.ts'
import type { ReceivedRequest } from '../../support/test-receiver.ts'
import { makeInstallWorld } from '../install/world.ts'

/** The members of an endpoint that the tests look at. */
export interface WireEndpoint {
  readonly id: string
  readonly appId: string
  readonly url: string
  readonly state: string
  readonly stateReason: string | null
  readonly fifo: boolean
  readonly ratePerSecond: number | null
  readonly verifiedAt: string | null
  readonly pausedAt: string | null
  readonly probeAt: string | null
  readonly probeFailures: number
  readonly startSequence: number
  readonly secrets: readonly {
    readonly id: string
    readonly signature: string
    readonly publicKey: string | null
    readonly expiresAt: string | null
  }[]
  readonly secret?: string | null
}

/** An app of its own, installed at a merchant, by HTTP. */
export interface EndpointWorld {
  readonly app: TestApp
  readonly merchant: TestMerchant
  readonly api: ApiClient
  readonly path: string
  create(url: string, more?: object): Promise<WireEndpoint>
  get(endpoint: WireEndpoint): Promise<WireEndpoint>
  post(endpoint: WireEndpoint, verb: string): Promise<WireEndpoint>
  /** As an endpoint of another machine is before it has answered its challenge. */
  unverify(endpoint: WireEndpoint): Promise<void>
  /** Orders that are paid; their events are on their way, not sent. */
  pay(count?: number): Promise<void>
  pathOf(endpoint: WireEndpoint): string
}

export async function makeEndpointWorld(
  at: TestPlatform,
  story: Story = makeStory(at),
): Promise<EndpointWorld> {
  const publisher = await story.publisher()
  const merchant = await story.merchant()
  const manifest = { required: ['order:read'], events: ['order.paid'] }
  const app = await story.publish(publisher, { manifest })
  await story.install(merchant, app)
  const { api } = publisher.owner
  const path = `/developer/v1/apps/${app.appId}/endpoints`
  const pathOf = ({ id }: WireEndpoint) => `${path}/${id}`
  const install = makeInstallWorld(at, app)
  return {
    ...{ app, merchant, api, path, pathOf },
    create: (url, more = {}) => api.call('POST', path, { url, ...more }),
    get: (endpoint) => api.call('GET', pathOf(endpoint)),
    post: (endpoint, verb) => api.call('POST', `${pathOf(endpoint)}:${verb}`),
    async unverify({ id }) {
      await sql(at.db.queries, `update endpoint set state = 'unverified' where id = $1`, id)
    },
    async pay(count = 1) {
      for (let i = 0; i < count; i += 1) await install.payAnOrder(merchant)
      await at.platform.events.relayNow()
    },
  }
}

/** What the request asks its receiver to send back. */
export function challengeOf({ body }: ReceivedRequest): string {
  const { data } = JSON.parse(body) as { readonly data: { readonly challenge: string } }
  return data.challenge
}

/** Only requests that carry events. */
export function eventsAmong(requests: readonly ReceivedRequest[]): readonly ReceivedRequest[] {
  return requests.filter(({ headers }) => headers['webhook-id']?.startsWith('evt_'))
}
