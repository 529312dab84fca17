import type { ManifestCheck } from './check.ts'

/** Names, types and limits of all members are those of the published schema. */
export const schemaIsMet: ManifestCheck = (draft, context) => context.checkSchema(draft.value)
