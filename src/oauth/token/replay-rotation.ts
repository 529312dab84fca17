import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { hmacSha256, limits, seal, unseal } from '../../kernel/index.ts'
import { isAuthenticated } from '../client/authentication.ts'
import { provenKey } from '../dpop/binding.ts'
import { endReused } from '../grant/end-authorization.ts'
import type { GrantRow } from '../grant/store.ts'
import { hashValue } from '../keys.ts'
import { errors } from '../library.ts'
import { findToken, type Rotation, writeTokens } from './store.ts'
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
  /** What the rotation was asked for, and with which key: a retry asks the same, with the same. */
  readonly asked: string
}

function askedFor(ctx: KoaContextWithOIDC, jkt: string | null): string {
  const { scope, resource, authorization_details: details } = ctx.oidc.params ?? {}
  return JSON.stringify([scope ?? null, resource ?? null, details ?? null, jkt])
}

/**
 * How long a client that lost the answer of a rotation gets it again. One that proves more than the old token itself, by
 * its own authentication or by the key the token is bound to, has a day; one that does not has time for a retry.
 */
function replayWindowMs(client: { readonly isAuthenticated: boolean; readonly hasKey: boolean }): number {
  return client.isAuthenticated || client.hasKey ? limits.refreshReplayMs : limits.refreshReplayPublicMs
}

// Neither the database nor the platform's key alone opens a box: the old refresh token itself is part of the key.
function boxKey({ keys }: TokenEndpointDependencies, value: string): Uint8Array {
  return hmacSha256(keys.replayBoxes, value)
}

/** The answer of a rotation, sealed under the refresh token it was given for. */
export async function sealAnswer(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  value: string,
  answer: TokenAnswer,
): Promise<string> {
  const box: ReplayBox = {
    answer,
    accessTokenExpiresAtMs: deps.clock.nowMs() + answer.expires_in * 1000,
    asked: askedFor(ctx, await provenKey(ctx)),
  }
  return seal(boxKey(deps, value), JSON.stringify(box))
}

/** Whether the access token in the box still opens anything: it may have been revoked meanwhile, or found in the open. */
async function isLive({ keys, queries, clock }: TokenEndpointDependencies, box: ReplayBox): Promise<boolean> {
  return (await findToken(queries, hashValue(keys, box.answer.access_token), clock.nowMs())) !== null
}

/** A fresh access token beside the same refresh token, when the one in the box is over. */
async function issueAccessToken(
  deps: TokenEndpointDependencies,
  ctx: KoaContextWithOIDC,
  grant: GrantRow,
  { token }: Rotation,
  { answer, jkt }: { readonly answer: TokenAnswer; readonly jkt: string | null },
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
  const { scope = '', authorization_details: details } = answer
  accessToken.resourceServer = new provider.ResourceServer(deps.resource, {
    scope,
    accessTokenFormat: 'opaque',
  })
  accessToken.scope = scope
  // As narrow as the one in the box was.
  if (details !== undefined) accessToken.rar = [...(details as readonly AuthorizationDetail[])]
  if (jkt !== null) accessToken.setThumbprint('jkt', jkt)
  const value = await inUnitOfWork(unit, () => accessToken.save())
  const write = { issued: unit.issued, familyId: token.family_id, consumed: null, successor: null }
  await writeTokens(deps.queries, { ...write, replayBox: null, nowMs: deps.clock.nowMs() })
  return { access_token: value, expires_in: accessToken.expiration }
}

/**
 * Answers a refresh token that has been rotated already: with the same pair while its successor is unused, else by
 * ending the authorization. The client has been authenticated; its proof is checked here, as the library does where it
 * rotates.
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
  const jkt = await provenKey(ctx)
  const boundTo = token.payload['jkt']
  // Without its key a bound token is worth nothing, and whoever found one must not be able to end the authorization.
  if (boundTo !== undefined && boundTo !== jkt) throw new errors.InvalidGrant('failed jkt verification')
  const proves = { isAuthenticated: isAuthenticated(ctx), hasKey: boundTo !== undefined }
  const inTime = nowMs - token.consumed_at.getTime() < replayWindowMs(proves)
  if (!successorUnused || !inTime || token.replay_box === null) {
    if (token.grant_id !== null) await endReused(deps, token.grant_id, 'refresh_token')
    throw new errors.InvalidGrant('refresh token already used')
  }
  const box = JSON.parse(unseal(boxKey(deps, value), token.replay_box)) as ReplayBox
  if (box.asked !== askedFor(ctx, jkt)) throw new errors.InvalidGrant('rotated with other parameters')
  const leftSeconds = Math.floor((box.accessTokenExpiresAtMs - nowMs) / 1000)
  const access =
    leftSeconds > 0 && (await isLive(deps, box))
      ? { expires_in: leftSeconds }
      : await issueAccessToken(deps, ctx, grant, rotation, { answer: box.answer, jkt })
  ctx.body = { ...box.answer, ...access }
}
