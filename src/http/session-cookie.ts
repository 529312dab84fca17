import type { CookieOptions, Request, Response } from 'express'
import { hmacSha256, isWellFormedToken, limits, mintToken, type Random, safeEqual } from '../kernel/index.ts'
import { readCookie } from './request.ts'

export const sessionCookieName = 'stoa_session'
/** Binds the sign-in form to one browser before there is a session. */
const visitorCookieName = 'stoa_visitor'

/** Holds the half of a sign-in that is done, sealed; only the pages of signing in get it. */
const stepCookieName = 'stoa_sign_in'

export interface Csrf {
  /** The token for pages and scripts of the browser that holds this cookie value. */
  tokenFor(cookie: string): string
  matches(cookie: string, token: unknown): boolean
}

/** Tokens are a HMAC of the cookie: nothing to store, and one browser's token is worth nothing in another. */
export function makeCsrf(key: Uint8Array): Csrf {
  const tokenFor = (cookie: string) => hmacSha256(key, cookie).toString('base64url')
  return {
    tokenFor,
    matches: (cookie, token) => typeof token === 'string' && safeEqual(tokenFor(cookie), token),
  }
}

function cookieOptions(secure: boolean): CookieOptions {
  return { httpOnly: true, sameSite: 'lax', path: '/', secure }
}

export function setSessionCookie(response: Response, value: string, secure: boolean): void {
  response.cookie(sessionCookieName, value, { ...cookieOptions(secure), maxAge: limits.sessionMs })
}

export function clearSessionCookie(response: Response, secure: boolean): void {
  response.clearCookie(sessionCookieName, cookieOptions(secure))
}

const stepCookiePath = '/sign-in'

/** The step this browser is in; empty when it is in none. */
export function readStepCookie(request: Request): string {
  return readCookie(request, stepCookieName) ?? ''
}

export function setStepCookie(response: Response, value: string, secure: boolean): void {
  const maxAge = limits.secondFactorMs
  response.cookie(stepCookieName, value, { ...cookieOptions(secure), path: stepCookiePath, maxAge })
}

export function clearStepCookie(response: Response, secure: boolean): void {
  response.clearCookie(stepCookieName, { ...cookieOptions(secure), path: stepCookiePath })
}

/** The cookie this browser's CSRF tokens are bound to; a visitor without one gets one. */
export function csrfCookieOf(request: Request, response: Response, random: Random, secure: boolean): string {
  const existing = [sessionCookieName, visitorCookieName]
    .map((name) => readCookie(request, name))
    .find((value) => value !== null && isWellFormedToken('session', value))
  if (existing !== undefined && existing !== null) return existing
  const value = mintToken('session', random)
  response.cookie(visitorCookieName, value, cookieOptions(secure))
  return value
}
