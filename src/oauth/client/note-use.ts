import { type Clock, limits, type Queries } from '../../kernel/index.ts'
import { touchCredential } from './store.ts'

/** Notes that a secret or key was used, at most once a minute: parallel calls must not queue on one row. */
export function makeNoteUse({ queries, clock }: { readonly queries: Queries; readonly clock: Clock }) {
  const notedAtMs = new Map<string, number>()
  return async (appId: string, credentialId: string): Promise<void> => {
    const nowMs = clock.nowMs()
    if (nowMs - (notedAtMs.get(credentialId) ?? Number.NEGATIVE_INFINITY) < limits.credentialSeenMs) return
    // Forgetting costs a statement more.
    if (notedAtMs.size >= limits.credentialsNotedMax) notedAtMs.clear()
    notedAtMs.set(credentialId, nowMs)
    await touchCredential(queries, appId, credentialId, nowMs)
  }
}
