import type { Provider as ProviderType } from 'oidc-provider'
import { limits } from '../../kernel/index.ts'
import { Provider } from '../library.ts'
import type { UseOnce } from './use-once.ts'

/**
 * The library looks whether a proof or assertion was used and then notes it; of two at once both would pass. Here one
 * statement does both. A request that comes to the same proof twice (a rotation that another process won, then its
 * replay) has used it once.
 */
export function detectReplays(provider: ProviderType, useOnce: UseOnce): void {
  const usedBy = new WeakMap<object, Set<string>>()
  provider.ReplayDetection.unique = async (appId, jti, expiresAtSeconds) => {
    const value = `${appId}.${jti}`
    const used = Provider.ctx === undefined ? undefined : usedBy.get(Provider.ctx)
    if (used?.has(value) === true) return true
    // The library lets a proof be dated ahead and counts its life from now: it must be remembered for both.
    const expiresAtMs = expiresAtSeconds * 1000 + limits.proofDatedAheadMs
    if (!(await useOnce(value, expiresAtMs))) return false
    if (Provider.ctx !== undefined) usedBy.set(Provider.ctx, (used ?? new Set()).add(value))
    return true
  }
}
