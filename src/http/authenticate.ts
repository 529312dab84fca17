import type { Request } from 'express'
import { type Caller, CapabilityErrors, type PersonCaller } from '../capability/index.ts'
import { isWellFormedToken, type StoaError, safeEqual } from '../kernel/index.ts'
import type { Presented } from '../oauth/index.ts'
import { type ChallengeDependencies, isAppAddress, type Scheme, schemeOf } from './challenge.ts'
import { HttpErrors } from './errors.ts'
import { readCookie } from './request.ts'
import { type Csrf, sessionCookieName } from './session-cookie.ts'

/** How credentials become callers; the parts are passed in. */
export interface Authenticators {
  readonly hostKey: string
  /** Origin by which the world reaches this server: DPoP proofs are made for it, whatever Host says. */
  readonly publicUrl: string
  /** Who presents this access token; null: nobody any more. Throws when its proof does not fit. */
  accessToken(token: string, presented: Presented | null): Promise<Caller | null>
  /** Whom the token was given to, for a connection at whose beginning it was presented. */
  accessTokenHolder(token: string): Promise<Caller | null>
  personalToken(token: string): Promise<PersonCaller | null>
  session(cookie: string): Promise<PersonCaller | null>
  readonly challenge: ChallengeDependencies
  readonly csrf: Csrf
}

/** What is looked at of a request; an upgrade to a WebSocket has no more. */
export type Asked = Pick<Request, 'method' | 'path' | 'headers'>

const anonymous: Caller = { kind: 'anonymous' }

/** The token of the Authorization header and how it came. */
export interface Credential {
  readonly scheme: Scheme
  /** Empty when there is none in the header. */
  readonly token: string
}

/** Null without the header. */
export function credentialOf(request: Asked): Credential | null {
  const scheme = schemeOf(request)
  if (scheme === null) return null
  const match = /^(?:Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.authorization ?? '')
  return { scheme, token: match?.[1] ?? '' }
}

/** The value of a session cookie that can be one; null: none. */
export function sessionCookieOf(request: Pick<Asked, 'headers'>): string | null {
  const cookie = readCookie(request, sessionCookieName)
  return cookie !== null && isWellFormedToken('session', cookie) ? cookie : null
}

/** Whether the request brings something that is to be looked up. */
export function presentsCredential(request: Asked): boolean {
  if (request.headers.authorization !== undefined) return true
  return !isAppAddress(request) && !isHostAddress(request) && sessionCookieOf(request) !== null
}

function isHostAddress({ path }: Pick<Asked, 'path'>): boolean {
  return path.startsWith('/host/v1/')
}

function refused(): StoaError {
  // RFC 6750 §3.1: "invalid_token: The access token provided is expired, revoked, malformed, or invalid".
  return CapabilityErrors.unauthenticated('the token is unknown, expired or revoked')
}

/** RFC 9449 §4.1: the proof stands in a header of its own. Two of them Node joins by a comma, and that is no JWT. */
function presentedBy(request: Asked, publicUrl: string): Presented {
  const { dpop } = request.headers
  const proof = Array.isArray(dpop) ? dpop.join(', ') : dpop
  return { proof, method: request.method, url: `${publicUrl}${request.path}` }
}

async function bySession(request: Asked, authenticators: Authenticators): Promise<Caller> {
  const cookie = sessionCookieOf(request)
  if (cookie === null) return anonymous
  const person = await authenticators.session(cookie)
  if (person === null) return anonymous
  const writes = request.method !== 'GET' && request.method !== 'HEAD'
  if (writes && !authenticators.csrf.matches(cookie, request.headers['x-csrf-token']))
    throw HttpErrors.csrf_refused()
  return person
}

/**
 * Who calls, by the address: access tokens under /v1, the host key under /host/v1, a personal token or the session
 * cookie elsewhere. A cookie never counts on a Bearer address, and a wrong token is an error, never nobody.
 */
export async function authenticate(request: Asked, authenticators: Authenticators): Promise<Caller> {
  const credential = credentialOf(request)
  if (isAppAddress(request)) return byAccessToken(request, credential, authenticators)
  const isHost = isHostAddress(request)
  if (credential === null) return isHost ? anonymous : bySession(request, authenticators)
  // Only access tokens are bound to keys.
  const token = credential.scheme === 'Bearer' ? credential.token : ''
  const caller = isHost ? byHostKey(token, authenticators) : await byPersonalToken(token, authenticators)
  if (caller === null) throw refused()
  return caller
}

async function byAccessToken(
  request: Asked,
  credential: Credential | null,
  authenticators: Authenticators,
): Promise<Caller> {
  if (credential === null) return anonymous
  const { scheme, token } = credential
  if (!isWellFormedToken('accessToken', token)) throw refused()
  const presented = scheme === 'DPoP' ? presentedBy(request, authenticators.publicUrl) : null
  const caller = await authenticators.accessToken(token, presented)
  if (caller === null) throw refused()
  return caller
}

function byHostKey(token: string, { hostKey }: Authenticators): Caller | null {
  return token !== '' && safeEqual(token, hostKey) ? { kind: 'host' } : null
}

async function byPersonalToken(token: string, { personalToken }: Authenticators): Promise<Caller | null> {
  return isWellFormedToken('personalToken', token) ? personalToken(token) : null
}
