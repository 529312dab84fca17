import { AsyncLocalStorage } from 'node:async_hooks'
import { type Logger, pino } from 'pino'

/** One wide line per unit of work: `log.info({ eventId, durationMs }, 'delivery.attempted')`. */
export type Log = Logger

/** The request that a unit of work belongs to. */
export interface RequestContext {
  readonly requestId: string
  /** Network address of whoever sent it, as far as the proxies in front are trusted. */
  readonly clientAddress: string
}

const context = new AsyncLocalStorage<RequestContext>()

/** Runs `fn` so that every line written below it carries the request id. */
export function withRequest<T>(request: RequestContext, fn: () => T): T {
  return context.run(request, fn)
}

/** The request id of the unit of work this runs in, if any. */
export function currentRequestId(): string | undefined {
  return context.getStore()?.requestId
}

/** The address of the client whose request runs now; `local` outside any request. */
export function currentClientAddress(): string {
  return context.getStore()?.clientAddress ?? 'local'
}

// Secrets travel in these members; they are never written, wherever in a line they stand.
const secretPaths = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'client_secret',
  'access_token',
  'refresh_token',
]

/** A JSON line logger. Level from the caller; secrets are redacted. */
export function makeLog(options: {
  readonly level: string
  readonly name?: string
  readonly toStderr?: boolean
}): Log {
  return pino(
    {
      level: options.level,
      name: options.name ?? 'stoa',
      mixin: () => ({ requestId: currentRequestId() }),
      redact: {
        paths: secretPaths.flatMap((path) => [path, `*.${path}`, `*.*.${path}`]),
        censor: '[secret]',
      },
    },
    pino.destination({ fd: options.toStderr === true ? 2 : 1, sync: true }),
  )
}
