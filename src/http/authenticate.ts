import type { Request } from 'express'
import { type Caller, CapabilityErrors, type PersonCaller } from '../capability/index.ts'
import { isWellFormedToken, type StoaError, safeEqual } from '../kernel/index.ts'
import { HttpErrors } from './errors.ts'
import { readCookie } from './request.ts'
import { type Csrf, sessionCookieName } from './session-cookie.ts'

/** How credentials become callers; the parts are passed in. */
export interface Authenticators {
  readonly hostKey: string
  accessToken(token: string): Promise<Caller | null>
  personalToken(token: string): Promise<PersonCaller | null>
  session(cookie: string): Promise<PersonCaller | null>
  /** RFC 9728 §5.1: the address of the protected resource metadata. */
  readonly resourceMetadataUrl: string
  readonly csrf: Csrf
}

/** What is looked at of a request; an upgrade to a WebSocket has no more. */
export type Asked = Pick<Request, 'method' | 'path' | 'headers'>

const anonymous: Caller = { kind: 'anonymous' }

/** The token of the Authorization header; null without the header, empty when it is no Bearer token. */
export function bearerOf(request: Asked): string | null {
  const header = request.headers.authorization
  if (header === undefined) return null
  const match = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)
  return match?.[1] ?? ''
}

function isAppAddress(request: Asked): boolean {
  return request.path.startsWith('/v1/')
}

/**
 * WWW-Authenticate of a 401. RFC 6750 §3: "If the request lacks any authentication information […], the resource server
 * SHOULD NOT include an error code". RFC 9728 §5.1: an app finds the authorization server by resource_metadata.
 */
export function challengeOf(request: Asked, resourceMetadataUrl: string, error?: 'invalid_token'): string {
  const parameters = [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(isAppAddress(request) ? [`resource_metadata="${resourceMetadataUrl}"`] : []),
  ]
  return parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`
}

function refused(request: Asked, resourceMetadataUrl: string): StoaError {
  return CapabilityErrors.unauthenticated('the token is unknown, expired or revoked', {
    // RFC 6750 §3.1: "invalid_token: The access token provided is expired, revoked, malformed, or invalid".
    headers: { 'www-authenticate': challengeOf(request, resourceMetadataUrl, 'invalid_token') },
  })
}

async function bySession(request: Asked, authenticators: Authenticators): Promise<Caller> {
  const cookie = readCookie(request, sessionCookieName)
  if (cookie === null || !isWellFormedToken('session', cookie)) return anonymous
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
  const token = bearerOf(request)
  const isApp = isAppAddress(request)
  const isHost = request.path.startsWith('/host/v1/')
  if (token === null) return isApp || isHost ? anonymous : bySession(request, authenticators)
  const caller = token === '' ? null : await byToken(token, isApp, isHost, authenticators)
  if (caller === null) throw refused(request, authenticators.resourceMetadataUrl)
  return caller
}

async function byToken(
  token: string,
  isApp: boolean,
  isHost: boolean,
  authenticators: Authenticators,
): Promise<Caller | null> {
  if (isHost) return safeEqual(token, authenticators.hostKey) ? { kind: 'host' } : null
  if (isApp) return isWellFormedToken('accessToken', token) ? authenticators.accessToken(token) : null
  return isWellFormedToken('personalToken', token) ? authenticators.personalToken(token) : null
}
