import { type HttpOutcome, limits, type Random, toIso } from '../kernel/index.ts'
import { type WebhookFailureCode, webhookFailures } from './errors.ts'

/** What the endpoint must send back. */
export interface Challenge {
  /** The header webhook-id. */
  readonly id: string
  readonly endpointId: string
  /** 43 characters that nobody can guess. */
  readonly text: string
  readonly sentAtMs: number
  /** The platform's origin. */
  readonly source: string
}

const textBytes = 32

/** A text that nobody can guess. */
export function mintChallengeText(random: Random): string {
  return Buffer.from(random.bytes(textBytes)).toString('base64url')
}

/**
 * The body of the request, in the shape of every other. The text stands one level down: a server that sends back
 * whatever it gets has not read it, and is not proven by it.
 */
export function challengeBody({ id, endpointId, text, sentAtMs, source }: Challenge): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type: 'endpoint.challenge',
    subject: endpointId,
    time: toIso(sentAtMs),
    datacontenttype: 'application/json',
    data: { challenge: text },
  })
}

function challengeIn(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && 'challenge' in value ? value.challenge : value
  } catch {
    return body.trim()
  }
}

/** What came instead of the challenge, for the developer. */
export interface WrongAnswer {
  readonly detail: string
  readonly failure: WebhookFailureCode | null
  readonly status: number | null
  /** The beginning of the answer's body, in one line. */
  readonly body: string | null
}

function shown(body: string): string {
  return body
    .slice(0, limits.webhookChallengeShownLengthMax)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .trim()
}

/** Null when the answer proves that the endpoint's owner has read the challenge. */
export function findWrongAnswer(answer: HttpOutcome, text: string): WrongAnswer | null {
  if (answer.kind === 'failed') {
    const failure = `webhooks.${answer.reason}` as const
    const { title, fix } = webhookFailures[failure]
    return { detail: `${title}. ${fix}`, failure, status: null, body: null }
  }
  const { status } = answer
  const body = shown(answer.body)
  const came = body === '' ? 'an empty body' : `“${body}”`
  if (status < 200 || status >= 300) {
    const failure = status >= 300 && status < 400 ? 'webhooks.redirect' : 'webhooks.status_not_2xx'
    const detail = `The endpoint answered ${status} with ${came}; answer 2xx with the text of data.challenge.`
    return { detail, failure, status, body }
  }
  if (challengeIn(answer.body) === text) return null
  const detail = `The endpoint answered ${status} with ${came} instead of the challenge; answer with the text of data.challenge, or with JSON {"challenge": "…"}.`
  return { detail, failure: null, status, body }
}
