import { CapabilityErrors, schema } from '../../capability/index.ts'
import { limits } from '../../kernel/index.ts'

/**
 * One of `count` parts of an app's merchants: those whose id's SHA-256, its first four bytes read as a big-endian
 * number, leaves `index` when divided by `count`. Each merchant is in exactly one part, on every node the same.
 */
export interface Partition {
  readonly index: number
  readonly count: number
}

const wholeStream: Partition = { index: 0, count: 1 }

/** `i/n`, as it travels. */
export const partitionInput = schema.optional(
  schema.string({
    maxLength: 7,
    pattern: '^(0|[1-9][0-9]{0,2})/[1-9][0-9]{0,2}$',
    description: `i/n: only merchants whose id hashes to i of n, n at most ${limits.streamPartitionsMax}`,
    examples: ['0/4'],
  }),
)

/** The partition that `i/n` names; the whole stream without one. @throws capability.invalid_input */
export function parsePartition(text: string | undefined): Partition {
  if (text === undefined) return wholeStream
  const [index = 0, count = 0] = text.split('/').map(Number)
  if (index < count && count <= limits.streamPartitionsMax) return { index, count }
  throw CapabilityErrors.invalid_input(`there is no partition ${text}`, {
    errors: [
      {
        pointer: '/partition',
        code: 'partition',
        message: `must be i/n with i below n and n at most ${limits.streamPartitionsMax}`,
      },
    ],
  })
}
