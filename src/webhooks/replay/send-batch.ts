import type { Again, AgainResult, DueDelivery, Ending, Receiver } from '../../events/index.ts'
import type { Pacer } from './pacer.ts'
import type { SentAgain } from './record/store.ts'

export interface BatchDependencies {
  readonly again: Pick<Again, 'send'>
  readonly pacer: Pacer
  /** False: no further delivery is begun. */
  goesOn(): boolean
  /** Resolves when what is in flight is not waited for any more. */
  readonly abandoned: Promise<void>
}

/** What was dealt with, from the batch's beginning on without a gap. */
export interface SentBatch {
  readonly sent: readonly SentAgain[]
  readonly endings: readonly Ending[]
  /** The first delivery that is missing was put off, through no fault of the receiver. */
  readonly deferred: boolean
}

interface Result {
  readonly delivery: DueDelivery
  readonly again: AgainResult
}

function toSent({ delivery, again }: Result): SentAgain {
  const { id: deliveryId, merchantId, sequence } = delivery
  const which = { deliveryId, merchantId, sequence }
  if (again.kind === 'held') return { ...which, result: 'skipped', attempt: null }
  const { ending, attempt } = again
  if (ending.kind === 'cancelled') return { ...which, result: 'skipped', attempt }
  return { ...which, result: ending.kind === 'delivered' ? 'delivered' : 'failed', attempt }
}

function isDeferred({ again }: Result): boolean {
  return again.kind === 'tried' && again.ending.kind === 'deferred'
}

/** Begins the deliveries in their order, a few at once; one that was begun ends, unless it is abandoned. */
export async function sendBatch(
  deps: BatchDependencies,
  receiver: Receiver,
  batch: readonly DueDelivery[],
  by: { readonly publisherId: string; readonly replayId: string },
): Promise<SentBatch> {
  const results: (Result | undefined)[] = []
  let claimed = 0

  async function sendInTurn(): Promise<void> {
    for (;;) {
      // Chosen before the turn: no turn is spent on nothing. Turns keep their order, so what was begun has no gap.
      const index = claimed
      claimed += 1
      const delivery = batch[index]
      if (delivery === undefined) return
      await deps.pacer.turn()
      if (!deps.goesOn()) return
      results[index] = { delivery, again: await deps.again.send(receiver, delivery, by) }
    }
  }

  const places = Array.from({ length: receiver.concurrencyMax }, () => sendInTurn())
  await Promise.race([Promise.all(places), deps.abandoned])

  const ended = batch.map((_, index) => results[index])
  const gap = ended.findIndex((result) => result === undefined || isDeferred(result))
  const dealtWith = (gap === -1 ? ended : ended.slice(0, gap)).filter((result) => result !== undefined)
  const first = ended[gap]
  return {
    sent: dealtWith.map(toSent),
    endings: dealtWith.flatMap(({ again }) => (again.kind === 'tried' ? [again.ending] : [])),
    deferred: first !== undefined,
  }
}
