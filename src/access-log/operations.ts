import {
  type Capability,
  cursorPageInput,
  defineCapability,
  defineOperation,
  idOf,
  pageOf,
  pageRequestOf,
  parseTimeCursor,
  schema,
  timeCursor,
  toPage,
} from '../capability/index.ts'
import { limits, toIso } from '../kernel/index.ts'
import { type AccessRow, listAccessRecords } from './store.ts'

const AccessEntry = schema.named(
  'AccessEntry',
  schema.object({
    id: schema.string({ maxLength: 40 }),
    at: schema.time(),
    actor: schema.oneOf(['app', 'person', 'host']),
    appId: schema.nullable(schema.string({ maxLength: 40 })),
    personId: schema.nullable(schema.string({ maxLength: 40 })),
    operation: schema.string({ maxLength: 100 }),
    via: schema.oneOf(['rest', 'sandbox', 'console']),
    outcome: schema.oneOf(['ok', 'denied', 'failed']),
    code: schema.nullable(schema.string({ maxLength: 100 })),
    rows: schema.integer({ minimum: 0, maximum: 1_000_000 }),
    personal: schema.boolean({ description: 'Personal data of customers was read' }),
  }),
)

function toEntry(row: AccessRow) {
  return {
    id: row.id,
    at: toIso(row.at.getTime()),
    actor: row.actor as 'app' | 'person' | 'host',
    appId: row.app_id,
    personId: row.person_id,
    operation: row.operation,
    via: row.via as 'rest' | 'sandbox' | 'console',
    outcome: row.outcome as 'ok' | 'denied' | 'failed',
    code: row.code,
    rows: row.rows,
    personal: row.personal,
  }
}

const listAccess = defineOperation({
  id: 'access.list',
  summary: 'Who used which capability on this merchant’s data',
  method: 'GET',
  path: '/merchant/v1/merchants/{merchantId}/access-records',
  audience: 'merchant',
  access: { kind: 'merchant', roles: ['owner', 'manager'] },
  kind: 'read',
  input: schema.object({
    merchantId: idOf('merchant'),
    ...cursorPageInput,
  }),
  output: pageOf(AccessEntry, limits.pageSizeMax),
  errors: [],
  async handle({ queries, input }) {
    const { rowsMax, after } = pageRequestOf(input)
    const rows = await listAccessRecords(queries, input.merchantId, {
      limit: rowsMax,
      before: parseTimeCursor(after),
    })
    return toPage(input, rows, {
      toItem: toEntry,
      cursorOf: ({ at, id }) => timeCursor({ atMs: at.getTime(), id }),
    })
  },
})

/** What a merchant may ask of the access log. */
export const accessLogCapability: Capability = defineCapability({
  id: 'access',
  summary: 'The record of every use of a capability',
  operations: [listAccess],
})
