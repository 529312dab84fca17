import type { EventStore, EventTransaction } from '../../src/events/event-store.ts'
import { newId } from '../../src/kernel/index.ts'
import type { EndpointStore, EndpointTransaction } from '../../src/webhooks/state/endpoint-store.ts'
import * as due from './row-due.ts'
import * as endpoints from './row-endpoints.ts'
import * as events from './row-events.ts'
import { peopleOfRows } from './row-people.ts'
import { copyRows, type Rows } from './rows.ts'
import type { World } from './world.ts'

/** One transaction: reads what is committed until it writes, and from then on its own draft. */
interface Draft {
  read(): Rows
  write(): Rows
}

/** Does `work` in its own turn, as a statement does: what it throws is a rejection. */
async function statement<T>(work: () => T): Promise<T> {
  return work()
}

function eventTransaction({ read, write }: Draft, tryLock: () => boolean): EventTransaction {
  return {
    tryRelayLock: () => statement(tryLock),
    listUnrelayed: (bounds) => statement(() => events.listUnrelayed(read(), bounds)),
    listSubscriptions: (ids, search) => statement(() => events.listSubscriptions(read(), ids, search)),
    advanceStreams: (ids, counts, nowMs) =>
      statement(() => events.advanceStreams(write(), ids, counts, nowMs)),
    insertBodies: (bodies) => statement(() => events.insertBodies(write(), bodies)),
    insertDeliveries: (rows, nowMs) => statement(() => events.insertDeliveries(write(), rows, nowMs)),
    markRelayed: (ids, nowMs) => statement(() => events.markRelayed(write(), ids, nowMs)),
    replaceBody: (streamId, to) => statement(() => events.replaceBody(write(), streamId, to)),
  }
}

function endpointTransaction({ write }: Draft): EndpointTransaction {
  return {
    lockStream: (streamId) => statement(() => events.lockStream(write(), streamId)),
    leaveToPull: (streamId) => statement(() => events.leaveToPull(write(), streamId)),
    markPaused: (tried, to) => statement(() => endpoints.markPaused(write(), tried, to)),
    markResumed: (tried, nowMs) => statement(() => endpoints.markResumed(write(), tried, nowMs)),
    markStopped: (tried, reason) => statement(() => endpoints.markStopped(write(), tried, reason)),
    notifyPublisher: (publisherId, { kind }, ids) =>
      statement(() => {
        const id = newId('notice', ids)
        write().notice.set(id, { id, publisher_id: publisherId, kind })
      }),
  }
}

/**
 * The event path's rows in memory. Statements happen at once and as a whole. One transaction writes at a time, a coarse
 * form of the database's row locks: whoever calls must not let a second one write before the first has ended.
 */
export function makeRowModel(start: Rows): World {
  let committed = start
  let writer: Draft | null = null
  let relay: Draft | null = null

  function beginDraft() {
    let own: Rows | null = null
    const draft: Draft = {
      read: () => own ?? committed,
      write() {
        if (writer !== null && writer !== draft) throw new Error('invariant broken: two transactions write')
        writer = draft
        own ??= copyRows(committed)
        return own
      },
    }
    const end = (commits: boolean) => {
      if (commits && own !== null) committed = own
      if (writer === draft) writer = null
      if (relay === draft) relay = null
    }
    return { draft, end }
  }

  async function inDraft<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    const { draft, end } = beginDraft()
    let commits = false
    try {
      const result = await work(draft)
      commits = true
      return result
    } finally {
      end(commits)
    }
  }

  const read = () => committed
  function write(): Rows {
    if (writer !== null) throw new Error('invariant broken: a statement writes beside a transaction')
    return committed
  }
  const tryLock = (draft: Draft) => () => {
    relay ??= draft
    return relay === draft
  }

  const eventStore: EventStore = {
    hasUnrelayed: () =>
      statement(() => events.listUnrelayed(read(), { eventsMax: 1, bytesMax: 1 }).events.length > 0),
    listRules: (nowMs) => statement(() => due.listRules(read(), nowMs)),
    listDueStreams: (search) => statement(() => due.listDueStreams(read(), search)),
    findNextDue: (streamId, nowMs) => statement(() => due.findNextDue(read(), streamId, nowMs)),
    listDue: (streamId, search) => statement(() => due.listDue(read(), streamId, search)),
    findEvent: (merchantId, eventId) => statement(() => events.findEvent(read(), merchantId, eventId)),
    takeLease: (streamId, lease) => statement(() => events.takeLease(write(), streamId, lease)),
    renewLease: (streamId, lease) => statement(() => events.renewLease(write(), streamId, lease)),
    releaseLease: (streamId, lease) => statement(() => events.releaseLease(write(), streamId, lease)),
    clearLeases: () => statement(() => events.clearLeases(write())),
    recordBatches: (batches) => statement(() => events.recordBatches(write(), batches)),
    tx: (work) => inDraft((draft) => work(eventTransaction(draft, tryLock(draft)))),
  }
  const endpointStore: EndpointStore = {
    findReceiver: (streamId, nowMs) => statement(() => endpoints.findReceiver(read(), streamId, nowMs)),
    noteHealth: (tried, health) => statement(() => endpoints.noteHealth(write(), tried, health)),
    postponeProbe: (tried, probe) => statement(() => endpoints.postponeProbe(write(), tried, probe)),
    tx: (work) => inDraft((draft) => work(endpointTransaction(draft))),
  }
  return {
    exclusive: false,
    events: eventStore,
    endpoints: endpointStore,
    people: peopleOfRows({ read, write }),
    rows: () => Promise.resolve(committed),
  }
}
