import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import type { NoticeData, NoticeKind } from './notice.ts'
import { insertPublisherNotice } from './store.ts'

/** Tells everybody of a publisher what has happened, in the transaction in which it happens. */
export async function notifyPublisher<K extends NoticeKind>(
  tx: Transaction,
  publisherId: string,
  notice: { readonly kind: K; readonly data: NoticeData[K] },
  ids: IdSource,
): Promise<void> {
  const row = { ...notice, id: newId('notice', ids), nowMs: ids.clock.nowMs() }
  await insertPublisherNotice(tx, publisherId, row)
}
