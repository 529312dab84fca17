import type { Db } from '../db/index.ts'
import type { Bound } from '../kernel/index.ts'
import { clearLeases, releaseLease, renewLease, takeLease } from './drain/lease/store.ts'
import { recordBatches } from './drain/record/store.ts'
import { findNextDue, listDue, listDueStreams, replaceBody } from './drain/store.ts'
import {
  advanceStreams,
  hasUnrelayed,
  insertBodies,
  insertDeliveries,
  listSubscriptions,
  listUnrelayed,
  markRelayed,
  tryRelayLock,
} from './relay/store.ts'
import { findEvent, listRules } from './store.ts'

/** What the event path does in one transaction. */
export interface EventTransaction {
  readonly tryRelayLock: Bound<typeof tryRelayLock>
  readonly listUnrelayed: Bound<typeof listUnrelayed>
  readonly listSubscriptions: Bound<typeof listSubscriptions>
  readonly advanceStreams: Bound<typeof advanceStreams>
  readonly insertBodies: Bound<typeof insertBodies>
  readonly insertDeliveries: Bound<typeof insertDeliveries>
  readonly markRelayed: Bound<typeof markRelayed>
  readonly replaceBody: Bound<typeof replaceBody>
}

/**
 * The rows as relay and drains know them. The database's store functions, which say what each member does, or the model
 * of test/simulation; test/contract/event-store.contract.ts holds the two equal.
 */
export interface EventStore {
  readonly hasUnrelayed: Bound<typeof hasUnrelayed>
  readonly listRules: Bound<typeof listRules>
  readonly listDueStreams: Bound<typeof listDueStreams>
  readonly findNextDue: Bound<typeof findNextDue>
  readonly listDue: Bound<typeof listDue>
  readonly findEvent: Bound<typeof findEvent>
  readonly takeLease: Bound<typeof takeLease>
  readonly renewLease: Bound<typeof renewLease>
  readonly releaseLease: Bound<typeof releaseLease>
  readonly clearLeases: Bound<typeof clearLeases>
  readonly recordBatches: Bound<typeof recordBatches>
  /** As `Db.tx`: it may be run again, so it must do nothing else. */
  tx<T>(work: (tx: EventTransaction) => Promise<T>): Promise<T>
}

/** The store on the database. */
export function makeEventStore({ queries: q, tx }: Pick<Db, 'queries' | 'tx'>): EventStore {
  return {
    hasUnrelayed: () => hasUnrelayed(q),
    listRules: (nowMs) => listRules(q, nowMs),
    listDueStreams: (search) => listDueStreams(q, search),
    findNextDue: (streamId, nowMs) => findNextDue(q, streamId, nowMs),
    listDue: (streamId, search) => listDue(q, streamId, search),
    findEvent: (merchantId, eventId) => findEvent(q, merchantId, eventId),
    takeLease: (streamId, lease) => takeLease(q, streamId, lease),
    renewLease: (streamId, lease) => renewLease(q, streamId, lease),
    releaseLease: (streamId, lease) => releaseLease(q, streamId, lease),
    clearLeases: () => clearLeases(q),
    recordBatches: (batches) => recordBatches(q, batches),
    tx: (work) =>
      tx((t) =>
        work({
          tryRelayLock: (shard) => tryRelayLock(t, shard),
          listUnrelayed: (bounds) => listUnrelayed(t, bounds),
          listSubscriptions: (merchantIds, search) => listSubscriptions(t, merchantIds, search),
          advanceStreams: (streamIds, counts, nowMs) => advanceStreams(t, streamIds, counts, nowMs),
          insertBodies: (bodies) => insertBodies(t, bodies),
          insertDeliveries: (rows, nowMs) => insertDeliveries(t, rows, nowMs),
          markRelayed: (eventIds, nowMs) => markRelayed(t, eventIds, nowMs),
          replaceBody: (streamId, change) => replaceBody(t, streamId, change),
        }),
      ),
  }
}
