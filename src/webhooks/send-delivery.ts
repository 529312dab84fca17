import type { Outcome, OutgoingDelivery } from '../events/index.ts'
import { type Clock, type HttpClient, type HttpOutcome, limits } from '../kernel/index.ts'
import { parseDeliveryControl } from './delivery-control.ts'
import type { StopReason } from './endpoint.ts'
import type { WebhookFailureCode } from './errors.ts'
import { parseRetryAfterMs } from './retry-after.ts'
import { type Signable, type Signer, sign } from './sign.ts'

const userAgent = 'Stoa-Webhooks/1.0'

export interface Target {
  readonly url: string
  /** Of the live secrets, newest first. */
  readonly signers: readonly Signer[]
}

export interface SendResult {
  readonly outcome: Outcome
  /** The receiver wants nothing any more. */
  readonly stop: StopReason | null
}

/** What the headers of a request say of its delivery. */
export type Announced = Pick<
  OutgoingDelivery,
  'eventId' | 'sequence' | 'attempt' | 'replayId' | 'thin' | 'body'
>

/** What Standard Webhooks asks for, and who sends it. */
export function signedHeaders(
  { eventId, sentAtS, body }: Signable,
  signers: readonly Signer[],
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': userAgent,
    'webhook-id': eventId,
    'webhook-timestamp': String(sentAtS),
    'webhook-signature': sign({ eventId, sentAtS, body }, signers),
  }
}

/** The headers of one attempt; `sentAtS`: its own time in seconds since 1970. */
export function headersOf(
  delivery: Announced,
  sentAtS: number,
  signers: readonly Signer[],
): Readonly<Record<string, string>> {
  const { eventId, body, replayId, thin } = delivery
  // Added to and not spread: they are made for each attempt.
  const headers = signedHeaders({ eventId, sentAtS, body }, signers)
  headers['webhook-sequence'] = String(delivery.sequence)
  headers['webhook-attempt'] = String(delivery.attempt)
  if (replayId !== null) headers['webhook-replay'] = replayId
  if (thin) headers['webhook-thin'] = 'true'
  return headers
}

// Standard Webhooks: "429, 502 and 504 … the sender should throttle".
const overloaded = new Set([429, 502, 504])

function errorOf(status: number): WebhookFailureCode {
  // Standard Webhooks: "3xx … should be considered as failures": a redirect is not followed.
  if (status >= 300 && status < 400) return 'webhooks.redirect'
  return 'webhooks.status_not_2xx'
}

function notSent(answer: Extract<HttpOutcome, { kind: 'failed' }>): Outcome {
  const code: WebhookFailureCode = `webhooks.${answer.reason}`
  const error = `${code}: ${answer.message}`
  const tried = { status: null, error, response: null, log: null }
  // No attempt will make a private address public; where a name leads can change.
  if (answer.reason === 'address_refused') return { kind: 'refused', ...tried }
  return { kind: 'failed', retryAfterMs: null, overloaded: false, ...tried }
}

function toResult(answer: HttpOutcome, nowMs: number): SendResult {
  if (answer.kind === 'failed') return { outcome: notSent(answer), stop: null }
  const { status, body: response, headers } = answer
  const control = parseDeliveryControl(headers['webhook-delivery'])
  const stop = control === 'disable' ? 'disabled' : null
  // What was received stays received, whatever else the receiver says.
  if (status >= 200 && status < 300)
    return { outcome: { kind: 'delivered', error: null, status, response, log: null }, stop }
  const tried = { status, response, log: null }
  const ended = (kind: 'gone' | 'refused', error: WebhookFailureCode): Outcome => ({ kind, error, ...tried })
  // Standard Webhooks: "410 Gone … the endpoint should be disabled and stop receiving webhooks".
  if (status === 410) return { outcome: ended('gone', 'webhooks.gone'), stop: 'gone' }
  if (stop !== null) return { outcome: ended('gone', 'webhooks.disabled'), stop }
  if (control !== null) return { outcome: ended('refused', 'webhooks.message_aborted'), stop }
  const retryAfterMs = parseRetryAfterMs(headers['retry-after'], nowMs)
  const isOverloaded = overloaded.has(status)
  const outcome: Outcome = {
    kind: 'failed',
    error: errorOf(status),
    retryAfterMs,
    overloaded: isOverloaded,
    ...tried,
  }
  return { outcome, stop }
}

/** One signed POST of the stored bytes. Only a 2xx is a success. */
export async function sendDelivery(
  { httpClient, clock }: { readonly httpClient: HttpClient; readonly clock: Clock },
  target: Target,
  delivery: OutgoingDelivery,
): Promise<SendResult> {
  // The attempt's own time, not the event's: receivers refuse what is older than five minutes.
  const sentAtS = Math.floor(delivery.sentAtMs / 1000)
  const answer = await httpClient.send({
    url: target.url,
    method: 'POST',
    headers: headersOf(delivery, sentAtS, target.signers),
    body: delivery.body,
    timeoutMs: limits.webhookRequestMs,
    responseBytesMax: limits.webhookResponseReadBytesMax,
  })
  return toResult(answer, clock.nowMs())
}
