import type { Grant, Provider } from 'oidc-provider'
import type { AuthorizationDetail } from '../../capability/index.ts'
import { assert, type IdSource, newId } from '../../kernel/index.ts'
import { asGrantOwner } from '../token/unit-of-work.ts'
import { type AccessType, accessTypeOf, asksForOpenId } from './access-type.ts'

/** What a merchant agreed to, and who said so. */
export interface Agreement {
  readonly personId: string
  /** The session or personal token by which the person came. */
  readonly credentialId: string | null
  readonly merchantId: string
  readonly installationId: string
  readonly granted: readonly string[]
  readonly refused: readonly string[]
  readonly details: readonly AuthorizationDetail[]
}

export interface NewAuthorization extends Omit<Agreement, 'personId' | 'merchantId'> {
  readonly appId: string
  /** Null: of nobody in particular. */
  readonly personId: string | null
  readonly accessType: AccessType
  readonly openId: boolean
  /** Default: `limits.oauthGrantMs`. */
  readonly lifetimeMs?: number
}

export interface GrantContext {
  readonly provider: Provider
  /** The one resource of this server. */
  readonly resource: string
  readonly ids: IdSource
}

/** An authorization as its request's parameters want it. */
export function authorizationOf(
  appId: string,
  params: Readonly<Record<string, unknown>>,
  agreement: Agreement,
): NewAuthorization {
  const { scope } = params
  const requested = typeof scope === 'string' ? scope.split(' ').filter((name) => name !== '') : []
  // What was asked for and not granted counts as refused, or the library would ask again and again.
  const refused = new Set([...agreement.refused, ...requested].filter((name) => name !== 'openid'))
  return {
    ...agreement,
    appId,
    refused: [...refused].filter((name) => !agreement.granted.includes(name)),
    accessType: accessTypeOf(params),
    openId: asksForOpenId(params),
  }
}

/**
 * Saves the library's grant of one authorization. Offline it is the installation's and knows no person; online it is
 * the person's, and over as soon as they are no member or have signed out.
 */
export async function makeGrant(
  { provider, resource, ids }: GrantContext,
  authorization: NewAuthorization,
): Promise<Grant> {
  const { appId, installationId, granted, refused, details, accessType, openId } = authorization
  const online = accessType === 'online'
  assert(online || !openId, 'an ID token is about a person')
  const personId = online ? authorization.personId : null
  assert(!online || personId !== null, 'an online authorization has its person')
  assert(
    granted.every((scope) => !refused.includes(scope)),
    'no scope is granted and refused at once',
  )
  const grant = new provider.Grant({ accountId: personId ?? installationId, clientId: appId })
  grant.jti = newId('authorization', ids)
  if (granted.length > 0) grant.addResourceScope(resource, [...granted])
  if (refused.length > 0) grant.rejectResourceScope(resource, [...refused])
  if (openId) grant.addOIDCScope('openid')
  for (const detail of details) grant.addRar(detail)
  const { lifetimeMs } = authorization
  if (lifetimeMs !== undefined) Object.assign(grant, { expiresIn: Math.ceil(lifetimeMs / 1000) })
  const credentialId = online ? authorization.credentialId : null
  await asGrantOwner({ installationId, personId, credentialId }, () => grant.save())
  return grant
}
