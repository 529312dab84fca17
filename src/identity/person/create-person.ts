import type { Clock, Transaction } from '../../kernel/index.ts'
import { IdentityErrors } from '../errors.ts'
import { normalEmail } from './person.ts'
import { insertPerson } from './store.ts'

export interface CreatePersonInput {
  readonly personId: string
  readonly email: string
  readonly displayName: string
  readonly locale: string
  /** By `hashPassword`, made before the transaction was opened: it takes 150 ms. */
  readonly passwordHash: string
}

export interface CreatedPerson {
  readonly id: string
  readonly email: string
  readonly displayName: string
  readonly locale: string
}

/**
 * A new person who signs in by password.
 * @throws identity.email_taken
 */
export async function createPerson(
  tx: Transaction,
  clock: Clock,
  input: CreatePersonInput,
): Promise<CreatedPerson> {
  const { personId, displayName, locale, passwordHash } = input
  const email = normalEmail(input.email)
  const createdAtMs = clock.nowMs()
  const inserted = await insertPerson(tx, { personId, email, displayName, locale, passwordHash, createdAtMs })
  if (!inserted) throw IdentityErrors.email_taken()
  return { id: personId, email, displayName, locale }
}
