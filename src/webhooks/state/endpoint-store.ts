import type { Db } from '../../db/index.ts'
import { leaveToPull, lockStream } from '../../events/index.ts'
import type { Bound, IdSource } from '../../kernel/index.ts'
import { type NoticeData, notifyPublisher } from '../../notices/index.ts'
import { findReceiver } from '../store.ts'
import { markPaused, markResumed, markStopped, noteHealth, postponeProbe } from './store.ts'

export type EndpointNoticeKind = 'endpoint.paused' | 'endpoint.resumed' | 'endpoint.stopped'

/** What changes an endpoint, in one transaction with its notice. */
export interface EndpointTransaction {
  readonly lockStream: Bound<typeof lockStream>
  readonly leaveToPull: Bound<typeof leaveToPull>
  readonly markPaused: Bound<typeof markPaused>
  readonly markResumed: Bound<typeof markResumed>
  readonly markStopped: Bound<typeof markStopped>
  notifyPublisher(
    publisherId: string,
    notice: { readonly kind: EndpointNoticeKind; readonly data: NoticeData[EndpointNoticeKind] },
    ids: IdSource,
  ): Promise<void>
}

/**
 * Endpoints as sending knows them. The database's store functions, or the model of test/simulation;
 * test/contract/event-store.contract.ts holds the two equal.
 */
export interface EndpointStore {
  readonly findReceiver: Bound<typeof findReceiver>
  readonly noteHealth: Bound<typeof noteHealth>
  readonly postponeProbe: Bound<typeof postponeProbe>
  /** As `Db.tx`: it may be run again, so it must do nothing else. */
  tx<T>(work: (tx: EndpointTransaction) => Promise<T>): Promise<T>
}

/** The store on the database. */
export function makeEndpointStore({ queries: q, tx }: Pick<Db, 'queries' | 'tx'>): EndpointStore {
  return {
    findReceiver: (streamId, nowMs) => findReceiver(q, streamId, nowMs),
    noteHealth: (endpoint, health) => noteHealth(q, endpoint, health),
    postponeProbe: (endpoint, probe) => postponeProbe(q, endpoint, probe),
    tx: (work) =>
      tx((t) =>
        work({
          lockStream: (streamId) => lockStream(t, streamId),
          leaveToPull: (streamId) => leaveToPull(t, streamId),
          markPaused: (endpoint, change) => markPaused(t, endpoint, change),
          markResumed: (endpoint, nowMs) => markResumed(t, endpoint, nowMs),
          markStopped: (endpoint, reason) => markStopped(t, endpoint, reason),
          notifyPublisher: (publisherId, notice, ids) => notifyPublisher(t, publisherId, notice, ids),
        }),
      ),
  }
}
