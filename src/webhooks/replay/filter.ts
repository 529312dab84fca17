import type { AgainFilter } from '../../events/index.ts'
import { parseTime } from '../../kernel/index.ts'
import type { ReplayFilter } from './replay.ts'

const msOf = (time: string | null): number | null => (time === null ? null : parseTime(time))

/** A stored filter, as deliveries are searched by it. */
export function toAgainFilter({ from, to, states, eventTypes, merchantId }: ReplayFilter): AgainFilter {
  return { fromMs: msOf(from), toMs: msOf(to), states, eventTypes, merchantId }
}
