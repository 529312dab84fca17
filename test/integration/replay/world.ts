import { expect } from 'vitest'
import { sql } from '../../../src/db/index.ts'
import type { ApiClient } from '../../support/api-client.ts'
import type { TestPlatformOptions } from '../../support/platform.ts'
import type { ManifestSpec } from '../../support/story.ts'
import { startReceiver, type TestReceiver } from '../../support/test-receiver.ts'
import { type Installed, openStreamWorld, type StreamWorld } from '../stream/world.ts'

export interface Attempt {
  readonly number: number
  readonly outcome: string
  readonly replayId: string | null
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly startedAt: string
  readonly durationMs: number
  readonly request?: {
    readonly headers: Readonly<Record<string, string>>
    readonly signature: string | null
    readonly signedBy: readonly string[]
    readonly verified: boolean | null
  } | null
}

export interface Delivery {
  readonly id: string
  readonly sequence: number
  readonly merchantId: string
  readonly eventId: string
  readonly eventType: string
  readonly state: string
  readonly attemptCount: number
  readonly dueAt: string | null
  readonly finishedAt: string | null
  readonly attempts: readonly Attempt[]
}

export interface DeliveryDetail extends Delivery {
  readonly sink: string
  readonly body: string | null
  readonly bodySha256: string | null
  readonly bodyMissing: string | null
}

export interface Replay {
  readonly id: string
  readonly state: string
  readonly total: number
  readonly done: number
  readonly delivered: number
  readonly failed: number
  readonly skipped: number
  readonly etaSeconds: number | null
  readonly ratePerSecond: number
  readonly filter: Readonly<Record<string, unknown>>
  readonly createdBy: string
}

/** An app whose backend has an endpoint at the test's receiver. */
export interface Connected extends Installed {
  /** Of the app's owner. */
  readonly dev: ApiClient
  readonly appPath: string
  readonly endpointPath: string
  readonly secret: string
}

export interface ReplayWorld extends Omit<StreamWorld, 'close'> {
  readonly receiver: TestReceiver
  connect(manifest?: ManifestSpec): Promise<Connected>
  /** Publishes paid orders and sends what is due. */
  payAndSend(connected: Connected, count?: number, data?: object): Promise<readonly string[]>
  deliveries(connected: Connected, query?: string): Promise<readonly Delivery[]>
  replay(connected: Connected, input?: object): Promise<Replay>
  replayById(connected: Connected, replayId: string): Promise<Replay>
  close(): Promise<void>
}

/** Asks again until it is so; the limit is for a machine that has much else to do. */
export function eventually<T>(ask: () => T | Promise<T>) {
  return expect.poll(ask, { timeout: 25_000, interval: 50 })
}

/** A platform that works only when it is told to (`relayNow`, `drainNow`, `runNow`), and a receiver. */
export async function openReplayWorld(options: TestPlatformOptions = {}): Promise<ReplayWorld> {
  const [world, receiver] = await Promise.all([openStreamWorld(options), startReceiver()])
  const { events } = world.at.platform

  return {
    ...world,
    receiver,
    async connect(manifest) {
      const installed = await world.install(manifest === undefined ? {} : { manifest })
      const dev = installed.app.publisher.owner.api
      const appPath = `/developer/v1/apps/${installed.app.appId}`
      const { id, secret } = await dev.call<{ id: string; secret: string }>('POST', `${appPath}/endpoints`, {
        url: receiver.url,
      })
      return { ...installed, dev, appPath, endpointPath: `${appPath}/endpoints/${id}`, secret }
    },
    async payAndSend({ merchant }, count, data) {
      const published = await world.payAndRelay(merchant, count, data)
      await events.drainNow()
      return published
    },
    async deliveries({ dev, appPath }, query = '') {
      return (await dev.call<{ data: readonly Delivery[] }>('GET', `${appPath}/deliveries${query}`)).data
    },
    async replay({ dev, appPath }, input = {}) {
      return (await dev.call<{ replay: Replay }>('POST', `${appPath}/replays`, input)).replay
    },
    replayById: ({ dev, appPath }, replayId) => dev.call<Replay>('GET', `${appPath}/replays/${replayId}`),
    async close() {
      await world.close()
      await receiver.close()
    },
  }
}

/** Somebody who may look at everything of the app's publisher and change nothing. */
export async function addViewer(world: ReplayWorld, { app }: Connected): Promise<ApiClient> {
  const viewer = await world.at.person()
  await sql(
    world.at.db.queries,
    `insert into publisher_membership (publisher_id, person_id, role, created_at) values ($1, $2, 'viewer', now())`,
    ...[app.publisher.publisherId, viewer.personId],
  )
  return viewer.api
}

/** The app’s receiver answers 500 until its deliveries are exhausted: ten attempts by the table. */
export async function exhaust(world: ReplayWorld, connected: Connected, count = 1): Promise<void> {
  const { at, receiver } = world
  receiver.behave({ kind: 'status', status: 500, body: 'out of tea' })
  await world.payAndSend(connected, count)
  for (let i = 0; i < 10; i += 1) {
    at.clock.advance(30 * 60 * 60 * 1000)
    await connected.dev.call('POST', `${connected.endpointPath}:resume`)
    await at.platform.events.drainNow()
  }
  receiver.behave({ kind: 'status', status: 200 })
}
