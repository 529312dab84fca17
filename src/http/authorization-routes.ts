import type { NextFunction, Request, Response } from 'express'
import { StoaError } from '../kernel/index.ts'
import type { Meter } from './quota/meter.ts'
import { isFromAnotherSite } from './request.ts'

export interface AuthorizationRoutes {
  readonly authorizationServer: { handle(request: Request, response: Response): void }
  readonly meter: Meter
}

/** Addresses at which programs prove who they are; there a mistake is answered as OAuth says. */
function takesCredentials({ method, path }: Request): boolean {
  return (method === 'POST' && path.startsWith('/oauth/')) || path === '/oauth/userinfo'
}

/**
 * Whether the request may be somebody else's doing: a page that a browser in the same network has open can send forms and
 * plain requests anywhere, and no browser is a client here. Without a credential there is nothing to guess, either.
 */
function isNobodysAttempt(request: Request): boolean {
  const { headers, path } = request
  if (headers.origin !== undefined || isFromAnotherSite(request)) return true
  return path === '/oauth/userinfo' && headers.authorization === undefined
}

/**
 * RFC 6749 §5.2 has no code for too many requests; of those for the authorization endpoint (§4.1.2.1) one says it:
 * "temporarily_unavailable: The authorization server is currently unable to handle the request due to a temporary
 * overloading". The status tells the rest (RFC 6585 §4).
 */
function sendOAuthError(response: Response, error: StoaError): void {
  response
    .status(error.status)
    .set({ 'cache-control': 'no-store', ...error.options.headers })
    .json({ error: 'temporarily_unavailable', error_description: error.message })
}

async function count({ meter }: AuthorizationRoutes, request: Request, response: Response): Promise<void> {
  const address = request.ip ?? ''
  const isForPrograms = takesCredentials(request)
  // What the world may know is cached.
  if (!isForPrograms && !request.path.startsWith('/oauth/authorize')) return
  if (!isForPrograms || isNobodysAttempt(request)) return meter.admitNetwork({ address, response })
  meter.checkNetwork(address)
  // The authorization server counts whoever has proven to be somebody, while it answers. What is left are attempts: they
  // are the network's own, and whom they name does not pay for them.
  response.once('close', () => {
    const { statusCode, writableFinished } = response
    // Who hangs up before the answer has made an attempt all the same.
    const isRefused = !writableFinished || (statusCode >= 400 && statusCode < 500)
    if (isRefused && !meter.isCounted(response)) void meter.noteRefused(address)
  })
}

/** Hands the request to the authorization server unless its sender has no quota left. */
export function serveAuthorization(
  routes: AuthorizationRoutes,
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  count(routes, request, response).then(
    () => routes.authorizationServer.handle(request, response),
    (error: unknown) => {
      if (error instanceof StoaError && takesCredentials(request)) sendOAuthError(response, error)
      else next(error)
    },
  )
}
