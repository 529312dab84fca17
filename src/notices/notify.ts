import { type IdSource, newId, type Transaction } from '../kernel/index.ts'
import { insertMerchantNotice } from './merchant/store.ts'
import type { NoticeData, NoticeKind, ReuseNotice } from './notice.ts'
import { insertPersonNotice } from './person/store.ts'
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

/** Tells the owners and managers of a merchant, in the transaction in which it happens. */
export async function notifyMerchant<K extends NoticeKind>(
  tx: Transaction,
  merchantId: string,
  notice: { readonly kind: K; readonly data: NoticeData[K] },
  ids: IdSource,
): Promise<void> {
  const row = { ...notice, id: newId('notice', ids), nowMs: ids.clock.nowMs() }
  await insertMerchantNotice(tx, merchantId, row)
}

/** Tells one person, in the transaction in which it happens. */
export async function notifyPerson<K extends NoticeKind>(
  tx: Transaction,
  personId: string,
  notice: { readonly kind: K; readonly data: NoticeData[K] },
  ids: IdSource,
): Promise<void> {
  const row = { ...notice, id: newId('notice', ids), nowMs: ids.clock.nowMs() }
  await insertPersonNotice(tx, personId, row)
}

/** Tells developer and merchant that a refresh token was used twice, each in words of their own. */
export async function notifyReuse(
  tx: Transaction,
  { publisherId, ...data }: ReuseNotice & { readonly publisherId: string },
  ids: IdSource,
): Promise<void> {
  await notifyPublisher(tx, publisherId, { kind: 'refresh_token.reused', data }, ids)
  await notifyMerchant(tx, data.merchantId, { kind: 'app_access.ended', data }, ids)
}
