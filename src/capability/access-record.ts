import { idPattern, StoaError, type Transaction } from '../kernel/index.ts'
import type { Caller } from './caller.ts'
import type { Via } from './define.ts'

/** One use of a capability, whatever its outcome. */
export interface AccessRecord {
  readonly caller: Caller
  readonly operation: string
  readonly via: Via
  /** Whose data, when the input or the caller says so. */
  readonly merchantId: string | null
  readonly outcome: 'ok' | 'denied' | 'failed'
  readonly code: string | null
  /** Rows the answer held: the length of a page, 1 for a thing, 0 for nothing. */
  readonly rows: number
  readonly personal: boolean
  readonly requestId: string
  readonly atMs: number
  readonly durationMs: number
}

/** What an answer shows of one merchant's data. */
export interface MerchantUse {
  readonly merchantId: string
  readonly rows: number
  readonly personal: boolean
}

export interface Recorder {
  /** In the operation's own transaction. */
  record(tx: Transaction, record: AccessRecord): Promise<void>
  /**
   * By group commit; resolves when the record is durable.
   * @throws kernel.unavailable at once when too many wait already: the call must not go on without its record
   */
  buffer(record: AccessRecord): Promise<void>
}

/** Rows an answer holds. */
export function rowsOf(output: unknown): number {
  if (output === undefined || output === null) return 0
  if (typeof output === 'object' && 'data' in output && Array.isArray(output.data)) return output.data.length
  return 1
}

const merchantIdForm = new RegExp(idPattern('merchant'))

/**
 * The merchant that the call's own input names: nobody's when it is no id, or one at which this person is nobody.
 * What strangers try stays out of a merchant's log.
 */
function namedMerchant(caller: Caller, input: unknown): string | null {
  if (typeof input !== 'object' || input === null || !('merchantId' in input)) return null
  const { merchantId } = input
  if (typeof merchantId !== 'string' || !merchantIdForm.test(merchantId)) return null
  return caller.kind === 'person' && !caller.merchants.has(merchantId) ? null : merchantId
}

/** Whose data a call is about: the installation's merchant, the one its input names, or the one `concerns` told. */
export function merchantOf(caller: Caller, input: unknown, concerned: string | null): string | null {
  if (caller.kind === 'app') return caller.installation?.merchantId ?? null
  return concerned ?? namedMerchant(caller, input)
}

/** How a failed call is recorded. */
export function refusalOf(error: unknown): Pick<AccessRecord, 'outcome' | 'code' | 'rows'> {
  if (!(error instanceof StoaError)) return { outcome: 'failed', code: 'kernel.unexpected', rows: 0 }
  const denied = error.status === 401 || error.status === 403
  return { outcome: denied ? 'denied' : 'failed', code: error.code, rows: 0 }
}
