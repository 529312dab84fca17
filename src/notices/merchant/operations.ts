import {
  cursorPageInput,
  defineOperation,
  idOf,
  type Operation,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  schema,
  timeCursor,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { NoticesErrors } from '../errors.ts'
import { textsOf } from '../notice.ts'
import { listMerchantNotices, type MerchantNoticeRow, markMerchantNoticeRead } from './store.ts'

const managers = { kind: 'merchant', roles: ['owner', 'manager'] } as const
const words = (maxLength: number) =>
  schema.object({ en: schema.string({ maxLength }), 'zh-CN': schema.string({ maxLength }) })

const MerchantNotice = schema.named(
  'MerchantNotice',
  schema.object({
    id: idOf('notice'),
    merchantId: idOf('merchant'),
    kind: schema.string({ maxLength: 100 }),
    title: words(500),
    text: words(2_000),
    data: schema.json({ description: 'What the texts are about: ids and names, an object' }),
    createdAt: schema.time(),
    readAt: schema.nullable(schema.time({ description: 'When somebody of the merchant marked it as read' })),
  }),
)

function toWire(row: MerchantNoticeRow) {
  return {
    ...{ id: row.id, merchantId: row.merchant_id, kind: row.kind, data: row.data },
    ...textsOf(row),
    createdAt: toIso(row.created_at.getTime()),
    readAt: row.read_at === null ? null : toIso(row.read_at.getTime()),
  }
}

/** What whoever runs a merchant must be told, and where they read it. */
export const merchantNoticeOperations: readonly Operation[] = [
  defineOperation({
    id: 'merchant_notice.list',
    summary: 'What a merchant must be told, newest first',
    description: 'Shared by its owners and managers.',
    method: 'GET',
    path: '/merchant/v1/merchants/{merchantId}/notices',
    audience: 'merchant',
    access: managers,
    kind: 'read',
    input: schema.object({
      merchantId: idOf('merchant'),
      ...cursorPageInput,
      unread: schema.optional(schema.boolean({ description: 'Only those that nobody has marked as read' })),
    }),
    output: pageOf(MerchantNotice, limits.pageSizeMax),
    errors: [],
    async handle({ queries, input }) {
      const { rowsMax, after } = pageRequestOf(input)
      const search = { unread: input.unread ?? false, before: parseTimeCursor(after), rowsMax }
      return toPage(input, await listMerchantNotices(queries, input.merchantId, search), {
        toItem: toWire,
        cursorOf: ({ created_at, id }) => timeCursor({ atMs: created_at.getTime(), id }),
      })
    },
  }),
  defineOperation({
    id: 'merchant_notice.mark_read',
    summary: 'Mark a notice as read, for everybody who runs the merchant',
    method: 'POST',
    path: '/merchant/v1/notices/{noticeId}:read',
    audience: 'merchant',
    access: managers,
    kind: 'write',
    input: schema.object({ noticeId: idOf('notice') }),
    output: MerchantNotice,
    errors: [NoticesErrors.not_found],
    async handle({ tx, tenantIds, input, clock, concerns }) {
      const mark = { noticeId: input.noticeId, nowMs: clock.nowMs() }
      const notice = await markMerchantNoticeRead(tx, tenantIds, mark)
      if (notice === null) throw NoticesErrors.not_found()
      concerns(notice.merchant_id)
      return toWire(notice)
    },
  }),
]
