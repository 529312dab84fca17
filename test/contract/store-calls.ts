import fc from 'fast-check'
import { isUniqueViolation } from '../../src/db/index.ts'
import { deliveryStates } from '../../src/events/delivery.ts'
import type { RecordBatch } from '../../src/events/drain/record/store.ts'
import type { Row, Rows } from '../simulation/rows.ts'
import { merchantIds, subjects } from '../simulation/scene.ts'
import type { World } from '../simulation/world.ts'

// One call to the store, chosen by a few small numbers and by the rows as they are.

export interface Draw {
  readonly kind: number
  readonly a: number
  readonly b: number
  readonly c: number
  /** A moment within the hour in which everything happens. */
  readonly atMs: number
}

const small = fc.integer({ min: 0, max: 7 })
export const draws = fc.array(
  fc.record({ kind: fc.nat(), a: small, b: small, c: small, atMs: fc.integer({ min: 1, max: 3_600_000 }) }),
  { minLength: 10, maxLength: 60 },
)

const baseMs = Date.UTC(2026, 10, 2)

function pick<T>(list: readonly T[], number: number): T {
  if (list.length === 0) throw new Error('nothing to pick from')
  return list[number % list.length] as T
}

const streamOf = (d: Draw) => pick(['str_1', 'str_2', 'str_3'], d.a)
const triedOf = (d: Draw) => {
  const number = pick([1, 2, 2, 1, 3], d.a)
  const url = d.c === 7 ? 'https://other.example' : `https://receiver.example/str_${number}`
  return { endpointId: `end_${number}`, streamId: `str_${number}`, url }
}
const timeOf = (d: Draw) => baseMs + d.atMs

function deliveriesOf(rows: Rows): readonly Row<'delivery'>[] {
  return [...rows.delivery.values()].sort((x, y) => (x.id < y.id ? -1 : 1))
}

function eventOf(d: Draw, rows: Rows): Row<'event'> {
  const seq = rows.event.size + 1
  const time = { occurred_at: timeOf(d), created_at: timeOf(d), relayed_at: null }
  const data = JSON.stringify({ note: 'x'.repeat(d.c * 10) })
  const same = { source: '/host', external_id: null, type: 'order.paid', version: 1, data, ...time }
  const id = `evt_${String(seq).padStart(3, '0')}`
  return { id, seq, ...same, merchant_id: pick(merchantIds, d.a), subject: pick(subjects, d.b) }
}

function newDelivery(d: Draw, rows: Rows, sequence: bigint) {
  const number = rows.delivery.size + 1
  const installation = pick([...rows.installation.values()], d.b)
  const eventId = `evt_${String(d.c + 1).padStart(3, '0')}`
  return {
    id: `dlv_${String(number).padStart(3, '0')}`,
    merchantId: installation.merchant_id,
    installationId: installation.id,
    appId: installation.app_id,
    streamId: installation.app_id.replace('app', 'str'),
    subscriptionId: installation.id.replace('ins', 'sub'),
    ...{ eventId, eventType: 'order.paid', subject: pick(subjects, d.a), bodyHash: `hash_${d.c % 3}` },
    scopes: pick([[], ['order:read'], ['customer:read', 'order:read']], d.b),
    sequence,
    // No two are due at once: SQL leaves their order open.
    dueAtMs: timeOf(d) + number,
  }
}

function insertOne(d: Draw, rows: Rows) {
  return (world: World) =>
    world.events.tx(async (tx) => {
      const planned = newDelivery(d, rows, 0n)
      const [stream] = await tx.advanceStreams([planned.streamId], [1], timeOf(d))
      const body = { hash: planned.bodyHash, merchantId: planned.merchantId, eventId: planned.eventId }
      await tx.insertBodies([{ ...body, text: `text ${d.b}`, personal: d.a > 3, publishedAtMs: timeOf(d) }])
      await tx.insertDeliveries([{ ...planned, sequence: stream?.firstSequence ?? 0n }], timeOf(d))
      await tx.markRelayed([planned.eventId], timeOf(d))
      return stream
    })
}

function batchOf(d: Draw, rows: Rows): RecordBatch {
  const delivery = pick(deliveriesOf(rows), d.b + d.c)
  const stream = rows.stream.get(delivery.stream_id)
  const state = pick(deliveryStates, d.c)
  const isFinal = state !== 'pending' && state !== 'waiting'
  const settled = {
    state,
    attempts: delivery.attempts + 1,
    dueAtMs: timeOf(d),
    lastOutcome: 'failed' as const,
  }
  const attempt = {
    ...{ id: `att_${d.atMs % 40}`, number: settled.attempts, startedAtMs: baseMs, durationMs: d.a },
    ...{
      outcome: 'failed' as const,
      status: d.a > 4 ? 500 : null,
      error: 'failed',
      response: null,
      log: null,
    },
  }
  return {
    streamId: d.a === 0 ? 'str_1' : delivery.stream_id,
    epoch: BigInt((stream?.lease_epoch ?? 0) - (d.a === 1 ? 1 : 0)),
    records: [
      {
        ...{ deliveryId: delivery.id, merchantId: delivery.merchant_id },
        settled: { ...settled, finishedAtMs: isFinal ? timeOf(d) : null },
        attempt: d.a === 2 ? null : attempt,
      },
    ],
  }
}

function ruleOf(d: Draw, rows: Rows): Row<'rule'> {
  return {
    id: `rul_${rows.rule.size}`,
    effect: pick(['stop', 'pause_events', 'revoke_tokens', 'drop_scope', 'hide'], d.a),
    app_id: d.b % 3 === 0 ? 'app_1' : null,
    publisher_id: d.b % 3 === 1 ? 'pub_1' : null,
    merchant_id: d.c % 2 === 0 ? pick(merchantIds, d.c) : null,
    scope: d.b % 3 === 2 || d.a % 5 === 3 ? 'customer:read' : null,
    version_id: d.c === 7 ? 'ver_1' : null,
    host: null,
    expires_at: d.c > 4 ? timeOf(d) : null,
    lifted_at: null,
  }
}

function searchOf(d: Draw, rows: Rows) {
  const delivery = deliveriesOf(rows)[d.c]
  const inOrder = { exceptMerchantIds: ['mer_1', 'mer_2'], exceptSubjects: ['ord_1', pick(subjects, d.b)] }
  return {
    ...{ nowMs: timeOf(d), startSequence: BigInt(d.b > 5 ? 2 : 0), deliveriesMax: d.c + 1 },
    exceptIds: d.a === 1 && delivery !== undefined ? [delivery.id] : [],
    exceptMerchantIds: d.a === 2 ? ['mer_1'] : [],
    fifo: d.b % 2 === 0 ? null : d.a > 3 ? inOrder : { exceptMerchantIds: [], exceptSubjects: [] },
  }
}

type Call = (d: Draw, rows: Rows) => (world: World) => Promise<unknown>

const endpointOf = (d: Draw, rows: Rows) => pick([...rows.endpoint.values()], d.a)
const installationOf = (d: Draw, rows: Rows) => pick([...rows.installation.values()], d.b)

/** Every member of both stores, and what people do. */
export const calls: Readonly<Record<string, Call>> = {
  publish: (d, rows) => (w) => w.people.publish(eventOf(d, rows), d.c !== 0),
  publishMore: (d, rows) => (w) => w.people.publish(eventOf(d, rows), true),
  insertOne,
  insertAnother: insertOne,
  hasUnrelayed: () => (w) => w.events.hasUnrelayed(),
  listUnrelayed: (d) => (w) =>
    w.events.tx((tx) => tx.listUnrelayed({ eventsMax: d.a + 1, bytesMax: d.b * 40 + 1 })),
  tryRelayLock: () => (w) => w.events.tx((tx) => tx.tryRelayLock(0)),
  listSubscriptions: (d) => (w) => {
    const search = {
      eventTypes: ['order.paid', d.a > 5 ? 'order.lost' : 'order.paid'],
      endedSinceMs: timeOf(d),
    }
    return w.events.tx((tx) => tx.listSubscriptions(['mer_1', 'mer_2'], search))
  },
  replaceBody: (d, rows) => (w) => {
    const deliveryId = pick(deliveriesOf(rows), d.b).id
    return w.events.tx((tx) => tx.replaceBody(streamOf(d), { deliveryId, bodyHash: 'hash_0', scopes: [] }))
  },
  listRules: (d) => (w) => w.events.listRules(timeOf(d)),
  listDueStreams: (d) => (w) =>
    w.events.listDueStreams({
      sinks: pick([['backend'], ['backend', 'sandbox'], []], d.a),
      nowMs: timeOf(d),
      streamsMax: 9,
    }),
  findNextDue: (d) => (w) => w.events.findNextDue(streamOf(d), timeOf(d)),
  listDue: (d, rows) => (w) => w.events.listDue(streamOf(d), searchOf(d, rows)),
  findEvent: (d) => (w) => w.events.findEvent(pick(merchantIds, d.a), `evt_00${d.b + 1}`),
  takeLease: (d) => (w) =>
    w.events.takeLease(streamOf(d), { owner: `run_${d.b}`, nowMs: timeOf(d), untilMs: timeOf(d) + 6_000 }),
  renewLease: (d, rows) => (w) => {
    const epoch = BigInt((rows.stream.get(streamOf(d))?.lease_epoch ?? 0) - (d.b === 1 ? 1 : 0))
    return w.events.renewLease(streamOf(d), { epoch, untilMs: timeOf(d) })
  },
  releaseLease: (d, rows) => (w) => {
    const epoch = BigInt((rows.stream.get(streamOf(d))?.lease_epoch ?? 0) - (d.b === 1 ? 1 : 0))
    return w.events.releaseLease(streamOf(d), { epoch, notBeforeMs: d.c > 4 ? timeOf(d) : null })
  },
  clearLeases: (d) => async (w) => (d.a === 0 ? w.events.clearLeases() : null),
  recordBatches: (d, rows) => (w) => w.events.recordBatches([batchOf(d, rows)]),
  recordMore: (d, rows) => (w) => w.events.recordBatches([batchOf(d, rows)]),
  findReceiver: (d) => (w) => w.endpoints.findReceiver(streamOf(d), timeOf(d)),
  noteHealth: (d) => (w) => w.endpoints.noteHealth(triedOf(d), { delivered: d.b > 3, nowMs: timeOf(d) }),
  postponeProbe: (d) => (w) =>
    w.endpoints.postponeProbe(triedOf(d), { failuresBefore: d.b % 2, probeAtMs: timeOf(d) }),
  markPaused: (d) => (w) => {
    const failingSinceMsMax = d.b > 5 ? timeOf(d) : null
    const change = { reason: 'failing' as const, nowMs: timeOf(d), probeAtMs: timeOf(d) + 300_000 }
    return w.endpoints.tx((tx) => tx.markPaused(triedOf(d), { ...change, failingSinceMsMax }))
  },
  markResumed: (d) => (w) => w.endpoints.tx((tx) => tx.markResumed(triedOf(d), timeOf(d))),
  markStopped: (d) => (w) =>
    w.endpoints.tx(async (tx) => {
      if (d.b !== 0) return null
      const next = await tx.lockStream(triedOf(d).streamId)
      const stopped = await tx.markStopped(triedOf(d), 'gone')
      if (stopped !== null) await tx.leaveToPull(triedOf(d).streamId)
      return { next, stopped }
    }),
  rollBack: (d, rows) => (w) =>
    w.events.tx(async (tx) => {
      await tx.advanceStreams(['str_1'], [d.a], timeOf(d))
      await tx.markRelayed([...rows.event.keys()], timeOf(d))
      throw new Error('rolled back')
    }),
  pause: (d, rows) => async (w) => {
    const endpoint = endpointOf(d, rows)
    return endpoint.state === 'stopped' ? null : w.people.pause(endpoint, timeOf(d))
  },
  resume: (d, rows) => async (w) => {
    const endpoint = endpointOf(d, rows)
    return endpoint.state === 'paused' ? w.people.resume(endpoint, timeOf(d)) : null
  },
  uninstall: (d, rows) => async (w) => {
    const installation = installationOf(d, rows)
    return d.a === 0 && installation.state === 'active' ? w.people.uninstall(installation, timeOf(d)) : null
  },
  narrow: (d, rows) => (w) => w.people.narrow(installationOf(d, rows), d.a > 3 ? ['order:read'] : []),
  addRule: (d, rows) => (w) => w.people.addRule(ruleOf(d, rows)),
  liftRules: (d) => (w) => w.people.liftRules(timeOf(d)),
  skip: (d, rows) => (w) =>
    w.people.skip(streamOf(d), { deliveryId: pick(deliveriesOf(rows), d.b).id, nowMs: timeOf(d) }),
  findAgain: (d, rows) => (w) => w.people.findAgain(streamOf(d), pick(deliveriesOf(rows), d.b).id),
}

/** What a call came to, in a form that can be compared. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    const result = await work()
    if (result instanceof Set) return [...result].sort()
    return result ?? null
  } catch (error) {
    return isUniqueViolation(error) ? 'unique violation' : 'failed'
  }
}
