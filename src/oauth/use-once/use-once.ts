import { KernelErrors, limits, type Queries } from '../../kernel/index.ts'
import { hashValue, type OAuthKeys } from '../keys.ts'
import { insertUses, type Use } from './store.ts'

/**
 * Whether this is the first use of the value, on any node; it counts as used from then on, until `expiresAtMs`.
 * @throws kernel.unavailable when too many wait for the database
 */
export type UseOnce = (value: string, expiresAtMs: number) => Promise<boolean>

interface Waiting extends Use {
  resolve(isFirst: boolean): void
  reject(error: unknown): void
}

async function settle(queries: Queries, batch: readonly Waiting[]): Promise<void> {
  try {
    const uses = batch.map(({ hash, expiresAtMs }) => ({ hash, expiresAtMs }))
    const first = new Set(await insertUses(queries, uses))
    for (const { hash, resolve } of batch) resolve(first.has(hash))
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}

/**
 * Uses are noted in groups: while one statement is on its way those that come meanwhile wait for the next, so that a
 * thousand proofs a second cost a hundred statements and a lone one waits for nobody.
 */
export function makeUseOnce(deps: { readonly queries: Queries; readonly keys: OAuthKeys }): UseOnce {
  const waiting = new Map<string, Waiting>()
  let writing = false

  async function write(): Promise<void> {
    if (writing) return
    writing = true
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, limits.useOnceBatchMax)
      for (const { hash } of batch) waiting.delete(hash)
      await settle(deps.queries, batch)
    }
    writing = false
  }

  return (value, expiresAtMs) => {
    const hash = hashValue(deps.keys, `use.${value}`)
    // Of two that wait together the statement would tell both the same.
    if (waiting.has(hash)) return Promise.resolve(false)
    if (waiting.size >= limits.useOnceWaitingMax) return Promise.reject(KernelErrors.unavailable())
    return new Promise((resolve, reject) => {
      waiting.set(hash, { hash, expiresAtMs, resolve, reject })
      void write()
    })
  }
}
