import {
  type Access,
  type Capability,
  cursorPageInput,
  defineCapability,
  defineOperation,
  idOf,
  type Localized,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  schema,
  timeCursor,
  toPage,
} from '../capability/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import { NoticesErrors } from './errors.ts'
import { merchantNoticeOperations } from './merchant/operations.ts'
import { noticeKinds, type StoredNotice, textsOf } from './notice.ts'
import { personNoticeList } from './person/operations.ts'
import { listPublisherNotices, markPublisherNoticeRead } from './store.ts'

const readers: Access = { kind: 'publisher', roles: ['owner', 'developer', 'viewer', 'ci'] }
const editors: Access = { kind: 'publisher', roles: ['owner', 'developer'] }

const words = (maxLength: number) =>
  schema.object({ en: schema.string({ maxLength }), 'zh-CN': schema.string({ maxLength }) })

const Notice = schema.named(
  'Notice',
  schema.object({
    id: idOf('notice'),
    publisherId: idOf('publisher'),
    kind: schema.string({ maxLength: 100, examples: noticeKinds }),
    title: words(500),
    text: words(2_000),
    data: schema.json({ description: 'What the texts are about: ids and names, an object' }),
    createdAt: schema.time(),
    readAt: schema.nullable(schema.time({ description: 'When somebody of the publisher marked it as read' })),
  }),
)

interface WireNotice {
  readonly id: string
  readonly publisherId: string
  readonly kind: string
  readonly title: Localized
  readonly text: Localized
  readonly data: unknown
  readonly createdAt: string
  readonly readAt: string | null
}

function toWireNotice(notice: StoredNotice): WireNotice {
  const { id, publisherId, kind, data, createdAtMs, readAtMs } = notice
  return {
    ...{ id, publisherId, kind, data },
    ...textsOf(notice),
    createdAt: toIso(createdAtMs),
    readAt: readAtMs === null ? null : toIso(readAtMs),
  }
}

const noticeList = defineOperation({
  id: 'notice.list',
  summary: 'What your publishers must be told, newest first',
  description:
    'What happened by itself: an endpoint that was paused, resumed or stopped. Shared by the team.',
  method: 'GET',
  path: '/developer/v1/notices',
  audience: 'developer',
  access: readers,
  kind: 'read',
  input: schema.object({
    ...cursorPageInput,
    unread: schema.optional(schema.boolean({ description: 'Only those that nobody has marked as read' })),
  }),
  output: pageOf(Notice, limits.pageSizeMax),
  errors: [],
  async handle({ queries, tenantIds, input }) {
    const { rowsMax, after } = pageRequestOf(input)
    const search = { unread: input.unread ?? false, before: parseTimeCursor(after), rowsMax }
    return toPage(input, await listPublisherNotices(queries, tenantIds, search), {
      toItem: toWireNotice,
      cursorOf: ({ createdAtMs, id }) => timeCursor({ atMs: createdAtMs, id }),
    })
  },
})

const noticeMarkRead = defineOperation({
  id: 'notice.mark_read',
  summary: 'Mark a notice as read, for the whole team',
  method: 'POST',
  path: '/developer/v1/notices/{noticeId}:read',
  audience: 'developer',
  access: editors,
  kind: 'write',
  input: schema.object({ noticeId: idOf('notice') }),
  output: Notice,
  errors: [NoticesErrors.not_found],
  async handle({ tx, tenantIds, input, clock }) {
    const mark = { noticeId: input.noticeId, nowMs: clock.nowMs() }
    const notice = await markPublisherNoticeRead(tx, tenantIds, mark)
    if (notice === null) throw NoticesErrors.not_found()
    return toWireNotice(notice)
  },
})

/** What people must be told, and where they read it. */
export const noticesCapability: Capability = defineCapability({
  id: 'notices',
  summary: 'What must be told: paused and stopped endpoints, tokens used twice, leaks',
  operations: [noticeList, noticeMarkRead, ...merchantNoticeOperations, personNoticeList],
})
