import { idTimeMs, type Log, limits, newId, type Random } from '../../kernel/index.ts'
import { type AttemptOutcome, type Ending, next, type Settled } from '../delivery.ts'
import type { Meters } from '../meters.ts'
import type { OutgoingDelivery, Receiver } from '../sink.ts'
import { keepText } from './keep-text.ts'
import { type PrepareDependencies, type Prepared, prepareBody } from './prepare-body.ts'
import type { AttemptRecord } from './record/store.ts'
import type { DueDelivery } from './store.ts'

export interface AttemptDependencies extends PrepareDependencies {
  readonly random: Random
  readonly log: Log
  readonly meters: Meters
}

export interface AttemptResult {
  readonly record: AttemptRecord
  readonly ending: Ending
}

// Our own trouble, such as a database that does not answer, must not cost the receiver an attempt.
const deferMs = 5_000
const errorBytesMax = 2 * 1024

/** What an attempt is told besides its delivery. */
interface Occasion {
  /** The time that the receiver is told and that the attempt's row keeps: signatures can be recomputed from it. */
  readonly startedAtMs: number
  /** Null: live traffic. */
  readonly replayId: string | null
}

type Tried = Ending & { readonly error?: string | null }

/** The delivery as the sink gets it. Written out: spreading an object of this size costs as much as signing it. */
function outgoing(
  delivery: DueDelivery,
  { body, thin }: { readonly body: string; readonly thin: boolean },
  { startedAtMs, replayId }: Occasion,
): OutgoingDelivery {
  return {
    id: delivery.id,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    subject: delivery.subject,
    merchantId: delivery.merchantId,
    installationId: delivery.installationId,
    appId: delivery.appId,
    streamId: delivery.streamId,
    sequence: delivery.sequence,
    attempt: delivery.attempts + 1,
    sentAtMs: startedAtMs,
    replayId,
    thin,
    body,
    granted: delivery.granted,
    grantEpoch: delivery.grantEpoch,
  }
}

// One function and not three: each more that is awaited costs every delivery a few promises.
async function tryOnce(
  deps: AttemptDependencies,
  receiver: Receiver,
  delivery: DueDelivery,
  occasion: Occasion,
): Promise<Tried> {
  let prepared: Prepared
  try {
    const ready = prepareBody(deps, delivery)
    prepared = ready instanceof Promise ? await ready : ready
    // A body made anew by a slow database: what was allowed when it was claimed may not be any more.
    if (deps.clock.nowMs() - occasion.startedAtMs > limits.drainFreshMs)
      return { kind: 'deferred', delayMs: 0, reason: 'kernel.unavailable' }
  } catch (error) {
    deps.log.warn({ err: error, deliveryId: delivery.id }, 'events.delivery_not_prepared')
    return { kind: 'deferred', delayMs: deferMs, reason: 'kernel.unavailable' }
  }
  if (prepared.kind === 'cancel') return { kind: 'cancelled', error: prepared.reason }
  try {
    return await receiver.deliver(outgoing(delivery, prepared, occasion))
  } catch (error) {
    deps.log.error({ err: error, deliveryId: delivery.id }, 'events.sink_failed')
    const tried = { status: null, error: 'kernel.unexpected', response: null, log: null }
    return { kind: 'failed', retryAfterMs: null, overloaded: false, ...tried }
  }
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
    startedAtMs: time.startedAtMs,
    durationMs: time.durationMs,
    outcome,
    status: sent?.status ?? null,
    error: kept(ending.error ?? null, errorBytesMax),
    response: kept(sent?.response ?? null, limits.webhookResponseKeptBytesMax),
    log: kept(sent?.log ?? null, limits.sandboxLogBytesMax),
  }
}

function logAttempt(log: Log, delivery: DueDelivery, settled: Settled, record: AttemptRecord): void {
  if (!log.isLevelEnabled('info')) return
  const { id: deliveryId, eventId, eventType, streamId, appId, merchantId, installationId } = delivery
  const { attempt } = record
  log.info(
    {
      ...{ deliveryId, eventId, eventType, streamId, appId, merchantId, installationId },
      attempt: attempt?.number ?? null,
      // From the event's publication to this attempt.
      lagMs: attempt === null ? null : attempt.startedAtMs - idTimeMs(eventId),
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

/** One attempt and its row; null when it was put off. */
export interface Tryout {
  readonly ending: Ending
  readonly attempt: AttemptRecord['attempt']
}

/** Checks the permissions, sends, and gives the attempt's row. Never throws. */
export async function tryDelivery(
  deps: AttemptDependencies,
  receiver: Receiver,
  delivery: DueDelivery,
  replayId: string | null,
): Promise<Tryout> {
  const startedAtMs = deps.clock.nowMs()
  deps.meters.attemptStarted()
  const ending = await tryOnce(deps, receiver, delivery, { startedAtMs, replayId })
  const durationMs = Math.max(0, Math.round(deps.clock.nowMs() - startedAtMs))
  deps.meters.attemptEnded(ending.kind, durationMs)
  return { ending, attempt: attemptOf(deps, delivery, ending, { startedAtMs, durationMs }) }
}

/** What has to be recorded of an attempt of live traffic. */
export function settleDelivery(
  deps: AttemptDependencies,
  delivery: DueDelivery,
  { ending, attempt }: Tryout,
): AttemptResult {
  const settled = next(delivery, ending, { nowMs: deps.clock.nowMs(), fraction: deps.random.fraction() })
  const record = { deliveryId: delivery.id, merchantId: delivery.merchantId, settled, attempt }
  logAttempt(deps.log, delivery, settled, record)
  return { record, ending }
}
