import { testEventText } from '../../events/index.ts'
import { type HttpOutcome, type IdSource, limits, newId, type Queries } from '../../kernel/index.ts'
import { openDirect } from '../direct/open-direct.ts'
import { type WebhookFailureCode, WebhooksErrors } from '../errors.ts'
import { findEndpoint } from '../find-endpoint.ts'
import type { HistoryDependencies } from '../history/dependencies.ts'
import { signedHeaders } from '../send-delivery.ts'
import { findRequested } from './store.ts'

export interface TestRequest {
  readonly publisherIds: readonly string[]
  readonly appId: string
  readonly endpointId: string
  readonly eventType: string
}

/** What was sent as a test, and what came back. */
export interface TestResult {
  readonly eventId: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly delivered: boolean
  readonly status: number | null
  readonly error: string | null
  readonly response: string | null
  readonly durationMs: number
}

/** The text to send. @throws webhooks.event_type_not_requested */
async function textFor(
  q: Queries,
  { catalog }: HistoryDependencies,
  request: TestRequest & { readonly publisherId: string; readonly publicUrl: string },
  event: { readonly id: string; readonly nowMs: number },
): Promise<string> {
  const { eventTypes, scopes } = await findRequested(q, request.publisherId, request.appId)
  const type = catalog().eventTypes.get(request.eventType)
  const context = { catalog: catalog(), publicUrl: request.publicUrl, ...event }
  const text =
    type === undefined || !eventTypes.includes(type.type) ? null : testEventText(type, scopes, context)
  if (text !== null) return text
  throw WebhooksErrors.event_type_not_requested(undefined, {
    errors: [
      { pointer: '/eventType', code: 'event_type', message: `may be one of: ${eventTypes.join(', ')}` },
    ],
  })
}

function toResult(answer: HttpOutcome): Pick<TestResult, 'delivered' | 'status' | 'error' | 'response'> {
  if (answer.kind === 'failed') {
    const code: WebhookFailureCode = `webhooks.${answer.reason}`
    return { delivered: false, status: null, error: `${code}: ${answer.message}`, response: null }
  }
  const delivered = answer.status >= 200 && answer.status < 300
  const code: WebhookFailureCode = 'webhooks.status_not_2xx'
  const response = answer.body.slice(0, limits.webhookResponseKeptBytesMax)
  return { delivered, status: answer.status, error: delivered ? null : code, response }
}

/**
 * Sends an endpoint one signed event of the type that is in no stream, and waits for the answer, which changes nothing.
 * @throws webhooks.endpoint_not_found, webhooks.endpoint_not_verified, webhooks.endpoint_stopped,
 *   webhooks.event_type_not_requested
 */
export async function sendTest(
  q: Queries,
  deps: HistoryDependencies,
  { publicUrl }: { readonly publicUrl: string },
  request: TestRequest,
  ids: IdSource,
): Promise<TestResult> {
  const nowMs = ids.clock.nowMs()
  const endpoint = await findEndpoint(q, request.publisherIds, { ...request, nowMs })
  if (endpoint.state === 'unverified') throw WebhooksErrors.endpoint_not_verified()
  if (endpoint.state === 'stopped') throw WebhooksErrors.endpoint_stopped()
  const direct = await openDirect(deps.sending, endpoint.streamId)
  if (direct === null) throw WebhooksErrors.endpoint_not_found()
  const eventId = newId('testEvent', ids)
  const known = { ...request, publisherId: endpoint.publisherId, publicUrl }
  const body = await textFor(q, deps, known, { id: eventId, nowMs })
  const { url, signers } = direct.target
  const headers = signedHeaders({ eventId, sentAtS: Math.floor(nowMs / 1000), body }, signers)
  const answer = await deps.sending.httpClient.send({
    ...{ url, method: 'POST', headers, body },
    timeoutMs: limits.webhookRequestMs,
    responseBytesMax: limits.webhookResponseReadBytesMax,
  })
  return { eventId, headers, body, durationMs: Math.round(answer.durationMs), ...toResult(answer) }
}
