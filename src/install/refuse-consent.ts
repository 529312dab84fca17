import { putBlob } from '../db/index.ts'
import { type IdSource, limits, newId, type Queries, type Transaction } from '../kernel/index.ts'
import type { AppView, VersionView } from '../registry/index.ts'
import type { AskedConsent } from './read-question.ts'
import { findLastDecision, insertConsent } from './store.ts'

interface Refusal {
  readonly merchantId: string
  readonly personId: string
  readonly app: AppView
  readonly version: VersionView
  readonly installationId: string | null
  readonly locale: string
  readonly requestId: string
}

/** The person says no. Nothing changes but the record, which keeps what they had read. */
export async function refuseConsent(
  { tx, ids }: { readonly tx: Transaction; readonly ids: IdSource },
  refusal: Refusal,
  { question, text }: AskedConsent,
): Promise<void> {
  const { merchantId, personId, app, version, installationId, locale, requestId } = refusal
  await insertConsent(tx, merchantId, {
    id: newId('consent', ids),
    ...{ appId: app.id, installationId, versionId: version.id, packageSha256: version.packageSha256 },
    ...{ personId, decision: 'refused', granted: [], separate: [], locale, requestId },
    refused: [...question.required, ...question.optional].map(({ scope }) => scope).sort(),
    textSha256: await putBlob(tx, Buffer.from(text)),
    atMs: ids.clock.nowMs(),
  })
}

/** When this person last refused this app for this merchant; null: not lately, or they decided otherwise since. */
export async function findRefusal(
  q: Queries,
  asked: { readonly merchantId: string; readonly appId: string; readonly personId: string },
  nowMs: number,
): Promise<number | null> {
  const last = await findLastDecision(q, asked.merchantId, {
    ...asked,
    sinceMs: nowMs - limits.refusalKeptMs,
  })
  return last?.decision === 'refused' ? last.decided_at.getTime() : null
}
