import type { Transaction } from '../kernel/index.ts'
import type { InstallationCaller } from './caller.ts'
import type { Localized } from './define.ts'
import type { Schema } from './schema.ts'

/**
 * One authorization detail. RFC 9396 §2: "an array of JSON objects … with each JSON object containing the data to
 * specify the authorization requirements for a certain type of resource".
 */
export interface AuthorizationDetail {
  readonly type: string
  readonly [member: string]: unknown
}

/** What a call adds to one counter of its installation. */
export interface Charge {
  /** What is counted, unique below the installation: `refund.day.CNY.2026-11-22`. */
  readonly key: string
  readonly amount: number
  /** The sum may become this much and no more. */
  readonly limit: number
  /** When nothing can be counted there any more; null: never. */
  readonly expiresAtMs: number | null
}

/** What a grant's details say about one use. */
export type BoundVerdict =
  | {
      readonly kind: 'within'
      readonly charges: readonly Charge[]
      /** The call acts at this merchant instead of the installation's own. */
      readonly merchantId?: string
    }
  | { readonly kind: 'outside'; readonly detail: string }

interface BoundTypeDefinition<D, U> {
  readonly type: string
  /** The scope it limits; null: it is about no single scope. */
  readonly scope: string | null
  /**
   * limit: binds also whoever does not ask for it, when the manifest declares it. reach: opens something, to those
   * alone who ask for it.
   */
  readonly kind: 'limit' | 'reach'
  readonly detail: Schema<D>
  /** What both allow; null: they have nothing in common. */
  meet(one: D, other: D): D | null
  /** limit: what allows nothing at all, for two details that have nothing in common. */
  nothing?(detail: D): D
  /** Whether `asked` wants nothing that `allowed` does not give. What it leaves out it does not want. */
  covers(allowed: D, asked: D): boolean
  /** Ids in the detail for which people need names. */
  idsOf(detail: D): readonly string[]
  /** Three to five words above the sentence. */
  readonly title: Localized
  /** The sentence of the consent page. */
  sentence(detail: D, nameOf: (id: string) => string): Localized
  /** What the details of this type say about one use; an empty list: the grant has none. */
  check(details: readonly D[], use: U, nowMs: number): BoundVerdict
}

declare const useType: unique symbol

/** One type of authorization detail; its types erased: the list is heterogeneous, each was checked where it was defined. */
export interface BoundType extends BoundTypeDefinition<AuthorizationDetail, unknown> {
  readonly [useType]?: unknown
}

/** Declares a type of authorization detail: how two compare, what they allow, and the words for people. */
export function defineBoundType<D extends AuthorizationDetail, U>(
  definition: BoundTypeDefinition<D, U>,
): BoundType & { readonly [useType]?: U } {
  return definition as unknown as BoundType & { readonly [useType]?: U }
}

/** What in an operation's input a type of detail is about. */
export interface BoundUse {
  readonly type: BoundType
  /** Null: this call has nothing to do with it. */
  readonly useOf: (input: unknown) => unknown
}

/** Says that an operation is bound by authorization details of this type. */
export function boundBy<U, I>(
  type: BoundType & { readonly [useType]?: U },
  useOf: (input: I) => U | null,
): BoundUse {
  return { type, useOf: useOf as (input: unknown) => unknown }
}

/** A charge for which too little is left. */
export interface Exceeded {
  readonly charge: Charge
  /** What the limit still allows. */
  readonly left: number
}

/** Keeps what installations have used of their bounds. */
export interface BoundCounters {
  /**
   * Adds every charge; null when all fit. Otherwise the transaction must be rolled back. Two at once wait for each
   * other, so that together they cannot go beyond a limit.
   */
  spend(
    tx: Transaction,
    owner: Pick<InstallationCaller, 'merchantId' | 'installationId'>,
    charges: readonly Charge[],
  ): Promise<Exceeded | null>
}
