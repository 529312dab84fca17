import { limits } from '../../kernel/index.ts'
import type { RuleBook } from '../rule-book.ts'
import type { Receiver } from '../sink.ts'
import { close, type Drain, isInOrder } from './drain.ts'
import type { Lease } from './lease/lease.ts'
import type { DueDelivery } from './store.ts'

// Looking behind a flood walks over the flood: it may take one part in so many of the time.
const crowdCostShare = 20

function withKeptScopes(delivery: DueDelivery, rules: RuleBook, { publisherId }: Lease): DueDelivery {
  const { appId, merchantId, granted } = delivery
  const kept = rules.keptScopes(granted, { appId, publisherId, merchantId })
  return kept === granted ? delivery : { ...delivery, granted: kept }
}

/** How many to claim: no more than the receiver's rate lets begin before they are stale, nor than memory bears. */
function claimMax({ tempo }: Drain, { probing, ratePerSecond }: Receiver): number {
  if (probing) return 1
  const byRate = ratePerSecond === null ? Infinity : Math.ceil((ratePerSecond * limits.drainFreshMs) / 1000)
  const byLength = Math.floor(limits.drainClaimLengthMax / Math.max(1, tempo.bodyLength))
  return Math.max(1, Math.min(tempo.claimSize, byRate, byLength))
}

function learn({ tempo }: Drain, claimed: readonly DueDelivery[], isFull: boolean): void {
  if (claimed.length > 0) {
    const length = claimed.reduce((sum, { body }) => sum + (body?.length ?? 0), 0)
    tempo.bodyLength = length / claimed.length
  }
  if (isFull) tempo.claimSize = Math.min(limits.drainBatchMax, tempo.claimSize * 2)
}

interface Search {
  readonly nowMs: number
  readonly deliveriesMax: number
  readonly exceptIds: readonly string[]
  readonly exceptMerchantIds: readonly string[]
}

function find(d: Drain, receiver: Receiver, search: Search): Promise<readonly DueDelivery[]> {
  const { merchantIds, subjects } = receiver.fifo ? d.line.subjects() : { merchantIds: [], subjects: [] }
  const fifo = receiver.fifo ? { exceptMerchantIds: merchantIds, exceptSubjects: subjects } : null
  return d.deps.store.listDue(d.streamId, { ...search, startSequence: receiver.startSequence, fifo })
}

/**
 * Deliveries of other merchants than those that have filled the claim, which may stand behind thousands of theirs. Not
 * more often than `limits.drainCrowdMs`, and never for more than a small share of the time.
 */
async function findBehind(
  d: Drain,
  receiver: Receiver,
  search: Search,
  claimed: readonly DueDelivery[],
): Promise<readonly DueDelivery[]> {
  const { clock } = d.deps
  if (clock.nowMs() - d.crowdSeenAtMs < d.crowdPauseMs) return []
  const crowd = new Set([...d.line.merchantIds(), ...claimed.map(({ merchantId }) => merchantId)])
  const startedAtMs = clock.nowMs()
  const found = await find(d, receiver, {
    ...search,
    exceptMerchantIds: [...search.exceptMerchantIds, ...crowd],
  })
  d.crowdSeenAtMs = clock.nowMs()
  d.crowdPauseMs = Math.max(limits.drainCrowdMs, (d.crowdSeenAtMs - startedAtMs) * crowdCostShare)
  return found
}

/** The receiver as it is now; null: there is nothing to claim, and the drain is closed. */
async function openReceiver(d: Drain): Promise<Receiver | null> {
  const receiver = await d.sink.open({ streamId: d.streamId, appId: d.lease.appId })
  // A probe goes out alone: whatever is in hand was claimed before the endpoint was paused.
  const isLateProbe = receiver?.probing === true && d.line.ids().length > 0
  if (receiver === null || isLateProbe) {
    close(d)
    return null
  }
  // What was claimed without regard to order is claimed anew.
  if (receiver.fifo && !isInOrder(d)) d.line.clear()
  d.receiver = receiver
  return receiver
}

/** Claims what is due and not in hand, with as much as the receiver, its merchants and the rules leave. */
export async function claimDeliveries(d: Drain): Promise<void> {
  const { clock, othersWait } = d.deps
  const nowMs = clock.nowMs()
  if (othersWait() && nowMs - d.startedAtMs > limits.drainTurnMs) return close(d)
  // Before the statements: a poke that comes while they run asks for another claim.
  d.mayHaveMore = false
  const rules = await d.deps.rules()
  if (rules.isHeld(d.lease)) return close(d)
  const receiver = await openReceiver(d)
  if (receiver === null) return
  const deliveriesMax = claimMax(d, receiver)
  const search: Search = {
    ...{ nowMs, deliveriesMax, exceptIds: d.line.ids() },
    exceptMerchantIds: rules.heldMerchantIds(d.lease),
  }
  const due = await find(d, receiver, search)
  const isFull = due.length >= deliveriesMax
  const behind = isFull && !receiver.probing ? await findBehind(d, receiver, search, due) : []
  if (d.closed) return
  const claimed = [...due, ...behind].map((delivery) => withKeptScopes(delivery, rules, d.lease))
  d.line.add(claimed, receiver.fifo)
  d.claimedAtMs = nowMs
  d.claimedLast = receiver.probing
  learn(d, claimed, isFull && !receiver.probing)
  if (isFull) d.mayHaveMore = true
}
