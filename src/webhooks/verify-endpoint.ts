import { type IdSource, limits, newId, type Queries, type Transaction } from '../kernel/index.ts'
import { challengeBody, findWrongAnswer, mintChallengeText } from './challenge.ts'
import type { WebhooksDependencies } from './dependencies.ts'
import { type EndpointView, next } from './endpoint.ts'
import { WebhooksErrors } from './errors.ts'
import { findEndpoint, type OneEndpoint } from './find-endpoint.ts'
import { openSecret } from './secret.ts'
import { listSealedSecrets } from './secrets/store.ts'
import { signedHeaders } from './send-delivery.ts'
import { signerOf } from './sign.ts'
import { claimChallenge, markVerified } from './state/store.ts'

/** The URL that has proven itself; null: there was nothing to prove. */
export type Proof = { readonly url: string } | null

async function claimOrRefuse(q: Queries, endpoint: EndpointView, nowMs: number): Promise<void> {
  const claim = { endpointId: endpoint.id, nowMs, againAtMs: nowMs + limits.webhookChallengeIntervalMs }
  if (await claimChallenge(q, endpoint.publisherId, claim)) return
  const retryAfterS = Math.ceil(limits.webhookChallengeIntervalMs / 1000)
  throw WebhooksErrors.challenged_too_often(undefined, { headers: { 'retry-after': String(retryAfterS) } })
}

/**
 * Sends an unverified endpoint one signed challenge and waits for the answer: seconds, so outside a transaction.
 * @throws webhooks.endpoint_not_found, webhooks.endpoint_stopped, webhooks.challenged_too_often,
 *   webhooks.challenge_failed (with what came instead)
 */
export async function challengeEndpoint(
  q: Queries,
  { secretKey, publicUrl, httpClient }: WebhooksDependencies,
  search: Omit<OneEndpoint, 'nowMs'> & { readonly publisherIds: readonly string[] },
  ids: IdSource,
): Promise<Proof> {
  const sentAtMs = ids.clock.nowMs()
  const endpoint = await findEndpoint(q, search.publisherIds, { ...search, nowMs: sentAtMs })
  if (next(endpoint.state, 'verify') === null) throw WebhooksErrors.endpoint_stopped()
  if (endpoint.state !== 'unverified') return null
  await claimOrRefuse(q, endpoint, sentAtMs)
  const secrets = await listSealedSecrets(q, endpoint.id, sentAtMs)
  const signers = secrets.map(({ id, sealed }) => signerOf(openSecret(secretKey, id, sealed)))

  const id = newId('challenge', ids)
  const text = mintChallengeText(ids.random)
  const body = challengeBody({ id, endpointId: endpoint.id, text, sentAtMs, source: publicUrl })
  const answer = await httpClient.send({
    url: endpoint.url,
    method: 'POST',
    headers: signedHeaders({ eventId: id, sentAtS: Math.floor(sentAtMs / 1000), body }, signers),
    body,
    timeoutMs: limits.webhookChallengeMs,
    responseBytesMax: limits.webhookChallengeReadBytesMax,
  })
  const wrong = findWrongAnswer(answer, text)
  if (wrong === null) return { url: endpoint.url }
  const { detail, failure, status, body: received } = wrong
  const members = { failure, receivedStatus: status, receivedBody: received }
  throw WebhooksErrors.challenge_failed(detail, { members })
}

/**
 * Activates the endpoint that has just answered its challenge. What has waited for it is sent within a second.
 * @throws webhooks.endpoint_not_found, webhooks.challenge_failed when its URL was changed meanwhile
 */
export async function verifyEndpoint(
  tx: Transaction,
  publisherIds: readonly string[],
  search: OneEndpoint,
  proof: Proof,
): Promise<EndpointView> {
  const endpoint = await findEndpoint(tx, publisherIds, search)
  if (proof === null) return endpoint
  const verified = await markVerified(tx, endpoint.publisherId, { ...search, url: proof.url })
  const after = await findEndpoint(tx, publisherIds, search)
  if (verified || (after.url === proof.url && after.state !== 'unverified')) return after
  throw WebhooksErrors.challenge_failed('The endpoint’s URL was changed meanwhile; verify it again.')
}
