import type { PersonCaller } from '../../capability/index.ts'
import type { Queries } from '../../kernel/index.ts'
import { toCaller } from './person.ts'
import { findCaller } from './store.ts'

/** The person with memberships and roles as they are now; null when unknown or disabled. One statement. */
export async function loadPerson(
  queries: Queries,
  personId: string,
  audiences: Iterable<string>,
): Promise<PersonCaller | null> {
  const row = await findCaller(queries, personId)
  return row === null ? null : toCaller(row, audiences, null)
}
