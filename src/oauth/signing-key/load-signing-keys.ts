import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'oidc-provider'
import type { Db } from '../../db/index.ts'
import { type Clock, type Log, seal, type Transaction, unseal } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { insertSigningKey, listSigningKeys, lockSigningKeys, type SigningKeyRow } from './store.ts'

export interface SigningKeyDependencies {
  readonly db: Db
  /** 32 bytes derived from the platform's secret key. */
  readonly sealingKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

const alg = 'ES256'

function open({ kid, sealed }: SigningKeyRow, sealingKey: Uint8Array): JWK {
  try {
    return { ...(JSON.parse(unseal(sealingKey, sealed, kid)) as JWK), kid, alg, use: 'sig' }
  } catch (error) {
    throw OAuthErrors.secret_key_wrong(`the signing key ${kid} does not open`, { cause: error })
  }
}

async function generate(sealingKey: Uint8Array): Promise<SigningKeyRow> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, alg, sealed: seal(sealingKey, JSON.stringify(jwk), kid) }
}

/**
 * The keys that sign, newest first; the very first start makes one. Two processes starting at once get the same.
 * @throws oauth.secret_key_wrong
 */
export async function loadSigningKeys(deps: SigningKeyDependencies): Promise<readonly JWK[]> {
  const { db, sealingKey, clock, log } = deps
  let rows = await listSigningKeys(db.queries)
  if (rows.length === 0) {
    const fresh = await generate(sealingKey)
    rows = await db.tx(async (tx: Transaction) => {
      await lockSigningKeys(tx)
      const existing = await listSigningKeys(tx)
      if (existing.length > 0) return existing
      await insertSigningKey(tx, fresh, clock.nowMs())
      log.info({ kid: fresh.kid }, 'oauth.signing_key_made')
      return [fresh]
    })
  }
  return rows.map((row) => open(row, sealingKey))
}
