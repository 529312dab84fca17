import type { Queries } from '../kernel/index.ts'
import { toDbError } from './failures.ts'
import type { PrismaClient } from './generated/client.ts'
import { assertOutsideTransaction } from './transaction-context.ts'

type Callable = (...args: readonly unknown[]) => unknown

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

// Prisma's promises start when they are awaited, and carry the fluent calls: only how they fail is changed.
function withDbErrors(promise: object): object {
  return new Proxy(promise, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name !== 'then') return value
      const fail = (error: unknown) => {
        throw toDbError(error)
      }
      return (...handlers: Parameters<Promise<unknown>['then']>) =>
        (target as Promise<unknown>).then(undefined, fail).then(...handlers)
    },
  })
}

function guardedCall(call: Callable, self: object): Callable {
  return (...args) => {
    const result = Reflect.apply(call, self, args)
    return isObject(result) && 'then' in result ? withDbErrors(result) : result
  }
}

function guardedMembers<T extends object>(object: T, onGet: (name: string | symbol) => void): T {
  const members = new Map<string | symbol, unknown>()
  return new Proxy(object, {
    get(target, name) {
      onGet(name)
      const known = members.get(name)
      if (known !== undefined) return known
      const value: unknown = Reflect.get(target, name)
      let member = value
      if (typeof value === 'function') member = guardedCall(value as Callable, target)
      else if (isObject(value)) member = guardedMembers(value, () => undefined)
      members.set(name, member)
      return member
    },
  })
}

/**
 * Prisma's client as `db.queries`: a call inside a `db.tx()` callback fails at once, with the caller in the stack (the
 * driver's own check would fail inside Prisma), and a database that does not answer is `db.unavailable`.
 */
export function guardedClient(client: PrismaClient): Queries {
  return guardedMembers<object>(client, (name) =>
    assertOutsideTransaction(`db.queries.${String(name)}`),
  ) as Queries
}
