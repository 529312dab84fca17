export { isLoopbackAddress, isPublicAddress } from './address.ts'
export { assert, present, unreachable } from './assert.ts'
export { makeBoundedServer } from './bounded-server.ts'
export {
  type Clock,
  type DbTime,
  monthStartMs,
  parseTime,
  systemClock,
  toDate,
  toIso,
} from './clock.ts'
export {
  deriveKey,
  ed25519KeyOf,
  hashPassword,
  hmacSha256,
  hmacSha256Base64,
  safeEqual,
  seal,
  sha256Hex,
  unseal,
  verifyPassword,
} from './crypto.ts'
export {
  defineErrors,
  type ErrorDefinition,
  type ErrorFactory,
  type InputProblem,
  KernelErrors,
  listErrors,
  StoaError,
} from './errors.ts'
export { makeFolder } from './folder.ts'
export { type HttpClient, type HttpOutcome, makeHttpClient } from './http-client.ts'
export { type IdKind, type IdSource, idPattern, idPrefixes, idTimeMs, newId } from './ids.ts'
export type { Limit } from './limit.ts'
export { limits, limitTable } from './limits.ts'
export { currentClientAddress, currentRequestId, type Log, makeLog, withRequest } from './log.ts'
export { makePlaces, type Places } from './places.ts'
export { type Problem, toProblem } from './problem.ts'
export { type Random, seededRandom, systemRandom } from './random.ts'
export { sleep, systemTimers, type Timers } from './timers.ts'
export { isWellFormedToken, mintToken, type TokenKind, tokenPrefixes } from './token.ts'
export type { Bound, Queries, Transaction } from './transaction.ts'
