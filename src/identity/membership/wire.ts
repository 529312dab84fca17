import { idOf, schema } from '../../capability/index.ts'
import { toIso } from '../../kernel/index.ts'
import type { CreatedInvitation as Created } from '../invitation/create-invitation.ts'
import { allRoles, displayName, email } from '../schema.ts'
import type { MemberRow } from './store.ts'

/** An invitation as its maker sees it, with the link. */
export const CreatedInvitation = schema.named(
  'CreatedInvitation',
  schema.object({
    id: idOf('invitation'),
    email,
    role: schema.oneOf(allRoles),
    link: schema.string({ maxLength: 500, description: 'Shown this once; give it to the person' }),
    token: schema.string({ maxLength: 100, description: 'What the link carries, for programs' }),
    expiresAt: schema.time(),
  }),
)

export function toCreatedInvitation({ id, email: address, role, link, token, expiresAtMs }: Created) {
  return { id, email: address, role, link, token, expiresAt: toIso(expiresAtMs) }
}

/** A member of a publisher or a merchant. */
export function memberOf<const R extends readonly string[]>(roles: R) {
  return schema.object({
    personId: idOf('person'),
    displayName,
    email: schema.nullable(email),
    role: schema.oneOf(roles),
    joinedAt: schema.time(),
  })
}

/** The role is a column with a CHECK on the roles of its table. */
export function toMember<R extends string>(row: MemberRow) {
  return {
    personId: row.person_id,
    displayName: row.display_name,
    email: row.email,
    role: row.role as R,
    joinedAt: toIso(row.created_at.getTime()),
  }
}
