import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import { type AuthorizationDetail, askWithin, type BoundTypes, meetDetails } from '../../capability/index.ts'
import type { ClientPayload } from '../client/client.ts'
import { errors } from '../library.ts'
import { currentUnitOfWork } from '../token/unit-of-work.ts'

type Details = readonly AuthorizationDetail[]

interface DetailBearer {
  readonly rar?: Details | undefined
}

/**
 * RFC 9396 §5: "The AS MUST refuse to process any unknown authorization details type or authorization details not
 * conforming to the respective type definition." Wider than the reviewed manifest is refused, too.
 */
function checkDetail(boundTypes: BoundTypes, detail: AuthorizationDetail, client: Client): void {
  const [problem] = boundTypes.get(detail.type)?.checkDetail(detail) ?? []
  if (problem !== undefined)
    throw new errors.InvalidAuthorizationDetails(`${detail.type}${problem.pointer}: ${problem.message}`)
  const declared = (client as unknown as ClientPayload).stoa_details
  if (!askWithin(boundTypes, declared, [detail]).ok)
    throw new errors.InvalidAuthorizationDetails(`${detail.type} is wider than the released manifest`)
}

/** The parameter's value, which the library has parsed and checked by then. */
function askedOf({ oidc: { params } }: KoaContextWithOIDC): Details | null {
  const text = params?.['authorization_details']
  return typeof text === 'string' ? (JSON.parse(text) as Details) : null
}

function presentOnly(details: Details): AuthorizationDetail[] | undefined {
  return details.length === 0 ? undefined : [...details]
}

/**
 * What a new access token is bound by: what the code or refresh token was, what the merchant grants at this moment, and
 * what this request asks for. RFC 9396 §6.1: a token request may ask for less, "if the requested authorization details
 * are … beyond … the AS MUST refuse the request with the error code invalid_authorization_details".
 */
export function detailsForAccessToken(
  boundTypes: BoundTypes,
  ctx: KoaContextWithOIDC,
  source: DetailBearer | undefined,
): AuthorizationDetail[] | undefined {
  const asked = askedOf(ctx)
  const grant = currentUnitOfWork()?.grant ?? null
  if (grant === null) throw new errors.InvalidAuthorizationDetails('no merchant has agreed to any')
  const allowed = meetDetails(boundTypes, grant.bounds, source?.rar ?? [])
  if (asked === null) return presentOnly(allowed)
  const within = askWithin(boundTypes, allowed, asked)
  if (!within.ok)
    throw new errors.InvalidAuthorizationDetails(`${within.outside.type} is wider than the grant`)
  return presentOnly(within.details)
}

/** The library's feature for RFC 9396. */
export function richAuthorizationRequests(boundTypes: BoundTypes) {
  const typeOf = () => ({
    validate: (_ctx: KoaContextWithOIDC, detail: AuthorizationDetail, client: Client) =>
      checkDetail(boundTypes, detail, client),
  })
  return {
    enabled: true as const,
    types: Object.fromEntries([...boundTypes.keys()].map((type) => [type, typeOf()])),
    // What the consent page showed; the grant was loaded, and cut down to what holds now, a moment ago.
    authorizationDetailsForGrantSource: (ctx: KoaContextWithOIDC) =>
      presentOnly(ctx.oidc.entities.Grant?.rar ?? []),
    authorizationDetailsForAccessToken: (
      ctx: KoaContextWithOIDC,
      _token: unknown,
      source: DetailBearer | undefined,
    ) => detailsForAccessToken(boundTypes, ctx, source),
    authorizationDetailsForIntrospection: (ctx: KoaContextWithOIDC, token: DetailBearer) =>
      presentOnly(meetDetails(boundTypes, ctx.oidc.entities.Grant?.rar ?? [], token.rar ?? [])),
  }
}
