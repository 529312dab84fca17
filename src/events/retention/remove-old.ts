import { type Db, readFact, writeFact } from '../../db/index.ts'
import { type Clock, type Log, limits, type Transaction } from '../../kernel/index.ts'
import type { EventCatalog } from '../fan-out.ts'
import { firstBatchRows, nextBatchRows } from './batch-size.ts'
import { typesWithoutPersonalData } from './personal-types.ts'
import {
  expireDeliveries,
  findOldestUnrelayed,
  listStreamsToClear,
  listStreamsToExpire,
  removeBodies,
  removeDeliveries,
  removeEvents,
  removePersonalBodies,
  thinEvents,
  tryThinLock,
} from './store.ts'

export interface RetentionDependencies {
  readonly db: Db
  readonly catalog: EventCatalog
  readonly clock: Clock
  readonly log: Log
  /** Asked between two transactions: the rest is done next time. */
  isStopping(): boolean
}

/** How many rows each step changed. */
export interface Removed {
  /** Events that lost their data. */
  readonly thinned: number
  readonly personalBodies: number
  /** Deliveries that ended because nobody took them in time. */
  readonly expired: number
  readonly deliveries: number
  readonly bodies: number
  readonly events: number
}

// Facts of the platform: how far personal data is gone. Events by seq, bodies by when their event was published.
const thinnedSeqFact = 'events.thinned_seq'
const personalUntilFact = 'events.personal_removed_until'

const hourMs = 60 * 60 * 1000
// Bodies that became visible late, or that a narrower grant had made anew while the last round was at work.
const overlapMs = 24 * hourMs
// How long its developer can still see that a delivery has expired.
const expiredShownMs = 24 * hourMs

/** Runs one step in small transactions until nothing is left. What is done stays done. */
async function inBatches(
  { db, clock, isStopping }: RetentionDependencies,
  run: (tx: Transaction, rowsMax: number) => Promise<{ readonly seen: number; readonly changed: number }>,
): Promise<number> {
  let total = 0
  let rowsMax = firstBatchRows
  while (!isStopping()) {
    const startedAtMs = clock.nowMs()
    const batchRows = rowsMax
    const { seen, changed } = await db.tx((tx) => run(tx, batchRows))
    total += changed
    if (seen < batchRows) return total
    rowsMax = nextBatchRows(batchRows, clock.nowMs() - startedAtMs)
  }
  return total
}

const changing = (rows: number) => ({ seen: rows, changed: rows })

/** Takes the data of events away, from where the last round ended; null: another node is at it. */
async function thinOldEvents(deps: RetentionDependencies, nowMs: number): Promise<number | null> {
  const { db, catalog } = deps
  const exceptTypes = typesWithoutPersonalData(catalog)
  const beforeMs = nowMs - limits.personalDataKeptMs
  const fact = await readFact(db.queries, thinnedSeqFact)
  let afterSeq = typeof fact === 'string' ? BigInt(fact) : 0n
  let isOurs = true
  const total = await inBatches(deps, async (tx, rowsMax) => {
    isOurs = await tryThinLock(tx)
    if (!isOurs) return changing(0)
    const { lastSeq, seen, thinned } = await thinEvents(tx, { afterSeq, beforeMs, rowsMax, exceptTypes })
    if (lastSeq !== null) {
      await writeFact(tx, { name: thinnedSeqFact, value: String(lastSeq), atMs: nowMs })
      afterSeq = lastSeq
    }
    return { seen, changed: thinned }
  })
  return isOurs ? total : null
}

async function removeOldPersonalBodies(deps: RetentionDependencies, nowMs: number): Promise<number> {
  const { db } = deps
  const beforeMs = nowMs - limits.personalDataKeptMs
  const fact = await readFact(db.queries, personalUntilFact)
  const fromMs = typeof fact === 'number' ? fact - overlapMs : 0
  const oldestUnrelayedMs = await findOldestUnrelayed(db.queries)
  const removed = await inBatches(deps, async (tx, rowsMax) =>
    changing(await removePersonalBodies(tx, { fromMs, beforeMs, rowsMax })),
  )
  // What waits in the outbox gets its bodies when it is relayed, however old it is then.
  const untilMs = Math.min(beforeMs, oldestUnrelayedMs ?? beforeMs)
  if (!deps.isStopping())
    await writeFact(db.queries, { name: personalUntilFact, value: untilMs, atMs: nowMs })
  return removed
}

async function expireOldDeliveries(deps: RetentionDependencies, nowMs: number): Promise<number> {
  const beforeMs = nowMs - limits.eventsKeptMs
  let total = 0
  for (const streamId of await listStreamsToExpire(deps.db.queries, beforeMs)) {
    total += await inBatches(deps, async (tx, rowsMax) =>
      changing(await expireDeliveries(tx, streamId, { beforeMs, rowsMax, nowMs })),
    )
  }
  return total
}

async function removeOldDeliveries(deps: RetentionDependencies, nowMs: number): Promise<number> {
  const beforeMs = nowMs - limits.eventsKeptMs - expiredShownMs
  let total = 0
  for (const streamId of await listStreamsToClear(deps.db.queries, beforeMs)) {
    total += await inBatches(deps, async (tx, rowsMax) =>
      changing(await removeDeliveries(tx, streamId, { beforeMs, rowsMax })),
    )
  }
  return total
}

/**
 * Removes what the event path no longer keeps: personal data after `limits.personalDataKeptMs`, everything else after
 * `limits.eventsKeptMs`. In small transactions; may be stopped, crash and run twice at a time.
 */
export async function removeOld(deps: RetentionDependencies): Promise<Removed> {
  const nowMs = deps.clock.nowMs()
  const beforeMs = nowMs - limits.eventsKeptMs
  // First where bodies are made from, then the bodies: none with personal data can come back between.
  const thinned = await thinOldEvents(deps, nowMs)
  const personalBodies = thinned === null ? 0 : await removeOldPersonalBodies(deps, nowMs)
  const expired = await expireOldDeliveries(deps, nowMs)
  const deliveries = await removeOldDeliveries(deps, nowMs)
  const bodies = await inBatches(deps, async (tx, rowsMax) =>
    changing(await removeBodies(tx, { beforeMs, rowsMax })),
  )
  const events = await inBatches(deps, async (tx, rowsMax) =>
    changing(await removeEvents(tx, { beforeMs, rowsMax })),
  )
  const removed = { thinned: thinned ?? 0, personalBodies, expired, deliveries, bodies, events }
  if (Object.values(removed).some((rows) => rows > 0))
    deps.log.info({ ...removed, durationMs: deps.clock.nowMs() - nowMs }, 'events.removed_old')
  return removed
}
