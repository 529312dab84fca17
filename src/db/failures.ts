import { StoaError } from '../kernel/index.ts'
import { DbErrors } from './errors.ts'

interface Coded {
  readonly code?: unknown
  readonly originalCode?: unknown
  readonly kind?: unknown
  readonly message?: unknown
  readonly meta?: unknown
  readonly cause?: unknown
  readonly driverAdapterError?: unknown
}

function isObject(value: unknown): value is Coded {
  return typeof value === 'object' && value !== null
}

// An error of the database arrives wrapped in different ways: as the driver's own, as Prisma's with the code in
// `code`, in `meta.code` or in `meta.driverAdapterError.cause.originalCode`, or as the cause of an error of ours.
function* layers(error: unknown, depth = 0): Generator<Coded> {
  if (!isObject(error) || depth > 6) return
  yield error
  yield* layers(error.meta, depth + 1)
  yield* layers(error.driverAdapterError, depth + 1)
  yield* layers(error.cause, depth + 1)
}

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (const { code, originalCode, kind } of layers(error)) {
    if ([code, originalCode, kind].some((value) => typeof value === 'string' && codes.has(value))) return true
  }
  return false
}

// SQLSTATE serialization_failure and deadlock_detected; Prisma's and the adapter's names for them.
const retryable: ReadonlySet<string> = new Set(['40001', '40P01', 'P2034', 'TransactionWriteConflict'])

const unreachable: ReadonlySet<string> = new Set([
  // Our own, whose class Prisma has replaced by its own on the way
  'db.unavailable',
  // SQLSTATE classes 08 and 57P, too_many_connections
  '08000',
  '08001',
  '08003',
  '08006',
  '53300',
  '57P01',
  '57P02',
  '57P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  // Prisma and its adapter
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
  'P2037',
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TooManyConnections',
])

// Failures to which node-postgres, PGlite and Prisma give no code.
const unreachableMessage =
  /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|PGlite is clos|Unable to start a transaction in the given time/

/** Whether running the whole transaction again may succeed: a serialization failure or a deadlock. */
export function isRetryable(error: unknown): boolean {
  return hasCode(error, retryable)
}

/** Whether a unique constraint was violated, however the error came (Prisma's P2002 or SQLSTATE 23505). */
export function isUniqueViolation(error: unknown): boolean {
  return hasCode(error, new Set(['P2002', '23505', 'UniqueConstraintViolation']))
}

function isUnreachable(error: unknown): boolean {
  if (hasCode(error, unreachable)) return true
  for (const { message } of layers(error)) {
    if (typeof message === 'string' && unreachableMessage.test(message)) return true
  }
  return false
}

/** A database that does not answer becomes `db.unavailable` (503 with Retry-After); anything else stays as it is. */
export function toDbError(error: unknown): unknown {
  if (error instanceof StoaError || !isUnreachable(error)) return error
  return DbErrors.unavailable(undefined, { cause: error, headers: { 'retry-after': '2' } })
}
