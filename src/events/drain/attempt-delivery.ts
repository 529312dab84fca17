import type { Db } from '../../db/index.ts'
import { type Clock, type Log, limits, newId, type Random } from '../../kernel/index.ts'
import { type AttemptOutcome, type Ending, next, type Settled } from '../delivery.ts'
import { type FanOutContext, viewOf } from '../fan-out.ts'
import { insertBodies } from '../relay/store.ts'
import type { Outcome, Receiver } from '../sink.ts'
import { findEvent } from '../store.ts'
import { checkDelivery, type Verdict } from './check-delivery.ts'
import { keepText } from './keep-text.ts'
import { type AttemptRecord, type DueDelivery, replaceBody } from './store.ts'

export interface AttemptDependencies extends FanOutContext {
  readonly db: Db
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface AttemptResult {
  readonly record: AttemptRecord
  readonly ending: Ending
}

// Our own trouble, such as a database that does not answer, must not cost the receiver an attempt.
const deferMs = 5_000
const errorBytesMax = 2 * 1024

async function reshape(deps: AttemptDependencies, delivery: DueDelivery): Promise<Verdict> {
  const { db, clock } = deps
  const event = await findEvent(db.queries, delivery.merchantId, delivery.eventId)
  const view = event === null ? null : viewOf(event, delivery.granted, deps)
  if (view === null) return { kind: 'cancel', reason: 'events.event_gone' }
  await db.tx(async (tx) => {
    await insertBodies(tx, [view.body], clock.nowMs())
    const change = { deliveryId: delivery.id, bodyHash: view.body.hash, scopes: view.scopes }
    await replaceBody(tx, delivery.streamId, change)
  })
  return { kind: 'send', body: view.body.text }
}

async function readyToSend(deps: AttemptDependencies, delivery: DueDelivery): Promise<Verdict> {
  const verdict = checkDelivery(delivery, deps.catalog.eventTypes.get(delivery.eventType))
  return verdict.kind === 'reshape' ? reshape(deps, delivery) : verdict
}

async function send(
  { log, clock }: AttemptDependencies,
  receiver: Receiver,
  delivery: DueDelivery,
  body: string,
): Promise<Outcome> {
  try {
    const attempt = delivery.attempts + 1
    const sentAtMs = clock.nowMs()
    return await receiver.deliver({ ...delivery, body, attempt, sentAtMs, replayId: null, thin: false })
  } catch (error) {
    log.error({ err: error, deliveryId: delivery.id }, 'events.sink_failed')
    const tried = { status: null, error: 'kernel.unexpected', response: null, log: null }
    return { kind: 'failed', retryAfterMs: null, overloaded: false, ...tried }
  }
}

type Tried = Ending & { readonly error?: string | null }

async function tryOnce(deps: AttemptDependencies, receiver: Receiver, delivery: DueDelivery): Promise<Tried> {
  let verdict: Verdict
  try {
    verdict = await readyToSend(deps, delivery)
  } catch (error) {
    deps.log.warn({ err: error, deliveryId: delivery.id }, 'events.delivery_not_prepared')
    return { kind: 'deferred', delayMs: deferMs, reason: 'kernel.unavailable' }
  }
  if (verdict.kind === 'cancel') return { kind: 'cancelled', error: verdict.reason }
  return send(deps, receiver, delivery, verdict.kind === 'send' ? verdict.body : '')
}

function kept(text: string | null, bytesMax: number): string | null {
  return text === null ? null : keepText(text, bytesMax)
}

function attemptOf(
  deps: AttemptDependencies,
  delivery: DueDelivery,
  ending: Tried,
  time: { readonly startedAtMs: number; readonly durationMs: number },
): AttemptRecord['attempt'] {
  if (ending.kind === 'deferred') return null
  const outcome: AttemptOutcome = ending.kind
  const sent = ending.kind === 'cancelled' ? null : ending
  return {
    id: newId('attempt', deps),
    number: delivery.attempts + 1,
    ...time,
    outcome,
    status: sent?.status ?? null,
    error: kept(ending.error ?? null, errorBytesMax),
    response: kept(sent?.response ?? null, limits.webhookResponseKeptBytesMax),
    log: kept(sent?.log ?? null, limits.sandboxLogBytesMax),
  }
}

function logAttempt(log: Log, delivery: DueDelivery, settled: Settled, record: AttemptRecord): void {
  const { id: deliveryId, eventId, eventType, streamId, installationId } = delivery
  const { attempt } = record
  log.info(
    {
      ...{ deliveryId, eventId, eventType, streamId, installationId },
      attempt: attempt?.number ?? null,
      outcome: settled.lastOutcome,
      state: settled.state,
      status: attempt?.status ?? null,
      error: attempt?.error ?? null,
      durationMs: attempt?.durationMs ?? null,
      dueAtMs: settled.finishedAtMs === null ? settled.dueAtMs : null,
    },
    'delivery.attempted',
  )
}

/** Checks the permissions, sends, and says what has to be recorded. Never throws. */
export async function attemptDelivery(
  deps: AttemptDependencies,
  receiver: Receiver,
  delivery: DueDelivery,
): Promise<AttemptResult> {
  const startedAtMs = deps.clock.nowMs()
  const ending = await tryOnce(deps, receiver, delivery)
  const nowMs = deps.clock.nowMs()
  const settled = next(delivery, ending, { nowMs, fraction: deps.random.fraction() })
  const time = { startedAtMs, durationMs: Math.max(0, Math.round(nowMs - startedAtMs)) }
  const { id: deliveryId, merchantId } = delivery
  const record = { deliveryId, merchantId, settled, attempt: attemptOf(deps, delivery, ending, time) }
  logAttempt(deps.log, delivery, settled, record)
  return { record, ending }
}
