import { type IdSource, newId, type Transaction } from '../../kernel/index.ts'
import type { WebhooksDependencies } from '../dependencies.ts'
import type { SecretView, SignatureScheme } from '../endpoint.ts'
import { mintSecret, publicJwkOf, publicKeyTextOf, sealSecret } from '../secret.ts'
import { insertSecret } from './store.ts'

export interface CreatedSecret {
  readonly view: SecretView
  /** What the receiver needs and is shown once: `whsec_…`. Null for v1a, whose private key never leaves. */
  readonly shown: string | null
}

/** Mints a secret of the scheme for an endpoint, and stores it sealed. */
export async function createSecret(
  tx: Transaction,
  { secretKey }: Pick<WebhooksDependencies, 'secretKey'>,
  { endpointId, scheme }: { readonly endpointId: string; readonly scheme: SignatureScheme },
  ids: IdSource,
): Promise<CreatedSecret> {
  const id = newId('endpointSecret', ids)
  const createdAtMs = ids.clock.nowMs()
  const secret = mintSecret(ids.random, scheme)
  const publicJwk = publicJwkOf(secret)
  const sealed = sealSecret(secretKey, id, secret)
  await insertSecret(tx, { id, endpointId, scheme, sealed, publicJwk }, createdAtMs)
  const publicKey = publicJwk === null ? null : publicKeyTextOf(publicJwk)
  return {
    view: { id, scheme, publicKey, createdAtMs, expiresAtMs: null },
    shown: publicJwk === null ? secret : null,
  }
}
