import path from 'node:path'
import { type Api, makeApi } from '../../examples/demo/api.ts'
import { type DemoPerson, invitePerson, registerDeveloper } from '../../examples/demo/people.ts'
import { publishApp } from '../../examples/demo/publish-app.ts'
import { makeStory } from '../../examples/demo/steps.ts'
import { goneEndpoint } from './behaviour.ts'
import type { Lane } from './publish.ts'

/** A lane as its developer has it. */
export interface OpenLane extends Lane {
  readonly appId: string
  readonly endpointId: string
  readonly secret: string
}

/** An endpoint that answers 410, apart from the lanes whose events are counted. */
export interface GoneEndpoint {
  readonly secret: string
  state(): Promise<string>
  /** Reports so many orders of its merchant. */
  publish(orders: number): Promise<void>
}

export interface ChaosWorld {
  readonly lanes: readonly OpenLane[]
  readonly gone: GoneEndpoint
  /** Whether anything of this state is still to be delivered to one of the lanes. */
  hasDeliveries(state: 'pending' | 'waiting'): Promise<boolean>
}

/** Half of the endpoints ask for order per subject. */
const endpoints = ['ordered-1', 'free-1', 'ordered-2', 'free-2'] as const

const quiet = makeStory(() => undefined)
const folder = path.join(import.meta.dirname, 'app')

async function addMerchant(baseUrl: string, host: Api, name: string): Promise<{ id: string; owner: Api }> {
  const { id } = await host.call<{ id: string }>('POST', '/host/v1/merchants', { kind: 'shop', name })
  const { api } = await invitePerson(baseUrl, {
    host,
    path: `/host/v1/merchants/${id}/members`,
    role: 'owner',
    email: `owner@${name}.example.com`,
    audiences: ['merchant'],
  })
  return { id, owner: api }
}

async function install(owner: Api, merchantId: string, appId: string): Promise<void> {
  const merchant = `/merchant/v1/merchants/${merchantId}`
  const { versionId } = await owner.call<{ versionId: string }>('GET', `${merchant}/apps/${appId}/consent`)
  const consent = { appId, versionId, optionalScopes: [], locale: 'en' }
  await owner.call('POST', `${merchant}/installations`, consent)
}

async function canOrder(baseUrl: string): Promise<boolean> {
  const { paths } = await makeApi(baseUrl, null).call<{ paths: Record<string, object> }>(
    'GET',
    '/openapi.json',
  )
  return 'patch' in (paths['/developer/v1/apps/{appId}/endpoints/{endpointId}'] ?? {})
}

interface Cast {
  readonly baseUrl: string
  readonly host: Api
  readonly developer: DemoPerson
  readonly reviewer: DemoPerson
  readonly publisherId: string
}

async function openLane(cast: Cast, endpoint: string, receiverUrl: string): Promise<OpenLane> {
  const { baseUrl, host, developer } = cast
  const { appId } = await publishApp({ story: quiet }, cast, {
    name: endpoint,
    class: 'backend',
    folder,
    change: { app_id: `com.example.${endpoint}`, name: endpoint },
  })
  const { id: merchantId, owner } = await addMerchant(baseUrl, host, endpoint)
  await install(owner, merchantId, appId)
  const app = `/developer/v1/apps/${appId}`
  const ordered = endpoint.startsWith('ordered') && (await canOrder(baseUrl))
  const url = `${receiverUrl}/deliveries/${endpoint}`
  const made = await developer.api.call<{ id: string; secret: string }>('POST', `${app}/endpoints`, { url })
  if (ordered) await developer.api.call('PATCH', `${app}/endpoints/${made.id}`, { fifo: true })
  return { endpoint, ordered, merchantId, appId, endpointId: made.id, secret: made.secret }
}

function makeGone(
  { host, developer }: Cast,
  { appId, endpointId, merchantId, secret }: OpenLane,
): GoneEndpoint {
  let published = 0
  return {
    secret,
    async state() {
      const path = `/developer/v1/apps/${appId}/endpoints/${endpointId}`
      return (await developer.api.call<{ state: string }>('GET', path)).state
    },
    async publish(orders) {
      const line = { name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }
      for (let i = 0; i < orders; i += 1) {
        published += 1
        const order = { externalId: `gone-${published}`, lines: [line] }
        await host.call('POST', `/host/v1/merchants/${merchantId}/orders`, order)
      }
    },
  }
}

/**
 * Makes four merchants by public HTTP, each with an app of its own and an endpoint at the receiver: an event of one
 * merchant goes to one endpoint.
 */
export async function makeChaosWorld(
  baseUrl: string,
  hostKey: string,
  receiverUrl: string,
): Promise<ChaosWorld> {
  const host = makeApi(baseUrl, hostKey)
  const developer = await registerDeveloper(baseUrl, 'dana@example.com')
  const reviewer = await invitePerson(baseUrl, {
    host,
    path: '/host/v1/staff',
    role: 'reviewer',
    email: 'ravi@example.com',
    audiences: ['reviewer'],
  })
  const { id: publisherId } = await developer.api.call<{ id: string }>('POST', '/developer/v1/publishers', {
    name: 'Dana’s studio',
  })
  const cast = { baseUrl, host, developer, reviewer, publisherId }
  const open = (endpoint: string) => openLane(cast, endpoint, receiverUrl)
  const [gone, ...lanes] = await Promise.all([open(goneEndpoint), ...endpoints.map(open)])
  return {
    lanes,
    gone: makeGone(cast, gone),
    async hasDeliveries(state) {
      const counts = await Promise.all(
        lanes.map(async ({ appId }) => {
          const list = `/developer/v1/apps/${appId}/deliveries?sink=backend&state=${state}&limit=1`
          return (await developer.api.call<{ data: readonly unknown[] }>('GET', list)).data.length
        }),
      )
      return counts.some((count) => count > 0)
    },
  }
}
