import { neverDueMs } from '../../src/events/delivery.ts'
import type { DueDelivery, DueSearch } from '../../src/events/drain/store.ts'
import type { EventRule } from '../../src/events/rule-book.ts'
import { holdingEffects } from '../../src/events/rule-conditions.ts'
import { endpointOf, grantOf, isOpen, type Row, type Rows } from './rows.ts'

// What src/events/drain/store.ts asks the database, asked of rows.

type Delivery = Row<'delivery'>
type Endpoint = Row<'endpoint'>

const isHolding = (effect: string) => (holdingEffects as readonly string[]).includes(effect)

function rulesInForce(rows: Rows, nowMs: number): readonly Row<'rule'>[] {
  if (rows.rule.size === 0) return []
  return [...rows.rule.values()].filter((rule) => {
    if (rule.lifted_at !== null || (rule.expires_at !== null && rule.expires_at <= nowMs)) return false
    if (rule.version_id !== null || rule.host !== null) return false
    if (rule.app_id !== null || rule.publisher_id !== null || rule.merchant_id !== null) return true
    return rule.effect === 'drop_scope' && rule.scope !== null
  })
}

export function listRules(rows: Rows, nowMs: number): readonly EventRule[] {
  return rulesInForce(rows, nowMs).map((rule) => ({
    effect: rule.effect,
    appId: rule.app_id,
    publisherId: rule.publisher_id,
    merchantId: rule.merchant_id,
    scope: rule.scope,
  }))
}

/** `merchantId` null: only rules that name no merchant count. */
function isHeld(rows: Rows, nowMs: number, stream: Row<'stream'>, merchantId: string | null): boolean {
  const publisherId = rows.app.get(stream.app_id)?.publisher_id
  return rulesInForce(rows, nowMs).some(
    (rule) =>
      isHolding(rule.effect) &&
      (rule.app_id === null || rule.app_id === stream.app_id) &&
      (rule.publisher_id === null || rule.publisher_id === publisherId) &&
      (rule.merchant_id === null || rule.merchant_id === merchantId),
  )
}

/** The deliveries of a stream from which it could send; null when it cannot. */
function sendable(
  rows: Rows,
  stream: Row<'stream'>,
  nowMs: number,
  takes: (endpoint: Endpoint) => boolean,
): { readonly endpoint: Endpoint | undefined; readonly open: readonly Delivery[] } | null {
  const known = endpointOf(rows, stream.id)
  const isTaking = known?.state === 'active' || (known?.state === 'paused' && takes(known))
  const endpoint = isTaking ? known : undefined
  const app = rows.app.get(stream.app_id)
  if (stream.paused_at !== null || app === undefined || app.archived_at !== null) return null
  if (stream.sink !== 'sandbox' && endpoint === undefined) return null
  if (isHeld(rows, nowMs, stream, null)) return null
  const start = endpoint?.start_sequence ?? 0
  const open = openOf(rows, stream.id, start).filter((d) => !isHeld(rows, nowMs, stream, d.merchant_id))
  return { endpoint, open }
}

function openOf(rows: Rows, streamId: string, startSequence: number): readonly Delivery[] {
  return [...rows.delivery.values()].filter(
    (d) => d.stream_id === streamId && isOpen(d) && d.sequence >= startSequence,
  )
}

/** FIFO: whether a delivery stands behind one of its subject that is to be tried later. */
function blockedBy(rows: Rows, streamId: string, startSequence: number, nowMs: number) {
  const blockers = openOf(rows, streamId, startSequence).filter(
    ({ due_at: dueAtMs }) => dueAtMs > nowMs && dueAtMs < neverDueMs,
  )
  return (d: Delivery) =>
    blockers.some(
      (b) => b.merchant_id === d.merchant_id && b.subject === d.subject && b.sequence < d.sequence,
    )
}

function withoutBlocked(
  rows: Rows,
  streamId: string,
  { endpoint, open }: NonNullable<ReturnType<typeof sendable>>,
  nowMs: number,
): readonly Delivery[] {
  if (endpoint?.fifo !== true) return open
  const isBlocked = blockedBy(rows, streamId, endpoint.start_sequence, nowMs)
  return open.filter((d) => !isBlocked(d))
}

export function listDueStreams(
  rows: Rows,
  search: { readonly sinks: readonly string[]; readonly nowMs: number; readonly streamsMax: number },
): readonly { readonly id: string; readonly sink: 'backend' | 'sandbox' }[] {
  const { sinks, nowMs, streamsMax } = search
  const due = [...rows.stream.values()].filter((stream) => {
    if (!sinks.includes(stream.sink)) return false
    if (stream.lease_until !== null && stream.lease_until >= nowMs) return false
    const found = sendable(rows, stream, nowMs, (e) => e.probe_at !== null && e.probe_at <= nowMs)
    if (found === null) return false
    return withoutBlocked(rows, stream.id, found, nowMs).some(({ due_at: dueAtMs }) => dueAtMs <= nowMs)
  })
  return due.slice(0, streamsMax).map(({ id, sink }) => ({ id, sink }))
}

export function findNextDue(rows: Rows, streamId: string, nowMs: number): number | null {
  const stream = rows.stream.get(streamId)
  const found =
    stream === undefined ? null : sendable(rows, stream, nowMs, ({ probe_at }) => probe_at !== null)
  if (found === null) return null
  const times = withoutBlocked(rows, streamId, found, nowMs).map(({ due_at: dueAtMs }) => dueAtMs)
  if (times.length === 0) return null
  const probeAtMs = found.endpoint?.state === 'paused' ? (found.endpoint.probe_at ?? 0) : 0
  return Math.max(Math.min(...times), probeAtMs)
}

/** With what its grant holds now; null when its subscription or installation is unknown. */
export function toDue(rows: Rows, d: Delivery): DueDelivery | null {
  const subscription = rows.subscription.get(d.subscription_id)
  const installation = rows.installation.get(d.installation_id)
  if (subscription === undefined || installation === undefined) return null
  const known = grantOf(rows, d.installation_id)
  const grant = known?.merchant_id === d.merchant_id ? known : undefined
  return {
    id: d.id,
    merchantId: d.merchant_id,
    installationId: d.installation_id,
    appId: d.app_id,
    streamId: d.stream_id,
    sequence: BigInt(d.sequence),
    eventId: d.event_id,
    eventType: d.event_type,
    subject: d.subject,
    scopes: d.scopes,
    state: d.state,
    attempts: d.attempts,
    createdAtMs: d.created_at,
    body: d.body_hash === null ? null : (rows.body.get(d.body_hash)?.text ?? null),
    live: subscription.ended_at === null && installation.state === 'active' && grant?.revoked_at === null,
    granted: grant?.granted ?? [],
    grantEpoch: grant?.epoch ?? 0,
  }
}

export function listDue(rows: Rows, streamId: string, search: DueSearch): readonly DueDelivery[] {
  const { nowMs, exceptIds, exceptMerchantIds, fifo } = search
  const start = Number(search.startSequence)
  const claimable = openOf(rows, streamId, start).filter(
    (d) => d.due_at <= nowMs && !exceptIds.includes(d.id) && !exceptMerchantIds.includes(d.merchant_id),
  )
  const chosen =
    fifo === null
      ? claimable.sort((a, b) => a.due_at - b.due_at || a.sequence - b.sequence)
      : claimable.filter(mayGo(rows, streamId, fifo, { start, nowMs })).sort(bySequence)
  return chosen.slice(0, search.deliveriesMax).flatMap((d) => toDue(rows, d) ?? [])
}

const bySequence = (a: Delivery, b: Delivery) => a.sequence - b.sequence

function mayGo(
  rows: Rows,
  streamId: string,
  { exceptMerchantIds, exceptSubjects }: NonNullable<DueSearch['fifo']>,
  { start, nowMs }: { readonly start: number; readonly nowMs: number },
) {
  const isBlocked = blockedBy(rows, streamId, start, nowMs)
  const isExcepted = (d: Delivery) =>
    exceptMerchantIds.some((id, place) => id === d.merchant_id && exceptSubjects[place] === d.subject)
  return (d: Delivery) => !isBlocked(d) && !isExcepted(d)
}
