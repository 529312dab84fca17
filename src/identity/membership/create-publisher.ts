import { type IdSource, newId, type Transaction } from '../../kernel/index.ts'
import { joinTarget } from './join-target.ts'
import { insertPublisher } from './store.ts'

export interface CreatedPublisher {
  readonly id: string
  readonly name: string
  readonly role: 'owner'
  readonly createdAtMs: number
}

/**
 * A new developer team; the person who makes it owns it.
 * @throws identity.too_many_memberships
 */
export async function createPublisher(
  tx: Transaction,
  ids: IdSource,
  input: { readonly personId: string; readonly name: string },
): Promise<CreatedPublisher> {
  const publisherId = newId('publisher', ids)
  const createdAtMs = ids.clock.nowMs()
  await insertPublisher(tx, { publisherId, name: input.name, createdBy: input.personId, createdAtMs })
  const membership = { kind: 'publisher', targetId: publisherId, role: 'owner' } as const
  await joinTarget(tx, ids.clock, { personId: input.personId, membership })
  return { id: publisherId, name: input.name, role: 'owner', createdAtMs }
}
