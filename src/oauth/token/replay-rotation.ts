import type { KoaContextWithOIDC } from 'oidc-provider'
import { hmacSha256, limits, seal, unseal } from '../../kernel/index.ts'
import { endReused } from '../grant/end-authorization.ts'
import type { GrantRow } from '../grant/store.ts'
import { errors } from '../library.ts'
import { type Rotation, writeTokens } from './store.ts'
import type { TokenEndpointDependencies } from './token-endpoint.ts'
import { inUnitOfWork, type UnitOfWork } from './unit-of-work.ts'

/** The members of a token response (RFC 6749 §5.1) that matter here, and whatever else stands in it. */
export interface TokenAnswer {
  readonly access_token: string
  readonly expires_in: number
  readonly scope?: string
  readonly [member: string]: unknown
}

interface ReplayBox {
  readonly answer: TokenAnswer
  readonly accessTokenExpiresAtMs: number
  /** What the rotation was asked for: a retry asks the same. */
  readonly asked: string
}

function askedFor(ctx: KoaContextWithOIDC): string {
  const { scope, resource, authorization_details: details } = ctx.oidc.params ?? {}
  return JSON.stringify([scope ?? null, resource ?? null, details ?? null])
}

// Neither the database nor the platform's key alone opens a box: the old refresh token itself is part of the key.
function boxKey({ keys }: TokenEndpointDependencies, value: string): Uint8Array {
  return hmacSha256(keys.replayBoxes, value)
}

/** The answer of a rotation, sealed under the refresh token it was given for. */
export function sealAnswer(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  value: string,
  answer: TokenAnswer,
): string {
  const box: ReplayBox = {
    answer,
    accessTokenExpiresAtMs: deps.clock.nowMs() + answer.expires_in * 1000,
    asked: askedFor(ctx),
  }
  return seal(boxKey(deps, value), JSON.stringify(box))
}

/** A fresh access token beside the same refresh token, when the one in the box has expired. */
async function issueAccessToken(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  grant: GrantRow,
  { token }: Rotation,
  scope: string,
): Promise<Pick<TokenAnswer, 'access_token' | 'expires_in'>> {
  const { provider, client } = ctx.oidc
  if (client === undefined) throw new errors.InvalidGrant('no client')
  const unit: UnitOfWork = { issued: [], consumed: null, grant, extra: {}, openId: true, refreshToken: null }
  const accessToken = new provider.AccessToken({
    client,
    accountId: grant.account_id,
    grantId: grant.id,
    gty: 'authorization_code refresh_token',
  })
  accessToken.resourceServer = new provider.ResourceServer(deps.resource, {
    scope,
    accessTokenFormat: 'opaque',
  })
  accessToken.scope = scope
  const value = await inUnitOfWork(unit, () => accessToken.save())
  const write = { issued: unit.issued, familyId: token.family_id, consumed: null, successor: null }
  await writeTokens(deps.queries, { ...write, replayBox: null, nowMs: deps.clock.nowMs() })
  return { access_token: value, expires_in: accessToken.expiration }
}

/**
 * Answers a refresh token that has been rotated already: with the same pair while its successor is unused, else by
 * ending the authorization.
 */
export async function replayRotation(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  value: string,
  rotation: Rotation,
): Promise<void> {
  const { token, grant, successorUnused } = rotation
  const nowMs = deps.clock.nowMs()
  if (grant === null || token.revoked_at !== null || token.consumed_at === null)
    throw new errors.InvalidGrant('refresh token is revoked')
  const inTime = nowMs - token.consumed_at.getTime() < limits.refreshReplayMs
  if (!successorUnused || !inTime || token.replay_box === null) {
    if (token.grant_id !== null) await endReused(deps, token.grant_id, 'refresh_token')
    throw new errors.InvalidGrant('refresh token already used')
  }
  const box = JSON.parse(unseal(boxKey(deps, value), token.replay_box)) as ReplayBox
  if (box.asked !== askedFor(ctx)) throw new errors.InvalidGrant('rotated with other parameters')
  const leftSeconds = Math.floor((box.accessTokenExpiresAtMs - nowMs) / 1000)
  const access =
    leftSeconds > 0
      ? { expires_in: leftSeconds }
      : await issueAccessToken(deps, ctx, grant, rotation, box.answer.scope ?? '')
  ctx.body = { ...box.answer, ...access }
}
