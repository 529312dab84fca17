import { type Clock, limits, type Transaction } from '../../kernel/index.ts'
import type { RuleBook } from '../rule-book.ts'
import { lockStream } from '../store.ts'
import type { Partition } from './partition.ts'
import { checkNotAhead } from './read-stream.ts'
import { findPullStream, markPulled, moveCursor } from './store.ts'

export interface Acknowledged {
  readonly appId: string
  /** Everything up to here has been handled. */
  readonly sequence: bigint
  readonly partition: Partition
}

/**
 * Notes that the app has handled its stream up to a sequence: the cursor moves forward, and what had not been
 * delivered otherwise is not pushed any more. Gives where the cursor stands: lower than asked when something before is
 * still open.
 * @throws stream.sequence_ahead
 */
export async function acknowledgeStream(
  tx: Transaction,
  { appId, sequence, partition }: Acknowledged,
  { clock, rules }: { readonly clock: Clock; readonly rules: RuleBook },
): Promise<bigint> {
  const stream = await findPullStream(tx, appId)
  if (stream === null) {
    checkNotAhead(sequence, 0n)
    return 0n
  }
  const { id, publisherId } = stream
  const nextSequence = await lockStream(tx, id)
  checkNotAhead(sequence, nextSequence - 1n)
  await markPulled(tx, id, {
    through: sequence,
    partition,
    exceptMerchantIds: rules.heldMerchantIds({ appId, publisherId }),
    deliveriesMax: limits.acknowledgedMax,
    nowMs: clock.nowMs(),
  })
  return moveCursor(tx, id, sequence)
}
