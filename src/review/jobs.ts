import { limits } from '../kernel/index.ts'
import type { Queue } from '../queue/index.ts'
import { type CheckDependencies, checkCase } from './check-case.ts'
import { listUncheckedCases } from './store.ts'

const checks = 'review-checks'

/** Wakes the automatic checks of a case, in whatever process works on them. */
export function makeWakeChecks(queue: Pick<Queue, 'wake'>): (caseId: string) => Promise<void> {
  return async (caseId) => {
    await queue.wake(checks, { key: caseId })
  }
}

export interface ReviewJobsDependencies extends CheckDependencies {
  readonly queue: Pick<Queue, 'wake' | 'work' | 'every'>
}

/**
 * Works on the automatic checks in this process. Cases that a stopped process left behind, or whose wake was lost, are
 * woken at once and then every `limits.reviewSweepMs`.
 */
export async function startReviewJobs(deps: ReviewJobsDependencies): Promise<void> {
  const { queue, db } = deps
  const sweep = async () => {
    for (const caseId of await listUncheckedCases(db.queries, limits.reviewSweepMax)) {
      await queue.wake(checks, { key: caseId })
    }
  }
  queue.work(checks, (caseId) => checkCase(deps, caseId), { concurrency: limits.reviewChecksAtOnce })
  queue.every(checks, limits.reviewSweepMs, sweep)
  await sweep()
}
