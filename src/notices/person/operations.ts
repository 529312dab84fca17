import {
  cursorPageInput,
  defineOperation,
  idOf,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  personOf,
  schema,
  timeCursor,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { textsOf } from '../notice.ts'
import { listPersonNotices, type PersonNoticeRow } from './store.ts'

const words = (maxLength: number) =>
  schema.object({ en: schema.string({ maxLength }), 'zh-CN': schema.string({ maxLength }) })

const PersonNotice = schema.named(
  'PersonNotice',
  schema.object({
    id: idOf('notice'),
    kind: schema.string({ maxLength: 100 }),
    title: words(500),
    text: words(2_000),
    createdAt: schema.time(),
  }),
)

function toWire(row: PersonNoticeRow) {
  const { id, kind, created_at } = row
  return { id, kind, ...textsOf(row), createdAt: toIso(created_at.getTime()) }
}

/** What a person must be told about their own account. */
export const personNoticeList = defineOperation({
  id: 'account_notice.list',
  summary: 'What you must be told about your own account, newest first',
  method: 'GET',
  path: '/account/v1/notices',
  audience: 'account',
  access: { kind: 'person' },
  kind: 'read',
  input: schema.object(cursorPageInput),
  output: pageOf(PersonNotice, limits.pageSizeMax),
  errors: [],
  async handle({ queries, caller, input }) {
    const { rowsMax, after } = pageRequestOf(input)
    const search = { before: parseTimeCursor(after), rowsMax }
    return toPage(input, await listPersonNotices(queries, personOf(caller).personId, search), {
      toItem: toWire,
      cursorOf: ({ created_at, id }) => timeCursor({ atMs: created_at.getTime(), id }),
    })
  },
})
