import type { Outcome, RecordedResult } from '../../events/index.ts'
import { limits } from '../../kernel/index.ts'
import type { PauseReason } from '../endpoint.ts'
import type { WebhookFailureCode } from '../errors.ts'

const addressRefused: WebhookFailureCode = 'webhooks.address_refused'

function isAddressRefused(outcome: Outcome): boolean {
  return outcome.kind === 'refused' && outcome.error?.startsWith(addressRefused) === true
}

/** Whether an attempt speaks against the endpoint. A receiver that refuses one delivery on purpose is well. */
export function isFault(outcome: Outcome): boolean {
  return outcome.kind === 'failed' || isAddressRefused(outcome)
}

/** Why the endpoint must be paused after these results, or null. `failingSinceMs`: first failure since a success. */
export function pauseReasonOf(
  results: readonly RecordedResult[],
  { failingSinceMs, nowMs }: { readonly failingSinceMs: number | null; readonly nowMs: number },
): PauseReason | null {
  if (results.some(({ outcome }) => isAddressRefused(outcome))) return 'address_refused'
  if (results.some(({ outcome, state }) => outcome.kind === 'failed' && state === 'exhausted'))
    return 'exhausted'
  if (results.some(({ outcome }) => outcome.kind === 'delivered')) return null
  if (failingSinceMs === null || nowMs - failingSinceMs < limits.webhookFailingMsMax) return null
  return results.some(({ outcome }) => isFault(outcome)) ? 'failing' : null
}
