import {
  CapabilityErrors,
  cursorPageInput,
  defineOperation,
  installationOf,
  pageOf,
  pageRequestOf,
  schema,
  toPage,
} from '../../capability/index.ts'
import { limits, toIso } from '../../kernel/index.ts'
import { StorageErrors } from './errors.ts'
import { deleteItem, findItem, listItems, putItem, type StorageRow } from './store.ts'

const key = schema.string({ minLength: 1, maxLength: limits.storageKeyLengthMax })

const item = schema.named(
  'StorageItem',
  schema.object({ key, value: schema.json({ description: 'Any JSON value' }), updatedAt: schema.time() }),
)

function toItem(row: StorageRow) {
  return { key: row.key, value: JSON.parse(row.value) as unknown, updatedAt: toIso(row.updated_at.getTime()) }
}

export const storageOperations = [
  defineOperation({
    id: 'storage.get',
    summary: 'Read a value the app stored at this merchant',
    method: 'GET',
    path: '/v1/storage/{key}',
    audience: 'app',
    access: { kind: 'installation' },
    kind: 'read',
    hostFunction: 'get',
    input: schema.object({ key }),
    output: item,
    errors: [StorageErrors.not_found],
    async handle({ caller, queries, input }) {
      const row = await findItem(queries, installationOf(caller), input.key)
      if (row === null) throw StorageErrors.not_found()
      return toItem(row)
    },
  }),

  defineOperation({
    id: 'storage.list',
    summary: 'List what the app stored at this merchant, in key order',
    method: 'GET',
    path: '/v1/storage',
    audience: 'app',
    access: { kind: 'installation' },
    kind: 'read',
    hostFunction: 'list',
    input: schema.object({
      prefix: schema.optional(schema.string({ maxLength: limits.storageKeyLengthMax })),
      ...cursorPageInput,
      after: schema.optional(schema.string({ maxLength: limits.storageKeyLengthMax })),
    }),
    output: pageOf(item, limits.pageSizeMax),
    errors: [],
    async handle({ caller, queries, input }) {
      const page = { prefix: input.prefix ?? '', ...pageRequestOf(input) }
      const rows = await listItems(queries, installationOf(caller), page)
      return toPage(input, rows, { toItem, cursorOf: (row) => row.key })
    },
  }),

  defineOperation({
    id: 'storage.set',
    summary: 'Store a value at this merchant',
    method: 'PUT',
    path: '/v1/storage/{key}',
    audience: 'app',
    access: { kind: 'installation' },
    kind: 'write',
    hostFunction: 'set',
    input: schema.object({ key, value: schema.json({ description: 'Any JSON value' }) }),
    output: item,
    errors: [StorageErrors.value_too_large, StorageErrors.quota_exceeded],
    async handle({ caller, tx, input, clock }) {
      const owner = installationOf(caller)
      // PostgreSQL keeps the text; JSON.stringify escapes U+0000 and lone surrogates, so it is always valid there.
      const value = JSON.stringify(input.value ?? null)
      const sizeBytes = Buffer.byteLength(value)
      if (sizeBytes > limits.storageValueBytesMax) throw StorageErrors.value_too_large()
      const atMs = clock.nowMs()
      const put = await putItem(tx, owner, { key: input.key, value, sizeBytes, atMs })
      if (put === 'installation_ended') throw CapabilityErrors.unauthenticated('the installation has ended')
      if (put === 'full') throw StorageErrors.quota_exceeded()
      return { key: input.key, value: input.value, updatedAt: toIso(atMs) }
    },
  }),

  defineOperation({
    id: 'storage.delete',
    summary: 'Forget a value; a key that is not there is fine',
    method: 'DELETE',
    path: '/v1/storage/{key}',
    audience: 'app',
    access: { kind: 'installation' },
    kind: 'write',
    hostFunction: 'delete',
    input: schema.object({ key }),
    output: schema.nothing,
    errors: [],
    async handle({ caller, tx, input }) {
      await deleteItem(tx, installationOf(caller), input.key)
      return undefined
    },
  }),
]
