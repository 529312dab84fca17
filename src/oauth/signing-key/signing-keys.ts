import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'oidc-provider'
import type { Db } from '../../db/index.ts'
import { type Clock, type Log, seal, type Transaction, unseal } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { type KeyState, keysByState, retiresAtMsOf, signsFromMsOf } from './signing-key.ts'
import {
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
  retireOtherKeys,
  type SigningKey,
} from './store.ts'

export interface SigningKeyDependencies {
  readonly db: Db
  /** 32 bytes derived from the platform's secret key. */
  readonly sealingKey: Uint8Array
  readonly clock: Clock
  readonly log: Log
}

/** A key as its operators see it. */
export type SigningKeyView = Omit<SigningKey, 'sealed'> & { readonly state: KeyState }

const alg = 'ES256'

function open({ kid, sealed }: SigningKey, sealingKey: Uint8Array): JWK {
  try {
    return { ...(JSON.parse(unseal(sealingKey, sealed, kid)) as JWK), kid, alg, use: 'sig' }
  } catch (error) {
    throw OAuthErrors.secret_key_wrong(`the signing key ${kid} does not open`, { cause: error })
  }
}

async function generate(
  sealingKey: Uint8Array,
  times: Pick<SigningKey, 'createdAtMs' | 'signsFromMs'>,
): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(privateKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, alg, sealed: seal(sealingKey, JSON.stringify(jwk), kid), ...times, retiredAtMs: null }
}

function viewsOf(keys: readonly SigningKey[], nowMs: number): readonly SigningKeyView[] {
  return keysByState(keys, nowMs).map(({ sealed: _sealed, ...view }) => view)
}

/**
 * The keys to publish now, opened, the one that signs first; the very first start makes one. Two processes starting at
 * once get the same.
 * @throws oauth.secret_key_wrong
 */
export async function loadSigningKeys(deps: SigningKeyDependencies): Promise<readonly JWK[]> {
  const { db, sealingKey, clock, log } = deps
  const nowMs = clock.nowMs()
  let keys = await listSigningKeys(db.queries, nowMs)
  if (keys.length === 0) {
    const first = await generate(sealingKey, { createdAtMs: nowMs, signsFromMs: nowMs })
    keys = await db.tx(async (tx: Transaction) => {
      await lockSigningKeys(tx)
      const existing = await listSigningKeys(tx, nowMs)
      if (existing.length > 0) return existing
      await insertSigningKey(tx, first)
      log.info({ kid: first.kid }, 'oauth.signing_key_made')
      return [first]
    })
  }
  return keysByState(keys, nowMs).map((key) => open(key, sealingKey))
}

/** Next, current and previous, the one that signs first. */
export async function listKeys({ db, clock }: SigningKeyDependencies): Promise<readonly SigningKeyView[]> {
  const nowMs = clock.nowMs()
  return viewsOf(await listSigningKeys(db.queries, nowMs), nowMs)
}

/**
 * Makes the next key and says when it begins to sign. While one is waiting already it stays the next: two operators who
 * rotate at once have rotated once. What the old key signed verifies until it has expired.
 */
export async function rotateSigningKeys(
  tx: Transaction,
  { sealingKey, clock, log }: Omit<SigningKeyDependencies, 'db'>,
): Promise<readonly SigningKeyView[]> {
  await lockSigningKeys(tx)
  const nowMs = clock.nowMs()
  const keys = await listSigningKeys(tx, nowMs)
  if (keys.some(({ signsFromMs }) => signsFromMs > nowMs)) return viewsOf(keys, nowMs)
  const next = await generate(sealingKey, { createdAtMs: nowMs, signsFromMs: signsFromMsOf(nowMs) })
  await insertSigningKey(tx, next)
  await retireOtherKeys(tx, next.kid, retiresAtMsOf(next.signsFromMs))
  log.info({ kid: next.kid }, 'oauth.signing_key_made')
  return viewsOf(await listSigningKeys(tx, nowMs), nowMs)
}
