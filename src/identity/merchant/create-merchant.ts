import { type IdSource, newId, present, type Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import type { MerchantKind } from '../schema.ts'
import { findMerchant, findMerchantByExternalId, insertMerchant, type MerchantRow } from './store.ts'

export interface NewMerchant {
  readonly kind: MerchantKind
  readonly name: string
  /** The host's own id of this merchant. */
  readonly externalId: string | null
  /** An organisation. */
  readonly parentId: string | null
}

function isSame(row: MerchantRow, input: NewMerchant): boolean {
  return row.kind === input.kind && row.name === input.name && row.parent_id === input.parentId
}

/**
 * A new merchant. The same externalId with the same content answers the merchant that exists, so that the host may
 * repeat an import; with other content it is refused rather than half applied.
 * @throws identity.parent_not_an_organisation, identity.merchant_exists
 */
export async function createMerchant(
  tx: Transaction,
  ids: IdSource,
  input: NewMerchant,
): Promise<MerchantRow> {
  if (input.parentId !== null) {
    const parent = await findMerchant(tx, input.parentId)
    if (parent?.kind !== 'organisation') throw IdentityErrors.parent_not_an_organisation()
  }
  const merchantId = newId('merchant', ids)
  const created = await insertMerchant(tx, { ...input, merchantId, createdAtMs: ids.clock.nowMs() })
  if (created !== null) return created
  const externalId = present(input.externalId, 'the externalId that another merchant has')
  const existing = present(
    await findMerchantByExternalId(tx, externalId),
    'the merchant with this externalId',
  )
  if (isSame(existing, input)) return existing
  throw IdentityErrors.merchant_exists(undefined, { members: { merchantId: existing.id } })
}
