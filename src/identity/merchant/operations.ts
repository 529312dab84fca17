import {
  defineOperation,
  idOf,
  type Operation,
  pageInput,
  pageOf,
  pageRequestOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import * as wire from '../schema.ts'
import { createMerchant } from './create-merchant.ts'
import { findMerchant, listMerchants, type MerchantRow } from './store.ts'

const externalId = schema.string({
  minLength: 1,
  maxLength: 200,
  pattern: '^[\\x21-\\x7E]+$',
  description: 'The host’s own id of this merchant',
})

const members = {
  kind: schema.oneOf(wire.merchantKinds),
  name: wire.nameOf('Of the shop or organisation'),
} as const

const Merchant = schema.named(
  'Merchant',
  schema.object({
    id: idOf('merchant'),
    ...members,
    externalId: schema.nullable(externalId),
    parentId: schema.nullable(idOf('merchant')),
    createdAt: schema.time(),
  }),
)

function toMerchant(row: MerchantRow) {
  return {
    id: row.id,
    kind: row.kind as wire.MerchantKind,
    name: row.name,
    externalId: row.external_id,
    parentId: row.parent_id,
    createdAt: toIso(row.created_at.getTime()),
  }
}

const createOne = defineOperation({
  id: 'merchant.create',
  summary: 'Create a merchant',
  description:
    'The same externalId with the same content again answers the merchant that exists, so an import may be repeated.',
  method: 'POST',
  path: '/host/v1/merchants',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'write',
  status: 201,
  input: schema.object({
    ...members,
    externalId: schema.optional(externalId),
    parentId: schema.optional(idOf('merchant')),
  }),
  output: Merchant,
  errors: [IdentityErrors.merchant_exists, IdentityErrors.parent_not_an_organisation],
  async handle({ tx, clock, random, input }) {
    const { kind, name } = input
    const merchant = { kind, name, externalId: input.externalId ?? null, parentId: input.parentId ?? null }
    return toMerchant(await createMerchant(tx, { clock, random }, merchant))
  },
})

const getOne = defineOperation({
  id: 'merchant.get',
  summary: 'Read one merchant',
  method: 'GET',
  path: '/host/v1/merchants/{merchantId}',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'read',
  input: schema.object({ merchantId: idOf('merchant') }),
  output: Merchant,
  errors: [IdentityErrors.merchant_not_found],
  async handle({ queries, input }) {
    const merchant = await findMerchant(queries, input.merchantId)
    if (merchant === null) throw IdentityErrors.merchant_not_found()
    return toMerchant(merchant)
  },
})

const listAll = defineOperation({
  id: 'merchant.list',
  summary: 'List merchants, or find one by your own id',
  method: 'GET',
  path: '/host/v1/merchants',
  audience: 'host',
  access: { kind: 'host' },
  kind: 'read',
  input: schema.object({ externalId: schema.optional(externalId), ...pageInput('merchant') }),
  output: pageOf(Merchant, limits.pageSizeMax),
  errors: [],
  async handle({ queries, input }) {
    const filter = { externalId: input.externalId ?? null }
    const rows = await listMerchants(queries, filter, pageRequestOf(input))
    return toPage(input, rows, { cursorOf: ({ id }) => id, toItem: toMerchant })
  },
})

/** The host's merchants. */
export const merchantOperations: readonly Operation[] = [createOne, getOne, listAll]
