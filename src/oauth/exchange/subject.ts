import type { AccessToken, Grant, TokenEndpointGrantContext } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { type Clock, isWellFormedToken, limits, type Queries } from '../../kernel/index.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { errors, grantHelpers } from '../library.ts'
import { findToken } from '../token/store.ts'
import { accessTokenType, sessionTokenType } from './token-types.ts'

/** What a subject token stands for. */
export interface Subject {
  readonly grant: Grant
  readonly scopes: ReadonlySet<string>
  readonly details: readonly AuthorizationDetail[]
  /** What is issued for it must not live longer. */
  readonly lifetimeMs: number
  /** The key that whoever uses the token must prove to hold. */
  readonly jkt: string | null
  /** Who acts with it so far: the `act` of RFC 8693 §4.1. */
  readonly actor: Actor | null
  /** Whether it may be exchanged for a token of the installation, although it is a person's. */
  readonly mayLeavePerson: boolean
}

export interface Actor {
  readonly client_id: string
  readonly act?: Actor
}

export interface SubjectDependencies {
  readonly queries: Queries
  readonly keys: OAuthKeys
  readonly clock: Clock
  readonly resource: string
}

// RFC 8693 §2.2.2: "if either the subject_token or actor_token are invalid for any reason … the value of the error
// parameter MUST be the invalid_request error code".
function refused(): Error {
  return new errors.InvalidRequest('the subject_token is unknown, expired, revoked or of another app')
}

async function loadGrant(ctx: TokenEndpointGrantContext, grantId: string | null | undefined): Promise<Grant> {
  const { provider, client } = ctx.oidc
  const grant = grantId == null ? undefined : await provider.Grant.find(grantId, { ignoreExpiration: true })
  if (grant === undefined || grant.isExpired || grant.clientId !== client.clientId) throw refused()
  return grant
}

function scopesOf(grant: Grant, resource: string): ReadonlySet<string> {
  return new Set(
    grant
      .getResourceScope(resource)
      .split(' ')
      .filter((scope) => scope !== ''),
  )
}

async function bySessionToken(
  { queries, keys, clock, resource }: SubjectDependencies,
  ctx: TokenEndpointGrantContext,
  value: string,
): Promise<Subject> {
  if (!isWellFormedToken('sessionToken', value)) throw refused()
  const row = await findToken(queries, hashValue(keys, value), clock.nowMs())
  if (row === null || row.kind !== 'SessionToken' || row.app_id !== ctx.oidc.client.clientId) throw refused()
  const grant = await loadGrant(ctx, row.grant_id)
  return {
    grant,
    scopes: scopesOf(grant, resource),
    details: grant.rar ?? [],
    lifetimeMs: limits.exchangedTokenMs,
    jkt: null,
    actor: null,
    mayLeavePerson: true,
  }
}

async function byAccessToken(
  { resource }: SubjectDependencies,
  ctx: TokenEndpointGrantContext,
  value: string,
): Promise<Subject> {
  const token: AccessToken | undefined = await ctx.oidc.provider.AccessToken.find(value)
  if (token === undefined || !token.isValid || token.clientId !== ctx.oidc.client.clientId) throw refused()
  const grant = await loadGrant(ctx, token.grantId)
  const live = scopesOf(grant, resource)
  const actor = token.extra?.['act']
  return {
    grant,
    scopes: new Set([...token.scopes].filter((scope) => live.has(scope))),
    details: token.rar ?? [],
    // What is left is told in whole seconds.
    lifetimeMs: Math.min(limits.exchangedTokenMs, (token.remainingTTL - 1) * 1000),
    jkt: token.jkt ?? null,
    actor: actor === undefined ? null : (actor as Actor),
    mayLeavePerson: false,
  }
}

/** The subject of an exchange; only ever the authenticated app's own. */
export async function findSubject(
  deps: SubjectDependencies,
  ctx: TokenEndpointGrantContext,
): Promise<Subject> {
  const { subject_token: value, subject_token_type: type } = ctx.oidc.params
  if (typeof value !== 'string') throw new errors.InvalidRequest('subject_token is missing')
  if (type === sessionTokenType) return bySessionToken(deps, ctx, value)
  if (type === accessTokenType) return byAccessToken(deps, ctx, value)
  throw new errors.InvalidRequest(`subject_token_type is ${sessionTokenType} or ${accessTokenType}`)
}

/** Holds the proof of possession against the subject token: a stolen one is not exchanged for one without a key. */
export async function checkProof(ctx: TokenEndpointGrantContext, subject: Subject): Promise<string | null> {
  const { provider, client } = ctx.oidc
  const proof = await grantHelpers.validateDpop(provider, ctx)
  grantHelpers.checkDpopRequired(provider, ctx, proof, errors.InvalidRequest)
  if (subject.jkt !== null && subject.jkt !== proof?.thumbprint)
    throw new errors.InvalidRequest('the subject_token is bound to a key: send a DPoP proof of it')
  await grantHelpers.checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidRequest)
  return proof?.thumbprint ?? null
}
