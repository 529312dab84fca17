import type { Outcome, OutgoingDelivery } from '../events/index.ts'
import { type Clock, type HttpClient, type HttpOutcome, limits } from '../kernel/index.ts'
import type { WebhookFailureCode } from './errors.ts'
import { parseRetryAfterMs } from './retry-after.ts'
import { sign } from './sign.ts'

const userAgent = 'Stoa-Webhooks/1.0'
const goneCode: WebhookFailureCode = 'webhooks.gone'

export interface Target {
  readonly url: string
  /** Live secrets, newest first. */
  readonly secrets: readonly string[]
}

function headersOf(delivery: OutgoingDelivery, sentAtS: number, secrets: readonly string[]) {
  const { eventId, body } = delivery
  return {
    'content-type': 'application/json',
    'user-agent': userAgent,
    'webhook-id': eventId,
    'webhook-timestamp': String(sentAtS),
    'webhook-signature': sign({ eventId, sentAtS, body }, secrets),
    'webhook-sequence': String(delivery.sequence),
    'webhook-attempt': String(delivery.attempt),
  }
}

// Standard Webhooks: "429, 502 and 504 … the sender should throttle".
const overloaded = new Set([429, 502, 504])

function errorOf(status: number): WebhookFailureCode {
  // Standard Webhooks: "3xx … should be considered as failures": a redirect is not followed.
  if (status >= 300 && status < 400) return 'webhooks.redirect'
  return 'webhooks.status_not_2xx'
}

function toOutcome(answer: HttpOutcome, nowMs: number): Outcome {
  if (answer.kind === 'failed') {
    const code: WebhookFailureCode = `webhooks.${answer.reason}`
    const error = `${code}: ${answer.message}`
    const tried = { status: null, error, response: null, log: null }
    // No attempt will make a private address public; where a name leads can change.
    if (answer.reason === 'address_refused') return { kind: 'refused', ...tried }
    return { kind: 'failed', retryAfterMs: null, overloaded: false, ...tried }
  }
  const { status, body: response } = answer
  const tried = { status, response, log: null }
  if (status >= 200 && status < 300) return { kind: 'delivered', error: null, ...tried }
  // Standard Webhooks: "410 Gone … the endpoint should be disabled and stop receiving webhooks".
  if (status === 410) return { kind: 'gone', error: goneCode, ...tried }
  const retryAfterMs = parseRetryAfterMs(answer.headers['retry-after'], nowMs)
  return {
    kind: 'failed',
    error: errorOf(status),
    retryAfterMs,
    overloaded: overloaded.has(status),
    ...tried,
  }
}

/** One signed POST of the stored bytes. Only a 2xx is a success. */
export async function sendDelivery(
  { httpClient, clock }: { readonly httpClient: HttpClient; readonly clock: Clock },
  target: Target,
  delivery: OutgoingDelivery,
): Promise<Outcome> {
  // The attempt's own time, not the event's: receivers refuse what is older than five minutes.
  const sentAtS = Math.floor(delivery.sentAtMs / 1000)
  const answer = await httpClient.send({
    url: target.url,
    method: 'POST',
    headers: headersOf(delivery, sentAtS, target.secrets),
    body: delivery.body,
    timeoutMs: limits.webhookRequestMs,
    responseBytesMax: limits.webhookResponseReadBytesMax,
  })
  return toOutcome(answer, clock.nowMs())
}
