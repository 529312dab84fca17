import type { Clock, ErrorFactory, Queries, Random, Transaction } from '../kernel/index.ts'
import type { MerchantUse } from './access-record.ts'
import type { BoundType, BoundUse } from './bound.ts'
import type { Caller } from './caller.ts'
import type { Schema } from './schema.ts'

/** A text for people, in both languages; written, not machine-translated. */
export interface Localized {
  readonly en: string
  readonly 'zh-CN': string
}

/** Who an operation is for; decides its path prefix and how its caller signs in. */
export type Audience = 'app' | 'developer' | 'merchant' | 'reviewer' | 'host' | 'account' | 'public'

/** What the caller must have. Roles are listed, not ranked: what is not named here is refused. */
export type Access =
  /** A token of an installation whose grant holds the scope, and the further ones. */
  | { readonly kind: 'scope'; readonly scope: string; readonly further?: readonly string[] }
  /** Any token of an installation (its own storage, its own grant). */
  | { readonly kind: 'installation' }
  /** Any token of the app, client credentials included. */
  | { readonly kind: 'app' }
  | { readonly kind: 'publisher'; readonly roles: readonly PublisherRole[] }
  | { readonly kind: 'merchant'; readonly roles: readonly MerchantRole[] }
  | { readonly kind: 'staff'; readonly roles: readonly StaffRole[] }
  /** Anyone signed in. */
  | { readonly kind: 'person' }
  | { readonly kind: 'host' }
  | { readonly kind: 'public' }

/** Every scope that a caller must hold. */
export function scopesOf(access: Access): readonly string[] {
  return access.kind === 'scope' ? [access.scope, ...(access.further ?? [])] : []
}

export type PublisherRole = 'owner' | 'developer' | 'viewer' | 'ci'
export type MerchantRole = 'owner' | 'manager' | 'staff'
export type StaffRole = 'reviewer' | 'operator'

export interface NewEvent {
  readonly type: string
  readonly merchantId: string
  readonly subject: string
  readonly data: unknown
  /** When it happened; now, when absent. */
  readonly occurredAtMs?: number
  /** The publisher's own id: the same source and id is the same event. */
  readonly externalId?: string
  readonly source?: string
}

/** Writes the event in the operation's transaction; gives its id. */
export type Publish = (event: NewEvent) => Promise<string>

interface ContextBase<I> {
  readonly caller: Caller
  /** Publishers or merchants in which the caller's role allows this operation: the first condition of every query. */
  readonly tenantIds: readonly string[]
  readonly input: I
  /** The raw body of an operation with `binaryInput`; empty otherwise. */
  readonly body: Uint8Array
  readonly via: Via
  readonly requestId: string
  readonly clock: Clock
  readonly random: Random
  /**
   * For the access record: whose data this is about, where neither the caller nor the input's merchantId says it, and
   * whether it turned out to be personal, where the operation's `personalData` cannot know.
   */
  concerns(merchantId: string, found?: { readonly personal: boolean }): void
  /**
   * For an answer about several merchants: what it shows of whose data. Each gets an access record of its own instead
   * of one for the whole; when nothing was shown of anybody's, there is none.
   */
  shows(uses: readonly MerchantUse[]): void
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal
}

export type Via = 'rest' | 'sandbox' | 'console'

/** A read runs without a transaction. */
export interface ReadContext<I> extends ContextBase<I> {
  readonly queries: Queries
}

/** A write's rows, events, idempotency row and access record commit together. */
export interface WriteContext<I, P = unknown> extends ContextBase<I> {
  readonly tx: Transaction
  readonly publish: Publish
  /** What `prepare` returned. */
  readonly prepared: P
}

export type OperationKind = 'read' | 'write'

export interface BinaryInput {
  readonly mediaTypes: readonly string[]
  readonly bytesMax: number
}

export interface OperationDefinition<K extends OperationKind, I, O, P> {
  /** `noun.verb`, unique. */
  readonly id: string
  readonly summary: string
  readonly description?: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `{name}` stands for the input member of that name. */
  readonly path: string
  readonly audience: Audience
  readonly access: Access
  readonly kind: K
  /** An object. Members in the path come from there, the others from the query (GET, DELETE, binary) or the JSON body. */
  readonly input: Schema<I>
  readonly binaryInput?: BinaryInput
  readonly output: Schema<O>
  readonly status?: 200 | 201 | 202 | 204
  /** How long anybody may keep a public answer; without it nobody keeps one. */
  readonly cacheMs?: number
  /** What it may refuse with, besides what the door itself refuses with. */
  readonly errors: readonly ErrorFactory[]
  /** The authorization details that limit it; only for the audience app. */
  readonly bounds?: readonly BoundUse[]
  /** Its name below `stoa.<capability>` in the sandbox; only for the audience app. */
  readonly hostFunction?: string
  /** Whether this caller's answer holds personal data of the merchant's customers: it then waits for its access record. */
  readonly personalData?: (caller: Caller) => boolean
  /**
   * Slow work without the database's lock (hashing, unpacking, sending), done before the transaction opens. A request
   * repeated with its Idempotency-Key is not prepared again.
   */
  readonly prepare?: (context: ReadContext<I>) => Promise<P>
  readonly handle: (context: K extends 'write' ? WriteContext<I, P> : ReadContext<I>) => Promise<O>
}

/** A declared operation, its types erased: the list is heterogeneous, each member was checked where it was defined. */
export interface Operation
  extends Omit<OperationDefinition<OperationKind, unknown, unknown, unknown>, 'handle' | 'prepare'> {
  readonly prepare?: (context: ReadContext<never>) => Promise<unknown>
  readonly handle: (context: never) => Promise<unknown>
}

/** Declares one callable thing; REST route, OpenAPI, host function and types derive from it. */
export function defineOperation<const K extends OperationKind, I, O, P = undefined>(
  definition: OperationDefinition<K, I, O, P>,
): Operation {
  return definition as unknown as Operation
}

export type DataCategory = 'orders' | 'customers' | 'products' | 'settings' | 'app-data'
/** basic: no personal data · protected: business data · private: customers' personal data. */
export type Sensitivity = 'basic' | 'protected' | 'private'

export interface Scope {
  /** `noun:verb`. The verb `read` only reads; every other one changes something. */
  readonly name: string
  /** Three to five words for lists. */
  readonly title: Localized
  /** The sentence of the consent page: what the app will be able to do. */
  readonly consent: Localized
  /** What of the data it shows or changes, each in two or three words: what a person unfolds on the consent page. */
  readonly fields?: readonly Localized[]
  readonly dataCategory: DataCategory
  readonly sensitivity: Sensitivity
}

export interface EventType {
  /** `noun.past_participle` */
  readonly type: string
  readonly version: number
  readonly summary: Localized
  /** The scope an installation needs to get it at all; null: every installation of a subscribed app gets it. */
  readonly scope: string | null
  /** merchant: every app of the merchant that may see it. installation: only the installation that `subject` names. */
  readonly addressedTo: 'merchant' | 'installation'
  /** What `subject` names. */
  readonly subject: string
  /** Where an app reads the present state of what the event is about: `/v1/orders/{subject}`. Null: nowhere. */
  readonly resourcePath: string | null
  readonly data: Schema<unknown>
  /** Top-level members of `data` that a further scope reveals; without it they are left out. */
  readonly fieldScopes: Readonly<Record<string, string>>
  readonly example: unknown
}

/** Declares one event type; catalogue, validation and the webhook's body derive from it. */
export function defineEventType<T>(
  definition: Omit<EventType, 'data' | 'example' | 'fieldScopes' | 'addressedTo' | 'resourcePath'> & {
    readonly addressedTo?: EventType['addressedTo']
    readonly resourcePath?: string
    readonly data: Schema<T>
    readonly example: T
    readonly fieldScopes?: { readonly [K in keyof T & string]?: string }
  },
): EventType {
  const fieldScopes = { ...definition.fieldScopes } as Readonly<Record<string, string>>
  return { addressedTo: 'merchant', resourcePath: null, ...definition, fieldScopes }
}

/** A named group of operations, event types, scopes and types of authorization details. */
export interface Capability {
  readonly id: string
  readonly summary: string
  readonly scopes: readonly Scope[]
  readonly boundTypes: readonly BoundType[]
  readonly eventTypes: readonly EventType[]
  readonly operations: readonly Operation[]
}

/** Declares a group; what it does not have may be left out. */
export function defineCapability(
  definition: Pick<Capability, 'id' | 'summary' | 'operations'> &
    Partial<Pick<Capability, 'scopes' | 'eventTypes' | 'boundTypes'>>,
): Capability {
  return { scopes: [], eventTypes: [], boundTypes: [], ...definition }
}
