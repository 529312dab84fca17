import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { Webhook } from 'standardwebhooks'
import { type Api, makeApi } from '../../../examples/demo/api.ts'
import { invitePerson, registerDeveloper } from '../../../examples/demo/people.ts'
import { publishApp } from '../../../examples/demo/publish-app.ts'
import { makeStory, until } from '../../../examples/demo/steps.ts'
import type { ReceivedRequest } from '../../support/test-receiver.ts'

/** A platform with one merchant that has installed one app, which gets `order.paid` by webhook and by handler. */
export interface World {
  readonly hostKey: string
  readonly developerToken: string
  readonly merchantId: string
  readonly owner: { readonly email: string; readonly password: string }
  readonly appId: string
  readonly clientSecret: string
}

/** The settings that every process of a world is started with. */
export function worldSettings(hostKey: string): Readonly<Record<string, string>> {
  return {
    STOA_SEED: 'none',
    STOA_HOST_KEY: hostKey,
    STOA_ALLOW_LOOPBACK_TARGETS: 'true',
    // One program here sends what many would.
    STOA_QUOTA_FACTOR: '10000',
  }
}

/** A key for a platform that is about to be started. */
export function newKey(): string {
  return `test-${randomBytes(24).toString('hex')}`
}

const quiet = makeStory(() => undefined)
const witness = path.join(import.meta.dirname, '../apps/witness')

/** The merchant consents: to an app that is installed, anew. Answers the installation's id. */
export async function install(
  merchant: Api,
  { merchantId, appId }: Pick<World, 'merchantId' | 'appId'>,
  optionalScopes: readonly string[] = [],
): Promise<string> {
  const merchantPath = `/merchant/v1/merchants/${merchantId}`
  const asked = await merchant.call<{ versionId: string }>('GET', `${merchantPath}/apps/${appId}/consent`)
  const consent = { appId, versionId: asked.versionId, optionalScopes, locale: 'en' }
  const given = await merchant.call<{ installation: { id: string } }>(
    'POST',
    `${merchantPath}/installations`,
    consent,
  )
  return given.installation.id
}

/** Makes the world by public HTTP on a platform that has just been started. */
export async function makeWorld(baseUrl: string, hostKey: string): Promise<World> {
  const host = makeApi(baseUrl, hostKey)
  const { id: merchantId } = await host.call<{ id: string }>('POST', '/host/v1/merchants', {
    kind: 'shop',
    name: 'Green Leaf Tea',
  })
  const [developer, merchant, reviewer] = await Promise.all([
    registerDeveloper(baseUrl, 'dana@example.com'),
    invitePerson(baseUrl, {
      host,
      path: `/host/v1/merchants/${merchantId}/members`,
      role: 'owner',
      email: 'mei@example.com',
      audiences: ['merchant'],
    }),
    invitePerson(baseUrl, {
      host,
      path: '/host/v1/staff',
      role: 'reviewer',
      email: 'ravi@example.com',
      audiences: ['reviewer'],
    }),
  ])
  const { id: publisherId } = await developer.api.call<{ id: string }>('POST', '/developer/v1/publishers', {
    name: 'Dana’s studio',
  })
  const app = { name: 'Witness', class: 'both', folder: witness } as const
  const { appId, clientSecret } = await publishApp(
    { story: quiet },
    { developer, reviewer, publisherId },
    app,
  )
  await install(merchant.api, { merchantId, appId })
  const owner = { email: merchant.email, password: merchant.password }
  return { hostKey, developerToken: developer.token, merchantId, owner, appId, clientSecret }
}

/** Gives the app an endpoint at `url`; answers its secret. */
export async function addEndpoint(baseUrl: string, world: World, url: string): Promise<string> {
  const api = makeApi(baseUrl, world.developerToken)
  const { secret } = await api.call<{ secret: string }>(
    'POST',
    `/developer/v1/apps/${world.appId}/endpoints`,
    { url },
  )
  return secret
}

/** Reports an order; answers its id. */
export async function createOrder(baseUrl: string, world: World, externalId: string): Promise<string> {
  const { id } = await makeApi(baseUrl, world.hostKey).call<{ id: string }>(
    'POST',
    `/host/v1/merchants/${world.merchantId}/orders`,
    { externalId, lines: [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }] },
  )
  return id
}

/** Reports that an order was paid: when this resolves the platform has accepted the event. */
export async function payOrder(baseUrl: string, world: World, orderId: string): Promise<void> {
  const path = `/host/v1/merchants/${world.merchantId}/orders/${orderId}:pay`
  await makeApi(baseUrl, world.hostKey).call('POST', path)
}

/** What a handler answered, as its delivery keeps it. */
export interface HandlerResult {
  readonly orderId: string
  readonly state: string
  readonly runs: number
  /** The code it was refused with where it wanted to do more than read. */
  readonly refusal: string | null
}

export interface DeliveryView {
  readonly eventId: string
  readonly sequence: number
  readonly subject: string
  readonly state: string
  readonly attemptCount: number
  readonly attempts: readonly { readonly outcome: string; readonly response: string | null }[]
}

/** The app's newest deliveries, as its developer sees them. */
export async function readDeliveries(
  baseUrl: string,
  world: World,
  sink: 'backend' | 'sandbox',
  state?: 'pending' | 'waiting',
): Promise<readonly DeliveryView[]> {
  const developer = makeApi(baseUrl, world.developerToken)
  const filter = state === undefined ? '' : `&state=${state}`
  const address = `/developer/v1/apps/${world.appId}/deliveries?sink=${sink}&limit=200${filter}`
  return (await developer.call<{ data: readonly DeliveryView[] }>('GET', address)).data
}

/** Waits until the app's handler has answered for the order. */
export function handlerResult(baseUrl: string, world: World, orderId: string): Promise<HandlerResult> {
  return until(`the handler’s result for ${orderId}`, 30_000, async () => {
    const deliveries = await readDeliveries(baseUrl, world, 'sandbox')
    const delivered = deliveries.find(({ subject, state }) => subject === orderId && state === 'delivered')
    const answer = delivered?.attempts.find(({ outcome }) => outcome === 'delivered')?.response
    return answer === undefined || answer === null ? null : (JSON.parse(answer) as HandlerResult)
  })
}

interface PaidEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
}

/** The event a webhook carries; throws where the `standardwebhooks` package finds its signature wrong. */
export function verify(request: ReceivedRequest, secret: string): PaidEvent {
  const event = new Webhook(secret).verify(request.body, { ...request.headers }) as PaidEvent
  if (event.id !== request.headers['webhook-id']) throw new Error('webhook-id is not the event’s id')
  return event
}
