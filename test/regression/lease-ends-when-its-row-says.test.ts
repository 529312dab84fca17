import { expect, test } from 'vitest'
import { openLease } from '../../src/events/drain/lease/lease.ts'
import { makeMeters } from '../../src/events/meters.ts'
import { limits } from '../../src/kernel/index.ts'
import { quietLog } from '../support/database.ts'

test('a lease that was slow to come ends when its row says, not so much later', async () => {
  let nowMs = 1_000_000
  const takeLease = () => {
    nowMs += 5_000
    return Promise.resolve({ epoch: 1n, appId: 'app_1', publisherId: 'pub_1', takenOver: false })
  }
  const lease = await openLease(
    {
      store: { takeLease, renewLease: () => Promise.resolve(true), releaseLease: () => Promise.resolve() },
      clock: { nowMs: () => nowMs },
      timers: { after: () => () => undefined, every: () => () => undefined },
      ...{ log: quietLog, owner: 'run_1', meters: makeMeters() },
    },
    'str_1',
  )
  expect(lease?.isLost()).toBe(false)
  nowMs = 1_000_000 + limits.streamLeaseMs + 1
  expect(lease?.isLost()).toBe(true)
})
