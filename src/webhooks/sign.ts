import { hmacSha256 } from '../kernel/index.ts'
import { signingKeyOf } from './secret.ts'

export interface Signable {
  /** The event's id: the same over all attempts. */
  readonly eventId: string
  /** Seconds since 1970 of this attempt. */
  readonly sentAtS: number
  /** The exact text of the request's body. */
  readonly body: string
}

/**
 * The value of `webhook-signature`: one `v1,` signature per live secret, separated by spaces, so that a receiver that
 * knows either secret of a rotation accepts it. Standard Webhooks 1.0.0: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
 */
export function sign({ eventId, sentAtS, body }: Signable, secrets: readonly string[]): string {
  const content = `${eventId}.${sentAtS}.${body}`
  return secrets
    .map((secret) => `v1,${hmacSha256(signingKeyOf(secret), content).toString('base64')}`)
    .join(' ')
}
