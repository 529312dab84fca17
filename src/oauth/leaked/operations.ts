import { type Capability, defineCapability, defineOperation, schema } from '../../capability/index.ts'
import { type IdSource, type Log, limits, type TokenKind, type Transaction } from '../../kernel/index.ts'
import { OAuthErrors } from '../errors.ts'
import { type EndLeaked, kindOf, type Leak } from './leak.ts'

export interface LeaksDependencies {
  /** By what the value is; a kind without one has nothing that could be ended. */
  readonly endLeaked: Readonly<Partial<Record<TokenKind, EndLeaked>>>
  /** Tells whom it belonged to, in the same transaction. */
  tell(tx: Transaction, leak: Leak, hint: string, ids: IdSource): Promise<void>
  readonly log: Log
}

/** Where anybody hands in what they found: a scanner of repositories, a search engine, a person. */
export function leaksCapability(deps: LeaksDependencies): Capability {
  return defineCapability({
    id: 'leaks',
    summary: 'Secrets and tokens that were found in the open',
    operations: [
      defineOperation({
        id: 'leak.report',
        summary: 'Hand in a secret or token of this platform that you found in the open',
        description:
          'What is still alive ends at once and its owners are told; codes, and whatever else lives for ten minutes at most, are left to end by themselves. The answer is the same whether it was alive or not. A value with another prefix or a wrong checksum is none of this platform’s.',
        method: 'POST',
        path: '/oauth/leaked',
        audience: 'public',
        access: { kind: 'public' },
        kind: 'write',
        input: schema.object({
          value: schema.string({ minLength: 1, maxLength: limits.leakedValueLengthMax }),
        }),
        output: schema.object({ received: schema.boolean() }),
        status: 202,
        errors: [OAuthErrors.not_a_token],
        prepare({ input }) {
          const kind = kindOf(input.value)
          if (kind === null) return Promise.reject(OAuthErrors.not_a_token())
          return Promise.resolve(kind)
        },
        async handle({ tx, input, prepared: kind, clock, random }) {
          const leak = await deps.endLeaked[kind]?.(tx, input.value, clock.nowMs())
          if (leak !== undefined && leak !== null) {
            await deps.tell(tx, leak, input.value.slice(-4), { clock, random })
            deps.log.warn({ what: leak.what, appId: leak.appId }, 'oauth.leak_reported')
          }
          return { received: true }
        },
      }),
    ],
  })
}
