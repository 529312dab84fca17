import { defineErrors } from '../../kernel/index.ts'

export const StorageErrors = defineErrors('storage', {
  not_found: {
    status: 404,
    title: 'Nothing is stored under this key',
    fix: 'Store a value first, or take the absence as an answer.',
  },
  value_too_large: {
    status: 413,
    title: 'The value is too large to be stored',
    fix: 'At most 64 KiB of JSON per key.',
  },
  quota_exceeded: {
    status: 409,
    title: 'The installation’s storage is full',
    fix: 'Delete what is no longer needed; 1 MiB and 1,000 keys per installation.',
  },
})
