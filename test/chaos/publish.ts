import { setTimeout as sleep } from 'node:timers/promises'
import type { AcknowledgedLine } from './lines.ts'

/** A merchant whose events go to one endpoint. */
export interface Lane {
  readonly endpoint: string
  readonly ordered: boolean
  readonly merchantId: string
}

type Acknowledged = Pick<AcknowledgedLine, 'id' | 'type' | 'subject'>

/** A POST, repeated until it is answered; with a key it carries that as its Idempotency-Key each time. */
export type Send = <T>(path: string, key: string | null, body: unknown) => Promise<T>

/** Called after each answer, and waited for. */
export type Acknowledge = (...events: readonly Acknowledged[]) => Promise<void>

interface Unit {
  /** Of its own in the whole run. */
  readonly number: number
  readonly merchantId: string
}

const lines = [{ name: 'Tea', quantity: 1, unitPrice: { amount: 1250, currency: 'CNY' } }]
const total = { amount: 1250, currency: 'CNY' }

/** Two events of a capability: one request each. */
async function publishOrder(send: Send, { number, merchantId }: Unit, acknowledge: Acknowledge) {
  const path = `/host/v1/merchants/${merchantId}/orders`
  const externalId = `chaos-${number}`
  const { id: subject } = await send<{ id: string }>(path, `${externalId}-create`, { externalId, lines })
  await acknowledge({ id: null, type: 'order.created', subject })
  await send(`${path}/${subject}:pay`, `${externalId}-pay`, undefined)
  await acknowledge({ id: null, type: 'order.paid', subject })
}

const batches = 2
const eventsPerBatch = 9
// Some subjects have two events in a batch, and all have some in both.
const subjectsPerUnit = 6

function eventsOf({ number, merchantId }: Unit, batch: number) {
  return Array.from({ length: eventsPerBatch }, (_, index) => {
    const subject = `ord_${String(number * subjectsPerUnit + (index % subjectsPerUnit)).padStart(26, '0')}`
    const externalId = `chaos-${number}-${batch}-${index}`
    const data = { orderId: subject, externalId, lines, total, tracking: null }
    return { type: 'order.paid', merchantId, subject, data, externalId }
  })
}

/** Two batches with the same subjects, one after the other: every other unit relies on the events’ own ids alone. */
async function publishBatches(send: Send, unit: Unit, acknowledge: Acknowledge) {
  for (let batch = 0; batch < batches; batch += 1) {
    const events = eventsOf(unit, batch)
    const key = unit.number % 2 === 0 ? `chaos-${unit.number}-batch-${batch}` : null
    const { data } = await send<{ data: readonly { id: string }[] }>('/host/v1/events:batch', key, { events })
    await acknowledge(
      ...events.map(({ type, subject }, index) => ({ id: data[index]?.id ?? null, type, subject })),
    )
  }
}

/** What a unit publishes, the later part after the earlier one was acknowledged. */
export const eventsPerUnit = 2 + batches * eventsPerBatch

/** Publishes one unit by public HTTP, in each of the ways there are. */
export async function publishUnit(send: Send, unit: Unit, acknowledge: Acknowledge): Promise<void> {
  await publishOrder(send, unit, acknowledge)
  await publishBatches(send, unit, acknowledge)
}

const retryMs = 150
const answerMs = 20_000

/** Sends to a platform that may be away, or be killed before its answer arrives. Throws when it refuses. */
export function makeSend(baseUrl: string, hostKey: string, onRetry: () => void): Send {
  async function once(path: string, key: string | null, body: unknown): Promise<Response | null> {
    try {
      return await fetch(baseUrl + path, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${hostKey}`,
          ...(key === null ? {} : { 'idempotency-key': key }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(answerMs),
      })
    } catch {
      return null
    }
  }
  return async <T>(path: string, key: string | null, body: unknown) => {
    for (;;) {
      const response = await once(path, key, body)
      const text = await response?.text().catch(() => null)
      if (response?.ok === true && typeof text === 'string') return JSON.parse(text) as T
      const isFinal = response !== null && response.status < 500 && response.status !== 429
      if (isFinal && typeof text === 'string')
        throw new Error(`POST ${path} (${String(key)}) answered ${response.status}: ${text}`)
      onRetry()
      await sleep(retryMs)
    }
  }
}
