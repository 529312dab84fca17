import { limits, mintToken, type Random, type Transaction } from '../../kernel/index.ts'
import { type GrantContext, makeGrant } from '../grant/make-grant.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { writeTokens } from '../token/store.ts'
import { throughTransaction } from '../token/unit-of-work.ts'
import type { LiveInstallation } from './store.ts'

export interface SessionTokenDependencies {
  readonly context: GrantContext
  readonly keys: OAuthKeys
  readonly random: Random
}

/** Who uses an app at a merchant now. */
export interface SessionTokenRequest {
  readonly installationId: string
  readonly installation: LiveInstallation
  /** Null: nobody in particular, a terminal in the shop. */
  readonly personId: string | null
  readonly credentialId: string | null
}

/**
 * A session token: 60 seconds in which the app's backend may exchange it for a token of the same installation. Its
 * authorization holds what the merchant grants at this moment and outlives it by the life of what it is exchanged for.
 */
export async function mintSessionToken(
  { context, keys, random }: SessionTokenDependencies,
  tx: Transaction,
  request: SessionTokenRequest,
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const { installationId, installation, personId, credentialId } = request
  const { app_id: appId, merchant_id: merchantId, granted, bounds } = installation
  const nowMs = context.ids.clock.nowMs()
  const expiresAtMs = nowMs + limits.sessionTokenMs
  const token = mintToken('sessionToken', random)
  await throughTransaction(tx, async () => {
    const grant = await makeGrant(context, {
      ...{ appId, installationId, personId, credentialId, granted, refused: [], details: bounds },
      ...{ accessType: personId === null ? 'offline' : 'online', openId: false },
      lifetimeMs: limits.sessionTokenMs + limits.exchangedTokenMs,
    })
    const row = {
      ...{ hash: hashValue(keys, token), kind: 'SessionToken', appId, grantId: grant.jti, installationId },
      ...{ merchantId, personId, scopes: granted, payload: {}, expiresAtMs },
    }
    const write = { issued: [row], familyId: null, consumed: null, successor: null, replayBox: null }
    await writeTokens(tx, { ...write, nowMs })
  })
  return { token, expiresAtMs }
}
