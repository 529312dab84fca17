import type { AttemptRecord } from '../../src/events/drain/record/store.ts'
import type { DueDelivery } from '../../src/events/drain/store.ts'
import type { EventStore } from '../../src/events/event-store.ts'
import type { EndpointStore } from '../../src/webhooks/state/endpoint-store.ts'
import type { Row, Rows } from './rows.ts'

/** What came of sending a delivery once more by a person's word. */
export interface SentAgain {
  readonly delivery: DueDelivery
  readonly delivered: boolean
  readonly attempt: NonNullable<AttemptRecord['attempt']>
  readonly replayId: string
}

/** What people and the host do to the rows, each in one transaction. */
export interface People {
  /** In a transaction that commits or rolls back. */
  publish(event: Row<'event'>, commits: boolean): Promise<void>
  pause(endpoint: Row<'endpoint'>, nowMs: number): Promise<void>
  resume(endpoint: Row<'endpoint'>, nowMs: number): Promise<void>
  /** The installation ends with its grant and its subscriptions. */
  uninstall(installation: Row<'installation'>, nowMs: number): Promise<void>
  /** The grant holds these scopes from now on. */
  narrow(installation: Row<'installation'>, granted: readonly string[]): Promise<void>
  addRule(rule: Row<'rule'>): Promise<void>
  liftRules(nowMs: number): Promise<void>
  /** Whether it was waiting to be sent. */
  skip(streamId: string, delivery: { readonly deliveryId: string; readonly nowMs: number }): Promise<boolean>
  findAgain(streamId: string, deliveryId: string): Promise<DueDelivery | null>
  recordAgain(sent: SentAgain, nowMs: number): Promise<void>
}

/** The rows and everything that the event path and people do to them: in memory or in a database. */
export interface World {
  /** A transaction leaves nobody else to the database until it ends, as on PGlite. */
  readonly exclusive: boolean
  readonly events: EventStore
  readonly endpoints: EndpointStore
  readonly people: People
  rows(): Promise<Rows>
}
