import type { Grant, TokenEndpointGrantContext } from 'oidc-provider'
import type { BoundTypes } from '../../capability/index.ts'
import { type IdSource, limits, present } from '../../kernel/index.ts'
import { type AccessType, accessTypeOf, checkAccessType } from '../grant/access-type.ts'
import { detailsForAccessToken } from '../grant/details.ts'
import { makeGrant } from '../grant/make-grant.ts'
import { errors, grantHelpers } from '../library.ts'
import { currentUnitOfWork } from '../token/unit-of-work.ts'
import { type Actor, checkProof, findSubject, type Subject, type SubjectDependencies } from './subject.ts'
import { accessTokenType } from './token-types.ts'

export interface ExchangeDependencies extends SubjectDependencies {
  readonly issuer: string
  readonly boundTypes: BoundTypes
  readonly ids: IdSource
}

/** Parameters of RFC 8693 §2.1, and whose token is wanted. */
export const exchangeParameters = [
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type'],
  ...['scope', 'resource', 'audience', 'access_type', 'authorization_details'],
]

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}

function checkRequest(
  { resource, issuer }: ExchangeDependencies,
  params: Readonly<Record<string, unknown>>,
): void {
  if (params['actor_token'] !== undefined || params['actor_token_type'] !== undefined)
    throw new errors.InvalidRequest('the actor is the authenticated client: there is no actor_token')
  checkAccessType({ access_type: params['access_type'] })
  const wanted = params['requested_token_type']
  if (wanted !== undefined && wanted !== accessTokenType)
    throw new errors.InvalidRequest(`requested_token_type is ${accessTokenType}`)
  if (listOf(params['resource']).some((asked) => asked !== resource))
    throw new errors.InvalidTarget('unknown resource')
  if (listOf(params['audience']).some((asked) => asked !== resource && asked !== issuer))
    throw new errors.InvalidTarget('unknown audience')
}

/** RFC 8693 §2.1 leaves it open; here nothing can be asked for that the subject token does not have. */
function scopeOf({ scopes }: Subject, asked: unknown): string {
  if (typeof asked !== 'string') return [...scopes].join(' ')
  const wider = asked.split(' ').find((scope) => !scopes.has(scope))
  if (wider !== undefined) throw new errors.InvalidScope('wider than the subject token', wider)
  return asked
}

/**
 * RFC 8693 §4.1: "A chain of delegation can be expressed by nesting one act claim within another. The outermost act
 * claim represents the current actor".
 */
function actorOf(clientId: string, { actor }: Subject): Actor {
  let depth = 1
  for (let one = actor; one !== null; one = one.act ?? null) depth += 1
  if (depth > limits.exchangeDepthMax) throw new errors.InvalidRequest('exchanged too often')
  return { client_id: clientId, ...(actor === null ? {} : { act: actor }) }
}

function accessTypeFor({ mayLeavePerson }: Subject, params: Readonly<Record<string, unknown>>): AccessType {
  const own = currentUnitOfWork()?.grant?.person_id == null ? 'offline' : 'online'
  const asked = params['access_type'] === undefined ? own : accessTypeOf(params)
  if (asked === own || (asked === 'offline' && mayLeavePerson)) return asked
  throw new errors.InvalidRequest(
    own === 'offline'
      ? 'the subject token is of no person'
      : 'an access token of a person stays that person’s',
  )
}

/** The authorization the new token belongs to: the subject's own, or one of the installation. */
async function grantFor(
  deps: ExchangeDependencies,
  ctx: TokenEndpointGrantContext,
  subject: Subject,
): Promise<Grant> {
  const row = present(currentUnitOfWork()?.grant ?? null, 'the grant just read')
  if (accessTypeFor(subject, ctx.oidc.params) === 'online' || row.person_id === null) return subject.grant
  const { provider, client } = ctx.oidc
  const made = await makeGrant(
    { provider, resource: deps.resource, ids: deps.ids },
    {
      ...{ appId: client.clientId, installationId: row.installation_id, personId: null, credentialId: null },
      ...{ granted: [...subject.scopes], refused: [], details: subject.details },
      ...{ accessType: 'offline', openId: false, lifetimeMs: limits.exchangedTokenMs },
    },
  )
  return present(await provider.Grant.find(made.jti), 'the grant just made')
}

/**
 * Token exchange, RFC 8693: a session token of an app's page, or an access token, for an access token of the same app at
 * the same installation, never for more. It comes without a refresh token: it is over soon and cheap to get again.
 */
export function exchangeToken(deps: ExchangeDependencies) {
  return async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const { provider, client, params } = ctx.oidc
    checkRequest(deps, params)
    const subject = await findSubject(deps, ctx)
    const thumbprint = await checkProof(ctx, subject)
    const scope = scopeOf(subject, params['scope'])
    const actor = actorOf(client.clientId, subject)
    const grant = await grantFor(deps, ctx, subject)
    const expiresIn = Math.max(1, Math.floor(subject.lifetimeMs / 1000))
    const token = new provider.AccessToken({
      ...{ client, accountId: grant.accountId ?? '', grantId: grant.jti, gty: 'token_exchange', expiresIn },
    })
    token.resourceServer = new provider.ResourceServer(deps.resource, { scope, accessTokenFormat: 'opaque' })
    token.scope = scope
    token.rar = detailsForAccessToken(deps.boundTypes, ctx, { rar: subject.details })
    if (thumbprint !== null) token.setThumbprint('jkt', thumbprint)
    const unit = present(currentUnitOfWork(), 'the unit of work of a token request')
    unit.extra = { act: actor }
    ctx.oidc.entity('Grant', grant)
    ctx.oidc.entity('AccessToken', token)
    ctx.body = grantHelpers.buildTokenResponse(provider, {
      accessToken: await token.save(),
      authorizationDetails: token.rar,
      expiresIn: token.expiration,
      issuedTokenType: accessTokenType,
      scope,
      tokenType: token.tokenType,
    })
  }
}
