import {
  type Db,
  ensurePartitions,
  removeEndedWindows,
  removeExpiredAnswers,
  removeOldCounters,
  removeOldRows,
} from './db/index.ts'
import { type Clock, limits } from './kernel/index.ts'

/** What every platform does now and then. */
export interface Maintenance {
  /** Partitions of the months to come, and rows whose time is over. */
  maintain(): Promise<void>
  /** What is kept for a while and then no longer. */
  removeOld(): Promise<void>
}

/** Nodes may do it side by side. */
export function makeMaintenance({
  db,
  clock,
  authorizationServer,
  retention,
}: {
  readonly db: Db
  readonly clock: Clock
  readonly authorizationServer: { removeExpired(): Promise<void> }
  readonly retention: { run(): Promise<unknown> }
}): Maintenance {
  return {
    async maintain() {
      await db.tx((tx) => ensurePartitions(tx, clock.nowMs()))
      await authorizationServer.removeExpired()
      await removeExpiredAnswers(db.queries, clock.nowMs())
      await removeOldCounters(db.queries, clock.nowMs())
      await removeEndedWindows(db.queries, clock.nowMs())
    },
    async removeOld() {
      await retention.run()
      await removeOldRows(db, 'attempt', clock.nowMs() - limits.eventsKeptMs)
      await removeOldRows(db, 'access_record', clock.nowMs() - limits.accessRecordsKeptMs)
    },
  }
}
