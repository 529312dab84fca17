import type { EventCatalog } from '../fan-out.ts'

/**
 * Event types whose data is known to hold no personal data of the merchant's customers. What is not declared (any more)
 * is not among them: nothing is known of it.
 */
export function typesWithoutPersonalData({ eventTypes, scopes }: EventCatalog): readonly string[] {
  const isPrivate = (scope: string | null) => scope !== null && scopes.get(scope)?.sensitivity === 'private'
  return [...eventTypes.values()]
    .filter(({ scope, fieldScopes }) => ![scope, ...Object.values(fieldScopes)].some(isPrivate))
    .map(({ type }) => type)
}
