import type { ErrorRequestHandler, Request, Response } from 'express'
import { CapabilityErrors } from '../capability/index.ts'
import { currentRequestId, KernelErrors, type Log, StoaError, toProblem } from '../kernel/index.ts'
import { HttpErrors } from './errors.ts'

interface HttpError extends Error {
  readonly status: number
  readonly type?: string
}

function isHttpError(error: unknown): error is HttpError {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
}

/** Errors of Express and its body parser in our own terms. */
export function toStoaError(error: unknown): StoaError {
  if (error instanceof StoaError) return error
  if (!isHttpError(error) || error.status >= 500) return KernelErrors.unexpected(undefined, { cause: error })
  if (error.status === 413) return CapabilityErrors.body_too_large(undefined, { cause: error })
  if (error.status === 415) return CapabilityErrors.unsupported_media_type(undefined, { cause: error })
  return HttpErrors.bad_request(error.message, { cause: error })
}

/**
 * The headers that an error brings, and those that its status asks for. `challenge`: what WWW-Authenticate says; null:
 * nothing.
 */
export function errorHeadersOf(error: StoaError, challenge: string | null): Readonly<Record<string, string>> {
  return {
    // RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header field".
    ...(challenge === null ? {} : { 'www-authenticate': challenge }),
    ...(error.status === 503 ? { 'retry-after': '1' } : {}),
    ...error.options.headers,
  }
}

/** Sets them; what the response has already stays, unless the error itself brings it. */
export function setErrorHeaders(response: Response, error: StoaError, challenge: string | null): void {
  for (const [name, value] of Object.entries(errorHeadersOf(error, challenge)))
    if (error.options.headers?.[name] !== undefined || !response.hasHeader(name))
      response.setHeader(name, value)
}

/** Answers application/problem+json (RFC 9457) with the error's headers. */
function sendProblem(response: Response, error: StoaError, challenge: string | null): void {
  setErrorHeaders(response, error, challenge)
  response
    .status(error.status)
    .type('application/problem+json')
    .send(JSON.stringify(toProblem(error, currentRequestId())))
}

/** What is our fault goes to the log with its cause. */
export function logFailure(log: Log, request: Request, known: StoaError, error: unknown): void {
  if (known.status < 500) return
  log.error({ err: error, method: request.method, path: request.path }, 'http.failed')
}

/** The last handler: every error leaves as a problem, and what is our fault goes to the log with its cause. */
export function problemHandler(
  log: Log,
  challenge: (request: Request, error: StoaError) => string | null,
): ErrorRequestHandler {
  return (error: unknown, request: Request, response: Response, next) => {
    const known = toStoaError(error)
    logFailure(log, request, known, error)
    if (response.headersSent) return next(error)
    return sendProblem(response, known, challenge(request, known))
  }
}
