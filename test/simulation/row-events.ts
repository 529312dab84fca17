import { deliveryStates, isFinal, neverDueMs } from '../../src/events/delivery.ts'
import type { TakenLease } from '../../src/events/drain/lease/store.ts'
import type { AttemptRecord, RecordBatch } from '../../src/events/drain/record/store.ts'
import type { KeptEvent, StoredEvent } from '../../src/events/event.ts'
import type { Body, LiveSubscription } from '../../src/events/fan-out.ts'
import type { NewDelivery, NumberedStream } from '../../src/events/relay/store.ts'
import { change, endpointOf, grantOf, isOpen, type Row, type Rows } from './rows.ts'

// What the store functions of relay, lease and record do to the database, done to rows. Each checks before it changes:
// a statement happens as a whole or not at all.

/** As PostgreSQL says it (SQLSTATE unique_violation). */
function uniqueViolation(what: string): Error {
  return Object.assign(new Error(`duplicate key: ${what}`), { code: '23505' })
}

// ── relay

function toEvent(row: Row<'event'>): StoredEvent {
  return {
    id: row.id,
    source: row.source,
    type: row.type,
    version: row.version,
    merchantId: row.merchant_id,
    subject: row.subject,
    data: row.data,
    occurredAtMs: row.occurred_at,
    createdAtMs: row.created_at,
  }
}

export function listUnrelayed(
  rows: Rows,
  bounds: { readonly eventsMax: number; readonly bytesMax: number },
): { readonly events: readonly StoredEvent[]; readonly mayHaveMore: boolean } {
  const found = [...rows.event.values()]
    .filter(({ relayed_at }) => relayed_at === null)
    .sort((a, b) => a.seq - b.seq)
    .slice(0, bounds.eventsMax)
  let bytes = 0
  const taken = found.filter(({ data }) => {
    const before = bytes
    bytes += Buffer.byteLength(data)
    return before < bounds.bytesMax
  })
  const mayHaveMore = found.length === bounds.eventsMax || found.length > taken.length
  return { events: taken.map(toEvent), mayHaveMore }
}

export function listSubscriptions(
  rows: Rows,
  merchantIds: readonly string[],
  search: { readonly eventTypes: readonly string[]; readonly endedSinceMs: number },
): readonly (LiveSubscription & { readonly publisherId: string })[] {
  const isAsked = (s: Row<'subscription'>) =>
    merchantIds.some((id, place) => id === s.merchant_id && search.eventTypes[place] === s.event_type)
  return [...rows.subscription.values()]
    .filter((s) => isAsked(s) && (s.ended_at === null || s.ended_at >= search.endedSinceMs))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((s) => {
      const installation = rows.installation.get(s.installation_id)
      const grant = grantOf(rows, s.installation_id)
      const app = rows.app.get(s.app_id)
      if (installation === undefined || grant === undefined || app?.archived_at !== null) return []
      if (installation.merchant_id !== s.merchant_id || grant.merchant_id !== s.merchant_id) return []
      return {
        id: s.id,
        merchantId: s.merchant_id,
        installationId: s.installation_id,
        appId: s.app_id,
        publisherId: app.publisher_id,
        streamId: s.stream_id,
        eventType: s.event_type,
        eventVersion: s.event_version,
        granted: grant.granted,
        live: s.ended_at === null && installation.state === 'active' && grant.revoked_at === null,
        endedAtMs: s.ended_at,
      }
    })
}

export function advanceStreams(
  rows: Rows,
  streamIds: readonly string[],
  counts: readonly number[],
  nowMs: number,
): readonly NumberedStream[] {
  return streamIds.flatMap((id, place) => {
    const stream = rows.stream.get(id)
    if (stream === undefined) return []
    const { sink, next_sequence: first } = stream
    change(rows, 'stream', id, { next_sequence: first + (counts[place] ?? 0) })
    const endpoint = endpointOf(rows, id)
    const probeAtMs = endpoint?.state === 'paused' ? endpoint.probe_at : null
    return {
      ...{ id, sink, firstSequence: BigInt(first) },
      isSent: sink === 'sandbox' || (endpoint !== undefined && endpoint.state !== 'stopped'),
      isAwake:
        sink === 'sandbox' || endpoint?.state === 'active' || (probeAtMs !== null && probeAtMs <= nowMs),
    }
  })
}

export function insertBodies(rows: Rows, bodies: readonly Body[]): void {
  for (const { hash, merchantId, eventId, text, personal, publishedAtMs } of bodies) {
    if (rows.body.has(hash)) continue
    const owner = { merchant_id: merchantId, event_id: eventId }
    rows.body.set(hash, { hash, ...owner, text, personal, created_at: publishedAtMs })
  }
}

export function insertDeliveries(rows: Rows, list: readonly NewDelivery[], nowMs: number): void {
  const keys = new Set<string>()
  const add = (key: string) => {
    if (keys.has(key)) throw uniqueViolation(key)
    keys.add(key)
  }
  const keep = (id: string, place: string, cause: string) => [id, place, cause].forEach(add)
  for (const d of rows.delivery.values())
    keep(d.id, `${d.stream_id} ${d.sequence}`, `${d.subscription_id} ${d.event_id}`)
  for (const d of list) keep(d.id, `${d.streamId} ${d.sequence}`, `${d.subscriptionId} ${d.eventId}`)
  for (const d of list) {
    rows.delivery.set(d.id, {
      id: d.id,
      merchant_id: d.merchantId,
      installation_id: d.installationId,
      app_id: d.appId,
      stream_id: d.streamId,
      sequence: Number(d.sequence),
      subscription_id: d.subscriptionId,
      event_id: d.eventId,
      event_type: d.eventType,
      subject: d.subject,
      scopes: d.scopes,
      body_hash: d.bodyHash,
      state: 'pending',
      attempts: 0,
      due_at: d.dueAtMs,
      created_at: nowMs,
      finished_at: null,
      last_outcome: null,
    })
  }
}

export function markRelayed(rows: Rows, eventIds: readonly string[], nowMs: number): void {
  for (const id of eventIds) change(rows, 'event', id, { relayed_at: nowMs })
}

export function replaceBody(
  rows: Rows,
  streamId: string,
  to: { readonly deliveryId: string; readonly bodyHash: string; readonly scopes: readonly string[] },
): void {
  if (rows.delivery.get(to.deliveryId)?.stream_id !== streamId) return
  change(rows, 'delivery', to.deliveryId, { body_hash: to.bodyHash, scopes: to.scopes })
}

export function findEvent(rows: Rows, merchantId: string, eventId: string): KeptEvent | null {
  const row = rows.event.get(eventId)
  return row?.merchant_id === merchantId ? toEvent(row) : null
}

// ── leases

export function takeLease(
  rows: Rows,
  streamId: string,
  lease: { readonly owner: string; readonly nowMs: number; readonly untilMs: number },
): TakenLease | null {
  const stream = rows.stream.get(streamId)
  if (stream === undefined || stream.paused_at !== null) return null
  const app = rows.app.get(stream.app_id)
  if (app === undefined || app.archived_at !== null) return null
  if (stream.lease_until !== null && stream.lease_until >= lease.nowMs) return null
  const epoch = stream.lease_epoch + 1
  change(rows, 'stream', streamId, {
    ...{ lease_owner: lease.owner, lease_until: lease.untilMs, lease_epoch: epoch },
  })
  const takenOver = stream.lease_owner !== null
  return { epoch: BigInt(epoch), appId: stream.app_id, publisherId: app.publisher_id, takenOver }
}

export function renewLease(
  rows: Rows,
  streamId: string,
  lease: { readonly epoch: bigint; readonly untilMs: number },
): boolean {
  const stream = rows.stream.get(streamId)
  if (stream === undefined || BigInt(stream.lease_epoch) !== lease.epoch) return false
  if (stream.lease_owner === null) return false
  change(rows, 'stream', streamId, { lease_until: Math.max(stream.lease_until ?? 0, lease.untilMs) })
  return true
}

export function releaseLease(
  rows: Rows,
  streamId: string,
  lease: { readonly epoch: bigint; readonly notBeforeMs: number | null },
): void {
  const stream = rows.stream.get(streamId)
  if (stream === undefined || BigInt(stream.lease_epoch) !== lease.epoch) return
  change(rows, 'stream', streamId, { lease_owner: null, lease_until: lease.notBeforeMs })
}

export function clearLeases(rows: Rows): void {
  for (const { id, lease_owner: owner } of [...rows.stream.values()])
    if (owner !== null) change(rows, 'stream', id, { lease_owner: null, lease_until: null })
}

// ── record

const finalStates = new Set<string>(deliveryStates.filter(isFinal))

export function recordBatches(rows: Rows, batches: readonly RecordBatch[]): ReadonlySet<string> {
  const held = batches.filter(({ streamId, epoch }) => {
    const stream = rows.stream.get(streamId)
    return stream !== undefined && BigInt(stream.lease_epoch) === epoch
  })
  const records = held.flatMap(({ streamId, records: list }) =>
    list.map((record) => ({ ...record, streamId })),
  )
  for (const { attempt } of records)
    if (attempt !== null && rows.attempt.has(attempt.id)) throw uniqueViolation(attempt.id)
  for (const record of records) applyRecord(rows, record)
  return new Set(held.map(({ streamId }) => streamId))
}

function applyRecord(
  rows: Rows,
  { deliveryId, merchantId, settled, attempt, streamId }: AttemptRecord & { readonly streamId: string },
): void {
  const delivery = rows.delivery.get(deliveryId)
  if (delivery?.stream_id === streamId && !finalStates.has(delivery.state)) {
    const { state, attempts, dueAtMs, lastOutcome } = settled
    const time = { due_at: dueAtMs, finished_at: finalStates.has(state) ? dueAtMs : null }
    change(rows, 'delivery', deliveryId, { state, attempts, ...time, last_outcome: lastOutcome })
  }
  if (attempt === null) return
  const appId = rows.stream.get(streamId)?.app_id ?? ''
  rows.attempt.set(attempt.id, toAttempt({ merchantId, deliveryId, streamId, appId }, attempt, null))
}

/** The row of an attempt. */
export function toAttempt(
  of: {
    readonly merchantId: string
    readonly deliveryId: string
    readonly streamId: string
    readonly appId: string
  },
  attempt: NonNullable<RecordBatch['records'][number]['attempt']>,
  replayId: string | null,
): Row<'attempt'> {
  const { startedAtMs, durationMs, ...same } = attempt
  return {
    ...same,
    merchant_id: of.merchantId,
    app_id: of.appId,
    stream_id: of.streamId,
    delivery_id: of.deliveryId,
    started_at: startedAtMs,
    duration_ms: durationMs,
    replay_id: replayId,
  }
}

// ── streams that change their endpoint

export function lockStream(rows: Rows, streamId: string): bigint {
  const stream = rows.stream.get(streamId)
  if (stream === undefined) throw new Error(`invariant broken: no stream ${streamId}`)
  return BigInt(stream.next_sequence)
}

export function leaveToPull(rows: Rows, streamId: string): void {
  for (const d of [...rows.delivery.values()])
    if (d.stream_id === streamId && isOpen(d)) change(rows, 'delivery', d.id, { due_at: neverDueMs })
}
