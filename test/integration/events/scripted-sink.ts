import { sql } from '../../../src/db/index.ts'
import type { Events, Outcome, OutgoingDelivery, Receiver, Sink } from '../../../src/events/index.ts'
import { type Fixture, type Installed, type InstallOptions, orderData } from './fixture.ts'

export const delivered: Outcome = { kind: 'delivered', status: 200, error: null, response: 'ok', log: null }

/** A receiver's answer that is tried again by the table, or after what it asks for. */
export function failed(status: number | null, retryAfterMs: number | null = null): Outcome {
  const overloaded = status === 429 || status === 502 || status === 504
  return { kind: 'failed', status, retryAfterMs, overloaded, error: 'failed', response: null, log: null }
}

export interface Scripted {
  readonly sink: Sink
  /** In the order in which they were begun. */
  readonly sent: OutgoingDelivery[]
  /** Sequence numbers of one subject, in the order in which they were begun. */
  sentOf(subject: string): readonly number[]
}

/** A sink whose receiver does as told; what it was given is kept. */
export function scripted(
  deliver: (delivery: OutgoingDelivery) => Promise<Outcome> | Outcome,
  options: Partial<Omit<Receiver, 'deliver'>> = {},
): Scripted {
  const sent: OutgoingDelivery[] = []
  const receiver: Receiver = {
    ...{
      concurrencyMax: 4,
      adaptive: false,
      fifo: false,
      ratePerSecond: null,
      probing: false,
      startSequence: 0n,
    },
    ...options,
    deliver(delivery) {
      sent.push(delivery)
      return Promise.resolve(deliver(delivery))
    },
  }
  return {
    sink: { open: () => Promise.resolve(receiver) },
    sent,
    sentOf: (wanted) =>
      sent.filter(({ subject }) => subject === wanted).map(({ sequence }) => Number(sequence)),
  }
}

/** An installation whose app has an endpoint, with whatever its row shall say. */
export async function installedWith(
  fixture: Fixture,
  endpoint: Readonly<Record<string, string | number | boolean | null>> = {},
  options: InstallOptions = {},
): Promise<Installed> {
  const installed = await fixture.install(options)
  await fixture.addEndpoint(installed, 'http://127.0.0.1:9/')
  await setEndpoint(fixture, installed, { state: 'active', ...endpoint })
  return installed
}

/** Writes columns of the endpoint's row, as pause, resume and the settings of an endpoint do. */
export async function setEndpoint(
  { db }: Pick<Fixture, 'db'>,
  { streamId }: Pick<Installed, 'streamId'>,
  columns: Readonly<Record<string, string | number | boolean | null>>,
): Promise<void> {
  for (const [name, value] of Object.entries(columns)) {
    const type = name.endsWith('_at') ? '::text::timestamptz' : ''
    await sql(db.queries, `update endpoint set ${name} = $2${type} where stream_id = $1`, streamId, value)
  }
}

/** Publishes one event per subject in this order and relays them. */
export async function payInOrder(
  { db }: Pick<Fixture, 'db'>,
  events: Events,
  merchantId: string,
  subjects: readonly string[],
): Promise<void> {
  for (const subject of subjects) {
    await db.tx((tx) =>
      events.publish(tx, {
        type: 'order.paid',
        merchantId,
        subject,
        data: orderData('ord_01J00000000000000000000000'),
      }),
    )
  }
  await events.relayNow()
}

/** Nothing that there is now will be sent any more. */
export async function cancelOpen({ db }: Pick<Fixture, 'db'>): Promise<void> {
  await sql(db.queries, `update delivery set state = 'cancelled' where state in ('pending', 'waiting')`)
}

export const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Waits for a condition; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await later(5)
}
