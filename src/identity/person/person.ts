import type { PersonCaller } from '../../capability/index.ts'
import { audiences } from '../schema.ts'

/** A person as a request's caller; the columns of `callerColumns`. */
export interface CallerRow {
  readonly person_id: string
  readonly display_name: string
  readonly locale: string
  /** Publisher id → role. */
  readonly publishers: Readonly<Record<string, string>>
  /** Merchant id → role. */
  readonly merchants: Readonly<Record<string, string>>
  readonly platform_roles: readonly string[]
}

/** What a session may be used for: everything a person may do. */
export const allAudiences: ReadonlySet<string> = new Set(audiences)

/** The caller of a credential that may be used for `audienceNames`. */
export function toCaller(
  row: CallerRow,
  audienceNames: Iterable<string>,
  credential: { readonly kind: 'session' | 'token'; readonly id: string } | null,
): PersonCaller {
  return {
    kind: 'person',
    personId: row.person_id,
    sessionId: credential?.kind === 'session' ? credential.id : null,
    displayName: row.display_name,
    locale: row.locale,
    credentialId: credential?.id ?? null,
    audiences: new Set(audienceNames),
    publishers: new Map(Object.entries(row.publishers)),
    merchants: new Map(Object.entries(row.merchants)),
    platformRoles: new Set(row.platform_roles),
  }
}

/** The form in which an address is stored and compared. */
export function normalEmail(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
