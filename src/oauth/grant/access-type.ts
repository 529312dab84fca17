import { errors } from '../library.ts'

/** Whose tokens an authorization asks for: the installation's (offline), or those of the person who is there (online). */
export type AccessType = 'offline' | 'online'

type Parameters = Readonly<Record<string, unknown>>

/** Whether the ID token is asked for. OpenID Connect Core 1.0 §3.1.2.1: "OpenID Connect requests MUST contain the openid scope value." */
export function asksForOpenId({ scope }: Parameters): boolean {
  return typeof scope === 'string' && scope.split(' ').includes('openid')
}

/** What a request without `access_type` means follows from its scope: an ID token is about a person. */
export function accessTypeOf(params: Parameters): AccessType {
  const { access_type: asked } = params
  if (asked === 'online' || asked === 'offline') return asked
  return asksForOpenId(params) ? 'online' : 'offline'
}

/** Refuses what has no meaning. An installation is no person, so there is no ID token about it. */
export function checkAccessType(params: Parameters): void {
  const { access_type: asked } = params
  if (asked === undefined || asked === 'online') return
  if (asked !== 'offline') throw new errors.InvalidRequest('access_type is online or offline')
  if (asksForOpenId(params))
    throw new errors.InvalidRequest('openid is about a person: ask for it with access_type=online')
}
