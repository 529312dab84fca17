import { sha256Hex } from '../../kernel/index.ts'
import type { AttemptView, DeliveryDetail } from '../delivery-view.ts'
import { openSecret } from '../secret.ts'
import { headersOf } from '../send-delivery.ts'
import { signerOf } from '../sign.ts'
import type { KeptSecret } from './store.ts'

/** The request of one attempt, made once more from what is kept. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, string>>
  /** Null: the body or the secrets of that time are no longer kept. */
  readonly signature: string | null
  /** Ids of the secrets that signed. */
  readonly signedBy: readonly string[]
  /**
   * True: the text kept is still the one whose SHA-256 was stored, and these secrets sign it. Null: nothing to compare.
   */
  readonly verified: boolean | null
}

function wasLive({ createdAtMs, expiresAtMs }: KeptSecret, atMs: number): boolean {
  return createdAtMs <= atMs && (expiresAtMs === null || expiresAtMs > atMs)
}

/** What an attempt at an endpoint sent; null when it sent nothing: the permission was gone, or a handler ran. */
export function sentRequestOf(
  delivery: DeliveryDetail,
  attempt: AttemptView,
  keep: { readonly secrets: readonly KeptSecret[]; readonly secretKey: Uint8Array },
): SentRequest | null {
  if (delivery.sink !== 'backend' || attempt.outcome === 'cancelled') return null
  const text = delivery.body?.text ?? null
  const live = text === null ? [] : keep.secrets.filter((secret) => wasLive(secret, attempt.startedAtMs))
  const signers = live.map(({ id, sealed }) => signerOf(openSecret(keep.secretKey, id, sealed)))
  const { eventId, sequence } = delivery
  const { 'webhook-signature': signature = '', ...headers } = headersOf(
    {
      ...{ eventId, sequence, body: text ?? '', attempt: attempt.number, replayId: attempt.replayId },
      thin: false,
    },
    Math.floor(attempt.startedAtMs / 1000),
    signers,
  )
  if (text === null || live.length === 0) return { headers, signature: null, signedBy: [], verified: null }
  return {
    headers,
    signature,
    signedBy: live.map(({ id }) => id),
    verified: sha256Hex(text) === delivery.body?.sha256,
  }
}
